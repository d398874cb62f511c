import { expect, test } from "vitest";
import { delay, SimulatedClock, systemClock } from "../../src/base/clock.ts";

test("simulated timers fire in the order of their due times, then of arming, each at its own time", async () => {
  const clock = new SimulatedClock(1_000);
  const fired: [string, number][] = [];
  const note = (name: string) => () => fired.push([name, clock.now()]);
  clock.after(20, note("late"));
  clock.after(10, note("first"));
  clock.after(10, note("second"));
  await clock.advance(15);
  expect(fired).toEqual([
    ["first", 1_010],
    ["second", 1_010],
  ]);
  expect(clock.now()).toBe(1_015);
  await clock.advance(5);
  expect(fired.at(-1)).toEqual(["late", 1_020]);
});

test("work awaited between timers makes progress, and timers armed on the way fire too", async () => {
  const clock = new SimulatedClock();
  const seen: number[] = [];
  const work = (async () => {
    for (let step = 1; step <= 3; step++) {
      await delay(clock, 10);
      seen.push(step);
    }
  })();
  await clock.advance(30);
  await work;
  expect(seen).toEqual([1, 2, 3]);
});

test("a cancelled timer never fires and leaves nothing behind", async () => {
  const clock = new SimulatedClock();
  let fired = false;
  const timer = clock.after(5, () => (fired = true));
  timer.cancel();
  timer.cancel();
  await clock.advance(10);
  expect(fired).toBe(false);
  expect(clock.pending).toBe(0);
});

test("drain fires until nothing is armed, and stops at its limit", async () => {
  const clock = new SimulatedClock();
  let count = 0;
  const again = (): void => {
    count += 1;
    clock.after(1_000, again);
  };
  clock.after(1_000, again);
  await clock.drain(5_000);
  expect(count).toBe(5);
});

test("an aborted delay rejects with the reason, and disarms its timer", async () => {
  const clock = new SimulatedClock();
  const abort = new AbortController();
  const waiting = delay(clock, 1_000, abort.signal);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  expect(clock.pending).toBe(0);
  await expect(delay(clock, 1, abort.signal)).rejects.toThrow("enough");
});

test("the system clock honours a delay that setTimeout would fire at once", () => {
  let fired = false;
  const timer = systemClock.after(2 ** 31 + 5, () => (fired = true));
  timer.cancel();
  expect(fired).toBe(false);
  expect(systemClock.monotonic()).toBeLessThanOrEqual(systemClock.monotonic());
});
