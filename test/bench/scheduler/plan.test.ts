// The generator: the same plan from the same seed, and no plan that its workload forbids.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planOf, tasksOf } from "../../../bench/scheduler/plan.ts";
import { shippedWorkloads } from "../../../bench/scheduler/shipped.ts";
import { small } from "./small-workload.ts";

describe("planOf", () => {
  it("P1 draws the same plan from the same seed, and another one from another", () => {
    for (const workload of shippedWorkloads()) {
      expect(planOf(workload, 5)).toEqual(planOf(workload, 5));
      expect(planOf(workload, 6).parents).not.toEqual(planOf(workload, 5).parents);
    }
  });

  it("P1 leaves parents as they are when questions or cancels come into play", () => {
    const plain = planOf(small({}), 3);
    const busy = planOf(
      small({ interactive: { per_minute: 30, for_s: 60 }, cancel: { share: 0.5, after_s: 4 } }),
      3,
    );
    const turns = (plan: typeof plain) => tasksOf(plan).map((task) => task.turns);
    expect(turns(busy)).toEqual(turns(plain));
    expect(busy.questions.length).toBeGreaterThan(5);
    expect(tasksOf(busy).some((task) => task.cancelAfterMs === 4_000)).toBe(true);
  });

  it("P2 keeps every prompt and its output within the context, each continuing the one before", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 2, max: 4_000 }), (seed, contextTokens) => {
        const workload = small({ models: [{ name: "m", size_gib: 1, context_tokens: contextTokens }] });
        for (const { turns } of tasksOf(planOf(workload, seed))) {
          let before = 0;
          for (const { newTokens, promptTokens, outputTokens } of turns) {
            expect(newTokens).toBeGreaterThan(0);
            expect(outputTokens).toBeGreaterThan(0);
            expect(promptTokens).toBe(before + newTokens);
            expect(promptTokens + outputTokens).toBeLessThanOrEqual(contextTokens);
            before = promptTokens + outputTokens;
          }
        }
      }),
    );
  });

  it("nests no deeper than it is told, and gives who delegates a turn after its children", () => {
    const plan = planOf(small({ nesting: { depth: 3, share: 1, children: 2 } }), 1);
    const tasks = tasksOf(plan);
    expect(new Set(tasks.map((task) => task.depth))).toEqual(new Set([1, 2, 3]));
    for (const { depth, turns, id } of tasks) {
      const at = turns.findIndex((turn) => turn.children.length > 0);
      expect(at >= 0).toBe(depth < 3);
      if (at < 0) continue;
      expect(at).toBeLessThan(turns.length - 1);
      expect(turns[at]?.children.map((child) => child.parentId)).toEqual([id, id]);
    }
  });

  it("spreads arrivals as it is told, the first at once", () => {
    const at = (arrivals: object) =>
      planOf(small({ parents: { count: 4, children: 1, arrivals } }), 2).parents.map((parent) => parent.atMs);
    expect(at({ staggered: { every_s: 10 } })).toEqual([0, 10_000, 20_000, 30_000]);
    const poisson = at({ poisson: { per_minute: 6 } });
    expect(poisson[0]).toBe(0);
    expect(poisson).toEqual(poisson.toSorted((a, b) => a - b));
  });

  it("gives every model its share of the children", () => {
    const models = [
      { name: "a", size_gib: 1, share: 0.7 },
      { name: "b", size_gib: 1, share: 0.3 },
      { name: "never", size_gib: 1, share: 0 },
    ];
    const tasks = tasksOf(planOf(small({ models, parents: { count: 20, children: 50 } }), 1));
    const share = (name: string) => tasks.filter((task) => task.model === name).length / tasks.length;
    expect(share("a")).toBeCloseTo(0.7, 1);
    expect(share("never")).toBe(0);
  });
});
