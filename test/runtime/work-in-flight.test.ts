import { describe, expect, test } from "vitest";
import { settle, SimulatedClock } from "../../src/base/clock.ts";
import { WorkInFlight } from "../../src/runtime/work-in-flight.ts";

describe("WorkInFlight", () => {
  test("has nothing to wait for when nothing runs", () => {
    expect(new WorkInFlight().settled()).toBeNull();
  });

  test("waits for both kinds, and rejects for none", async () => {
    const work = new WorkInFlight();
    const [generation, effect] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    work.trackGeneration(generation.promise).catch(() => {});
    work.trackEffect(effect.promise).catch(() => {});
    let done = false;
    void Promise.resolve(work.settled()).then(() => (done = true));
    generation.reject(new Error("aborted"));
    await settle();
    expect([done, work.generation]).toEqual([false, null]);
    effect.reject(new Error("aborted"));
    await settle();
    expect([done, work.settled()]).toEqual([true, null]);
  });

  test("has let go before whoever awaits the work itself goes on", async () => {
    const work = new WorkInFlight();
    let left: unknown = "?";
    await work.trackGeneration(Promise.resolve(1)).then(() => (left = work.generation));
    expect(left).toBeNull();
  });

  test("the end of an older piece does not hide a newer one", async () => {
    const work = new WorkInFlight();
    const older = Promise.withResolvers<void>();
    void work.trackGeneration(older.promise);
    void work.trackGeneration(new Promise(() => {}));
    older.resolve();
    await settle();
    expect(work.generation).not.toBeNull();
  });

  test("what was left behind is waited for, but is not at work any more", async () => {
    const work = new WorkInFlight();
    const deaf = Promise.withResolvers<void>();
    work.leave(deaf.promise);
    let released = false;
    void Promise.resolve(work.settled()).then(() => (released = true));
    await settle();
    expect([work.isActive, work.settled() !== null, released]).toEqual([false, true, false]);
    deaf.reject(new Error("closed"));
    await settle();
    expect([released, work.settled()]).toEqual([true, null]);
  });

  test("a generation in flight is vacated when it lets go, or left behind after the deadline", async () => {
    const clock = new SimulatedClock();
    const work = new WorkInFlight();
    expect(work.vacated(clock, 100)).toBeNull();
    const [quick, deaf] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    void work.trackGeneration(quick.promise);
    const first = work.vacated(clock, 100);
    quick.resolve();
    await first;
    expect(clock.pending).toBe(0);
    void work.trackGeneration(deaf.promise);
    let free = false;
    void work.vacated(clock, 100)?.then(() => (free = true));
    await clock.advance(99);
    expect(free).toBe(false);
    await clock.advance(1);
    expect(free).toBe(true);
    void work.trackGeneration(Promise.resolve());
    await settle();
    expect([work.generation, work.settled() !== null]).toEqual([null, true]);
  });
});
