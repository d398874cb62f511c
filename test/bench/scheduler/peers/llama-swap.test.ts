// llama-swap's algorithm: grouped in order of coming, no busy model evicted, a ready one served first.

import { describe, expect, it } from "vitest";
import { llamaSwap } from "../../../../bench/scheduler/peers/llama-swap.ts";
import { small } from "../small-workload.ts";
import { runOnce } from "../stage.ts";

const ONE_TURN = { turns: 1, start_tokens: 400, output_tokens: 20 };

describe("llama-swap", () => {
  it("makes AABB of ABAB: as many loads as models, however they are mixed", async () => {
    const workload = small({ children: ONE_TURN, parents: { count: 4, children: 8 } });
    const run = await runOnce(workload, llamaSwap);
    expect(run.problems).toEqual([]);
    expect(run.metrics?.swaps).toBe(2);
    const models = run.played.history.attempts.map(({ model }) => model);
    expect(new Set(models).size).toBe(2);
    expect(models.filter((model, at) => at > 0 && model !== models[at - 1])).toHaveLength(1);
  });

  it("W1 W2 sends nothing that the server would have to swap for", async () => {
    const run = await runOnce(small({}), llamaSwap, 4);
    expect(run.problems).toEqual([]);
    for (const { figures } of run.played.history.attempts) expect(figures?.loadMs).toBe(0);
  });

  it("keeps as many models as fit", async () => {
    const box = { gpus: [{ vram_gib: 40 }], np: 2 };
    const run = await runOnce(small({ box }), llamaSwap, 2);
    expect(run.metrics?.swaps).toBe(2);
  });

  it("survives cancels of those that wait for a swap", async () => {
    const workload = small({ cancel: { share: 0.5, after_s: { uniform: { min: 0, max: 10 } } } });
    for (const seed of [1, 2, 3]) expect((await runOnce(workload, llamaSwap, seed)).problems).toEqual([]);
  });
});
