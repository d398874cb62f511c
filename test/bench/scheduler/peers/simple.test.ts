// The simple peers on the simulated server: each keeps its rule, and what it is known to do wrong shows.

import { describe, expect, it } from "vitest";
import {
  direct,
  perParent,
  priority,
  roundRobin,
  semaphore,
} from "../../../../bench/scheduler/peers/simple.ts";
import { shippedWorkloads } from "../../../../bench/scheduler/shipped.ts";
import { small } from "../small-workload.ts";
import { runOnce, type Run } from "../stage.ts";

const ONE_MODEL = [{ name: "a", size_gib: 6, context_tokens: 4_000, load_s: 5 }];

/** The most of these that were open at once. */
function mostAtOnce(spans: readonly { readonly from: number; readonly to: number }[]): number {
  return Math.max(0, ...spans.map(({ from }) => spans.filter((o) => o.from <= from && from < o.to).length));
}

/** From the first generation of each task to its end. */
function lives({ played }: Run, rootId?: string) {
  return [...played.history.tasks.values()]
    .filter((task) => rootId === undefined || task.rootId === rootId)
    .map((task) => ({
      from: played.history.attempts.find(({ taskId }) => taskId === task.taskId)?.sentAt ?? 0,
      to: task.endedAt ?? 0,
    }));
}

describe.each([direct, semaphore, perParent, priority, roundRobin].map((each) => [each.name, each] as const))(
  "%s",
  (_, strategy) => {
    it("ends every task once, questions and cancelled ones among them, and holds nothing afterwards", async () => {
      const workload = small({
        interactive: { per_minute: 12, for_s: 60, prompt_tokens: 200, output_tokens: 20 },
        cancel: { share: 0.3, after_s: { uniform: { min: 0, max: 30 } } },
      });
      for (const seed of [1, 2, 3]) expect((await runOnce(workload, strategy, seed)).problems).toEqual([]);
    });
  },
);

describe("the peers' rules", () => {
  it("direct sends every first turn in the moment of its spawn", async () => {
    const run = await runOnce(small({}), direct);
    const first = run.played.history.attempts.filter(({ turn }) => turn === 0);
    expect(first.map(({ sentAt }) => sentAt)).toEqual(first.map(() => 0));
  });

  it("semaphore runs np children at once, per-parent 3 three of each parent", async () => {
    const workload = small({ models: ONE_MODEL, parents: { count: 2, children: 8 } });
    expect(mostAtOnce(lives(await runOnce(workload, semaphore)))).toBe(2);
    const run = await runOnce(workload, perParent);
    expect(mostAtOnce(lives(run, "parent-1"))).toBe(3);
    expect(mostAtOnce(lives(run))).toBe(6);
  });

  it("semaphore deadlocks where children delegate on, which is told as a deadlock", async () => {
    const { problems } = await runOnce(small({ nesting: { depth: 2, share: 1, children: 2 } }), semaphore);
    expect(problems).toEqual([expect.stringMatching(/^deadlock: \d+ of \d+ tasks can never end$/)]);
  });

  it("priority lets a question pass all turns that wait, direct does not", async () => {
    const workload = small({
      models: ONE_MODEL,
      parents: { count: 4, children: 12 },
      interactive: { per_minute: 6, for_s: 60, prompt_tokens: 200, output_tokens: 20 },
    });
    const [first, straight] = [await runOnce(workload, priority), await runOnce(workload, direct)];
    expect(first.metrics?.question_p95_s).toBeLessThan((straight.metrics?.question_p95_s ?? 0) / 5);
  });

  it("round robin gives parents turns one after the other", async () => {
    const workload = small({ models: ONE_MODEL, parents: { count: 3, children: 6 } });
    const { played } = await runOnce(workload, roundRobin);
    const roots = played.history.attempts
      .slice(2, 12)
      .map(({ taskId }) => played.history.tasks.get(taskId)?.rootId);
    for (let at = 3; at < roots.length; at += 1) expect(roots[at]).toBe(roots[at - 3]);
  });

  it("a 503 is asked again until it is served", async () => {
    const workload = small({ box: { gpus: [{ vram_gib: 10 }], np: 1, max_queue: 1 } });
    const { problems, metrics } = await runOnce(workload, direct);
    expect(problems).toEqual([]);
    expect(metrics?.refused).toBeGreaterThan(0);
  });

  it("clients that name a keep_alive run into Ollama's deadlock where it has the bug", async () => {
    const bug = shippedWorkloads().find(({ name }) => name === "w13-deadlock");
    const { played } = await runOnce(bug as NonNullable<typeof bug>, direct);
    expect(played.finished).toBe(false);
  });
});
