import { expect, test } from "vitest";
import { deadline, inTime, linkedAbort, withSignal } from "../../src/base/abort.ts";
import { SimulatedClock } from "../../src/base/clock.ts";

test("work under a signal settles as it does, or rejects with the reason as soon as it aborts", async () => {
  const abort = new AbortController();
  expect(await withSignal(Promise.resolve(1), abort.signal)).toBe(1);
  await expect(withSignal(Promise.reject(new Error("own")), abort.signal)).rejects.toThrow("own");
  const waiting = withSignal(new Promise(() => {}), abort.signal);
  abort.abort(new Error("off"));
  await expect(waiting).rejects.toThrow("off");
  await expect(withSignal(Promise.reject(new Error("late")), abort.signal)).rejects.toThrow("off");
});

test("a linked abort follows its parent until it is released, and aborts alone", () => {
  const parent = new AbortController();
  const following = linkedAbort(parent.signal);
  const released = linkedAbort(parent.signal);
  const alone = linkedAbort(parent.signal);
  alone.abort("mine");
  released.release();
  expect(parent.signal.aborted).toBe(false);
  parent.abort("all");
  expect(following.signal.reason).toBe("all");
  expect(alone.signal.reason).toBe("mine");
  expect(released.signal.aborted).toBe(false);
  expect(linkedAbort(parent.signal).signal.aborted).toBe(true);
});

test("a deadline expires once, starts again when renewed, and means nothing at 0", async () => {
  const clock = new SimulatedClock();
  let expired = 0;
  const limit = deadline(clock, 100, () => (expired += 1));
  await clock.advance(90);
  limit.renew(100);
  await clock.advance(90);
  expect(expired).toBe(0);
  await clock.advance(20);
  expect(expired).toBe(1);
  deadline(clock, 0, () => (expired += 1));
  await clock.drain();
  expect(expired).toBe(1);
});

test("inTime is what the work comes to, and leaves no timer", async () => {
  const clock = new SimulatedClock();
  const late = (): Error => new Error("late");
  expect(await inTime({ clock, ms: 1_000, late }, async (signal) => signal.aborted)).toBe(false);
  await expect(
    inTime({ clock, ms: 1_000, late }, () => Promise.reject(new Error("refused"))),
  ).rejects.toThrow("refused");
  expect(clock.pending).toBe(0);
});

test("inTime aborts its work when the time is over, and when its caller does", async () => {
  const clock = new SimulatedClock();
  const late = (): Error => new Error("late");
  const hang = (signal: AbortSignal): Promise<never> => withSignal(new Promise<never>(() => {}), signal);
  const slow = inTime({ clock, ms: 1_000, late }, hang);
  await Promise.all([expect(slow).rejects.toThrow("late"), clock.advance(1_000)]);
  const caller = new AbortController();
  const called = inTime({ clock, ms: 1_000, late, signal: caller.signal }, hang);
  caller.abort(new Error("called off"));
  await expect(called).rejects.toThrow("called off");
  expect(clock.pending).toBe(0);
});
