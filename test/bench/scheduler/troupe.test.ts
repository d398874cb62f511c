// Troupe's scheduler on the simulated server: exact whatever comes, never deadlocked, and repeatable.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shippedWorkloads } from "../../../bench/scheduler/shipped.ts";
import { troupe, troupeAuto } from "../../../bench/scheduler/troupe.ts";
import { small } from "./small-workload.ts";
import { runOnce, sentOf } from "./stage.ts";

describe("troupe", () => {
  it("is exact on random workloads: nested, cancelled, interrupted, short of memory, with the deadlock in the server", async () => {
    const number = (min: number, max: number) => fc.integer({ min, max });
    const drawn = fc.record({
      np: number(1, 4),
      vram: number(8, 30),
      children: number(1, 8),
      depth: number(1, 4),
      cancel: fc.constantFrom(0, 0.3, 1),
      perMinute: fc.constantFrom(1, 20),
      deadlock: fc.boolean(),
      seed: fc.nat(10_000),
    });
    const exact = fc.asyncProperty(drawn, async (draw) => {
      const workload = small({
        box: { gpus: [{ vram_gib: draw.vram }], np: draw.np, deadlock: draw.deadlock },
        keep_alive_in_requests: draw.deadlock,
        parents: { count: 2, children: draw.children },
        nesting: { depth: draw.depth, share: 0.5, children: 2 },
        cancel: { share: draw.cancel, after_s: { uniform: { min: 0, max: 60 } } },
        interactive: { per_minute: draw.perMinute, for_s: 60, prompt_tokens: 300, output_tokens: 20 },
      });
      for (const each of [troupe, troupeAuto]) {
        expect((await runOnce(workload, each, draw.seed)).problems).toEqual([]);
      }
    });
    await fc.assert(exact, { numRuns: 60 });
  });

  it("plays the same run again from the same seed", async () => {
    const workload = small({ interactive: { per_minute: 10, for_s: 60 } });
    const [once, again] = [await runOnce(workload, troupe, 9), await runOnce(workload, troupe, 9)];
    expect(sentOf(again)).toEqual(sentOf(once));
    expect(again.metrics?.makespan_s).toBe(once.metrics?.makespan_s);
  });

  it("T2 sends nothing for a model that is not there", async () => {
    const run = await runOnce(small({}), troupe, 3);
    for (const { figures } of run.played.history.attempts) expect(figures?.loadMs).toBe(0);
  });

  it("finishes where the bug of #17408 stops others", async () => {
    const bug = shippedWorkloads().find(({ name }) => name === "w13-deadlock");
    expect((await runOnce(bug as NonNullable<typeof bug>, troupe)).problems).toEqual([]);
  });
});
