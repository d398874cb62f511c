import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUDGET_KINDS, UNLIMITED_BUDGET, type TreeBudget } from "../../src/core/limits.ts";
import { agentBudget, budgetOf, checkPrices, loweredNote } from "../../src/runtime/spawn-budget.ts";
import { agentNamed, testSettings } from "./rig.ts";

const NONE = UNLIMITED_BUDGET;
const AROUND: TreeBudget = { ...NONE, tokens: 1_000, costMicros: 50 };

describe("the budget of a new task", () => {
  test("of a root is the config's, changed by its agent and the request, the nearest last", () => {
    const byDefault = { ...NONE, tokens: 9, gpuMs: 9 };
    const question = {
      ofAgent: { gpuMs: 7, toolCalls: 7 },
      asked: { toolCalls: 5 },
      around: null,
      byDefault,
    };
    expect(budgetOf(question)).toEqual({ tokens: 9, costMicros: null, gpuMs: 7, toolCalls: 5 });
    expect(budgetOf({ ...question, asked: { tokens: null } })).toMatchObject({ tokens: null });
    // A root's own word goes before the config's, also where it is more.
    expect(budgetOf({ ...question, asked: { tokens: 99 } })).toMatchObject({ tokens: 99 });
  });

  test("of a child is none of its own where nobody names one", () => {
    const question = { ofAgent: undefined, asked: undefined, around: AROUND, byDefault: AROUND };
    expect(budgetOf(question)).toBeNull();
    expect(budgetOf({ ...question, asked: { tokens: null } })).toBeNull();
  });

  test("of a child is lowered to what is around it, and says so", () => {
    const asked = { tokens: 5_000, toolCalls: 3 };
    const given = budgetOf({ ofAgent: { costMicros: 60 }, asked, around: AROUND, byDefault: NONE });
    expect(given).toEqual({ tokens: 1_000, costMicros: 50, gpuMs: null, toolCalls: 3 });
    const note = loweredNote(given, { costMicros: 60, ...asked });
    expect(note).toContain("budget.tokens from 5000 to 1000, budget.cost_micros from 60 to 50");
    expect(note).not.toContain("tool_calls");
    expect(loweredNote(given, { tokens: 1_000 })).toBeNull();
  });

  test("never allows more than what is around it", () => {
    const limit = fc.option(fc.integer({ min: 1, max: 20 }), { nil: null });
    const budget = fc.record({ tokens: limit, costMicros: limit, gpuMs: limit, toolCalls: limit });
    fc.assert(
      fc.property(budget, budget, (asked, around) => {
        const given = budgetOf({ ofAgent: undefined, asked, around, byDefault: NONE }) ?? NONE;
        for (const kind of BUDGET_KINDS) {
          const most = Math.min(asked[kind] ?? Infinity, around[kind] ?? Infinity);
          expect(given[kind]).toBe(asked[kind] === null ? null : most);
        }
      }),
    );
  });

  test.each<[unknown, string]>([
    [{ tokens: -1 }, "budget.tokens"],
    [{ costMicros: 0 }, "budget.cost_micros"],
    [{ gpuMs: Number.NaN }, "budget.gpu_ms"],
    [{ gpuMs: 1.5 }, "budget.gpu_ms"],
    [{ toolCalls: Infinity }, "budget.tool_calls"],
    [{ tokens: 2 ** 60 }, "budget.tokens"],
    [{ tokens: "5" }, "budget.tokens"],
    [{ dollars: 5 }, "dollars"],
    [{ cost_micros: 5 }, "cost_micros"],
    [7, "7"],
    [null, "null"],
  ])("is refused where it is no budget: %j", (asked, named) => {
    for (const around of [null, AROUND]) {
      const ask = () =>
        budgetOf({ ofAgent: undefined, asked: asked as Partial<TreeBudget>, around, byDefault: NONE });
      expect(ask).toThrow(expect.objectContaining({ code: "bad_budget" }));
      expect(ask).toThrow(named);
    }
  });

  test("inherits from delegation what its agent leaves out", () => {
    const settings = testSettings({ childAgent: agentNamed("child", { budget: { tokens: 5, gpuMs: 5 } }) });
    expect(agentBudget(agentNamed("a", { budget: { gpuMs: 9 } }), settings)).toEqual({ tokens: 5, gpuMs: 9 });
    expect(agentBudget(agentNamed("b"), testSettings())).toEqual({});
  });
});

describe("prices at spawn", () => {
  const [model] = testSettings().models;
  const cloud = { ...model!, ref: { provider: "cloud", model: "big", backend: "cloud" } };
  const settings = testSettings({ models: [model!, cloud] });
  const money = { ...NONE, costMicros: 1 };

  test("a cloud's model without one is refused under a budget of money, and nowhere else", () => {
    expect(() => checkPrices({ model: cloud.ref }, money, settings)).toThrow(
      expect.objectContaining({ code: "price_unknown" }),
    );
    expect(() => checkPrices({ model: cloud.ref }, { ...NONE, tokens: 1 }, settings)).not.toThrow();
    expect(() => checkPrices({ model: model!.ref }, money, settings)).not.toThrow();
    const priced = testSettings({ models: [{ ...cloud, priced: true }] });
    expect(() => checkPrices({ model: cloud.ref }, money, priced)).not.toThrow();
  });

  test("each model of a route counts, so that falling back is not free either", () => {
    const route = { candidates: [model!.ref, cloud.ref], skipped: [], escalate: false };
    expect(() => checkPrices({ model: model!.ref, route }, money, settings)).toThrow(/cloud\/big/);
  });
});
