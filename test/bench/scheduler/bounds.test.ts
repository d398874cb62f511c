// The lower bounds: by hand for a plan of one turn, and never beaten by anybody on random workloads.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundsOf } from "../../../bench/scheduler/bounds.ts";
import { llamaSwap } from "../../../bench/scheduler/peers/llama-swap.ts";
import { direct, semaphore } from "../../../bench/scheduler/peers/simple.ts";
import { planOf } from "../../../bench/scheduler/plan.ts";
import { simulatedServer } from "../../../bench/scheduler/simulated-server.ts";
import { troupe } from "../../../bench/scheduler/troupe.ts";
import type { Workload } from "../../../bench/scheduler/workload.ts";
import { seededRandom } from "../../../src/base/ids.ts";
import { WorldClock } from "../../sim/clock.ts";
import { small } from "./small-workload.ts";
import { runOnce } from "./stage.ts";

const RATES = { prefill_tokens_per_s: 1_000, decode_tokens_per_s: 100, batch_slowdown: 0.5 };
const ONE_TURN = { turns: 1, start_tokens: 1_000, output_tokens: 100 };

function bounds(workload: Workload) {
  const clock = new WorldClock();
  const server = simulatedServer(workload, { clock, random: seededRandom(1), namesKeepAlive: false });
  return boundsOf(planOf(workload, 1), server.facts);
}

describe("boundsOf", () => {
  it("adds the work at the best speed of the batch to the first load", () => {
    const box = { gpus: [{ vram_gib: 10 }], np: 2, ...RATES };
    const models = [{ name: "a", size_gib: 6, load_s: 5 }];
    // 8 turns of 1 s + 1 s; two at once are 2 ÷ 1.5 as fast as one.
    const eight = bounds(small({ box, models, children: ONE_TURN, parents: { count: 2, children: 4 } }));
    expect(eight.workMs).toBeCloseTo(16_000 / (2 / 1.5) + 5_000, 6);
    expect(eight.slotMs).toBeCloseTo(16_000 / 2 + 5_000, 6);
    expect(eight.pathMs).toBe(2_000 + 5_000);
    expect(eight.makespanMs).toBe(eight.workMs);
    expect(eight.swaps).toBe(1);
  });

  it("counts no load of a model that is there, and every load of models that do not fit together", () => {
    const models = (loaded: boolean) => [
      { name: "a", size_gib: 6, load_s: 5, kv_kib_per_token: 1, loaded },
      { name: "b", size_gib: 6, load_s: 3, kv_kib_per_token: 1 },
    ];
    const parents = { count: 1, children: 20 };
    const cold = bounds(small({ models: models(false), parents }));
    const warm = bounds(small({ models: models(true), parents }));
    expect([cold.swaps, warm.swaps]).toEqual([2, 1]);
    expect(cold.workMs - warm.workMs).toBeCloseTo(5_000, 6);
  });

  it("takes what comes late from its arrival on", () => {
    const box = { gpus: [{ vram_gib: 10 }], np: 1, ...RATES };
    const arrivals = { staggered: { every_s: 100 } };
    const models = [{ name: "a", size_gib: 6, load_s: 0 }];
    const late = bounds(
      small({ box, models, children: ONE_TURN, parents: { count: 3, children: 2, arrivals } }),
    );
    expect(late.workMs).toBe(200_000 + 4_000);
  });

  it("counts nothing of what will be cancelled", () => {
    const none = bounds(small({ cancel: { share: 1, after_s: 5 } }));
    expect(none).toMatchObject({ workMs: 0, swaps: 0 });
  });

  it("is beaten by nobody, in makespan or in loads", async () => {
    const number = (min: number, max: number) => fc.integer({ min, max });
    const workloads = fc.record({
      np: number(1, 4),
      vram: number(8, 40),
      count: number(1, 3),
      children: number(1, 6),
      batch: fc.constantFrom(0, 0.2, 1.5),
      models: fc.constantFrom(0, 1),
      cache: fc.boolean(),
      depth: number(1, 3),
      loaded: fc.boolean(),
      seed: fc.nat(1_000),
    });
    const cases = fc.asyncProperty(workloads, async (drawn) => {
      const { np, vram, count, children, seed } = drawn;
      const workload = small({
        box: {
          gpus: [{ vram_gib: vram }],
          np,
          batch_slowdown: drawn.batch,
          model_slowdown: drawn.models,
          prompt_cache: drawn.cache,
        },
        parents: { count, children },
        nesting: { depth: drawn.depth, share: 0.4, children: 2 },
        models: [
          { name: "a", size_gib: 6, context_tokens: 4_000, kv_kib_per_token: 1, loaded: drawn.loaded },
          { name: "b", size_gib: 5, context_tokens: 4_000, kv_kib_per_token: 1, np: 1 },
        ],
      });
      for (const strategy of [troupe, direct, semaphore, llamaSwap]) {
        const { metrics, played, plan } = await runOnce(workload, strategy, seed);
        // A semaphore that is held across children deadlocks: nothing to compare.
        if (strategy === semaphore && !played.finished) continue;
        const { facts } = simulatedServer(workload, {
          clock: new WorldClock(),
          random: seededRandom(1),
          namesKeepAlive: false,
        });
        const bound = boundsOf(plan, facts);
        expect(metrics?.over_bound, strategy.name).toBeGreaterThanOrEqual(1 - 1e-9);
        expect(metrics?.swaps, strategy.name).toBeGreaterThanOrEqual(bound.swaps);
      }
    });
    await fc.assert(cases, { numRuns: 40 });
  });
});
