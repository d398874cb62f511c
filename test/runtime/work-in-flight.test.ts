import { describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
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
});
