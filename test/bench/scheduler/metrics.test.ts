// Figures of runs whose course is known.

import { describe, expect, it } from "vitest";
import { jainOf } from "../../../bench/scheduler/metrics.ts";
import { direct } from "../../../bench/scheduler/peers/simple.ts";
import { timelineOf } from "../../../bench/scheduler/timeline.ts";
import { small } from "./small-workload.ts";
import { runOnce } from "./stage.ts";

const RATES = { np: 1, prefill_tokens_per_s: 1_000, decode_tokens_per_s: 100, prompt_cache: false };
const MODEL = [{ name: "a", size_gib: 6, context_tokens: 4_000, load_s: 5 }];

describe("metricsOf", () => {
  it("of two children in line behind one load", async () => {
    const workload = small({
      box: { gpus: [{ vram_gib: 10 }], ...RATES },
      models: MODEL,
      parents: { count: 1, children: 2 },
      children: { turns: 1, start_tokens: 1_000, output_tokens: 100 },
    });
    const { metrics } = await runOnce(workload, direct);
    expect(metrics).toMatchObject({
      makespan_s: 9,
      parent_mean_s: 9,
      child_mean_s: 8,
      swaps: 1,
      over_bound: 1,
    });
    expect(metrics).toMatchObject({ max_wait_s: 7, cache_hit: null, jain: 1, refused: 0 });
    expect(metrics?.first_token_mean_s).toBeCloseTo((6.01 + 8.01) / 2, 2);
    expect(metrics?.gpu_busy).toBeCloseTo(4 / 9, 6);
  });

  it("tells a question's first token apart from a child's", async () => {
    const workload = small({
      box: { gpus: [{ vram_gib: 10 }], ...RATES },
      models: [{ ...MODEL[0], loaded: true }],
      parents: { count: 0, children: 0 },
      interactive: { per_minute: 1, for_s: 600, prompt_tokens: 2_000, output_tokens: 10 },
    });
    const { metrics } = await runOnce(workload, direct, 3);
    expect(metrics?.swaps).toBe(0);
    expect(metrics?.first_token_mean_s).toBeNull();
    expect(metrics?.question_mean_s).toBeGreaterThanOrEqual(2);
    expect(metrics?.parent_mean_s).toBeNull();
  });
});

describe("jainOf", () => {
  it("is 1 for equals and 1/n when one has all", () => {
    expect(jainOf([3, 3, 3])).toBeCloseTo(1, 12);
    expect(jainOf([1, 0, 0, 0])).toBe(0.25);
    expect(jainOf([])).toBeNull();
  });
});

describe("timelineOf", () => {
  it("joins what one model did without a pause, and keeps models apart", async () => {
    const run = await runOnce(small({}), direct);
    const stretches = timelineOf(run.played.history);
    expect(new Set(stretches.map(({ model }) => model))).toEqual(new Set(["a", "b"]));
    for (const { from_s: from, to_s: to } of stretches) expect(to).toBeGreaterThan(from);
    const ofA = stretches.filter(({ model }) => model === "a");
    const pauses = ofA.slice(1).map(({ from_s: from }, at) => from - (ofA[at]?.to_s ?? 0));
    expect(Math.min(2, ...pauses)).toBeGreaterThan(1);
  });
});
