import { describe, expect, test } from "vitest";
import { delay, SimulatedClock } from "../../src/base/clock.ts";
import type { Stall } from "../../src/runtime/stall-watch.ts";
import { stallWatch } from "./specimens.ts";

describe("StallWatch", () => {
  function make(rest: { ms?: number; signal?: AbortSignal } = {}) {
    const clock = new SimulatedClock();
    const stalls: Stall[] = [];
    const left: unknown[] = [];
    const watch = stallWatch({
      clock,
      ms: 1_000,
      letGoMs: 100,
      onStall: (stall) => {
        stalls.push(stall);
        // W1: told before the abort.
        expect(watch.signal.aborted).toBe(false);
      },
      onLeft: (work) => left.push(work),
      ...rest,
    });
    return { clock, stalls, left, watch };
  }

  test("W1 tells a stall once, with what was silent and how long, and aborts with it", async () => {
    const { clock, stalls, watch } = make();
    await clock.advance(999);
    watch.alive();
    await clock.advance(999);
    expect(watch.stalled).toBeNull();
    await clock.advance(10_000);
    expect(stalls).toEqual([{ what: "no token for 1 s", silentMs: 1_000 }]);
    expect(watch.signal.reason).toBe(watch.stalled);
  });

  test("W1 what is held fails as the stall, whatever it comes to after the abort", async () => {
    const ways = [() => "half an answer", () => Promise.reject(new Error("AbortError"))];
    for (const way of ways) {
      const { clock, watch } = make();
      const held = watch.hold(delay(clock, 1_050).then(way));
      held.catch(() => {});
      await clock.advance(1_060);
      await expect(held).rejects.toBe(watch.stalled);
    }
  });

  test("W2 what ignores the abort is left behind after the deadline, and not before", async () => {
    const { clock, watch, left } = make();
    const work = new Promise<never>(() => {});
    let failed: unknown = null;
    watch.hold(work).catch((thrown: unknown) => (failed = thrown));
    await clock.advance(1_099);
    expect([failed, left]).toEqual([null, []]);
    await clock.advance(1);
    expect([failed, left]).toEqual([watch.stalled, [work]]);
  });

  test("W3 leaves no timer after its end, and settles as its work did", async () => {
    const { clock, watch, stalls } = make();
    expect(await watch.hold(Promise.resolve(7))).toBe(7);
    watch.end();
    watch.end();
    expect(clock.pending).toBe(0);
    await clock.advance(5_000);
    expect(stalls).toEqual([]);
  });

  test("what was called off already has not stalled: whoever called it off waits for it", async () => {
    const stop = new AbortController();
    const { clock, watch, stalls } = make({ signal: stop.signal });
    stop.abort(new Error("cancelled"));
    await clock.advance(5_000);
    expect([stalls, watch.signal.reason, clock.pending]).toEqual([[], stop.signal.reason, 0]);
  });

  test("no limit, no timer", () => {
    expect(make({ ms: 0 }).clock.pending).toBe(0);
  });
});
