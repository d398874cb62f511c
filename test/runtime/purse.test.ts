import { describe, expect, test } from "vitest";
import { UNLIMITED_BUDGET, type TreeBudget } from "../../src/core/limits.ts";
import { GenerationMeter, NOTHING_USED } from "../../src/runtime/generation-meter.ts";
import { GpuRates } from "../../src/runtime/gpu-rates.ts";
import { Ledger } from "../../src/runtime/ledger.ts";
import { Purse, warned } from "../../src/runtime/purse.ts";
import { testSettings } from "./rig.ts";

const [MODEL] = testSettings().models.map((model) => ({
  ...model,
  promptPriceMicros: 1_000_000,
  outputPriceMicros: 4_000_000,
}));

function make(
  budget: Partial<TreeBudget>,
  { backend = "gpu", priced = false, contextTokens = null as number | null } = {},
) {
  const model = { ...MODEL!, priced, contextTokens, ref: { ...MODEL!.ref, backend } };
  const ledger = new Ledger({ taskId: "root", budget: { ...UNLIMITED_BUDGET, ...budget }, above: null });
  const meter = new GenerationMeter(100, () => 0);
  const gpu = new GpuRates(testSettings().backends);
  return { ledger, meter, gpu, model, purse: new Purse({ ledger, model, gpu, meter }) };
}

describe("Purse", () => {
  test("P1 books what was used once, over two requests and however often it is settled", () => {
    const { ledger, meter, purse } = make({ tokens: 1_000, costMicros: 2_000 });
    purse.reserve(100, 50);
    meter.wrote(7);
    meter.finish({ ...NOTHING_USED, promptTokens: 90, outputTokens: 10, outputMs: 5 });
    purse.settle();
    purse.reserve(100, 100);
    meter.wrote(7);
    meter.finish({ ...NOTHING_USED, promptTokens: 90, outputTokens: 20, outputMs: 7 });
    const { used } = purse.close();
    expect(used).toEqual({
      promptTokens: 180,
      outputTokens: 30,
      costMicros: 180 + 120,
      gpuMs: 12,
      toolCalls: 0,
      generations: 2,
    });
    purse.settle();
    expect(ledger.used).toEqual(used);
    expect(ledger.reserve({ tokens: 790, costMicros: 1_700, gpuMs: 0 })).not.toHaveProperty("code");
  });

  test("reserves the price of the longest answer, and says when others only hold it", () => {
    const { ledger, purse } = make({ costMicros: 1_000 });
    purse.reserve(100, 200);
    expect(ledger.reserve({ tokens: 1, costMicros: 101, gpuMs: 0 })).toMatchObject({ heldByOthers: true });
    const { purse: second } = { purse: new Purse({ ...make({}), ledger }) };
    expect(() => second.reserve(100, 200)).toThrow(
      expect.objectContaining({ code: "budget", details: { held_by_others: true } }),
    );
  });

  test("asks for as long an answer as is left, and for what was wanted where that is too little", () => {
    expect(make({}).purse.answerTokens(100, 4_096)).toBe(4_096);
    expect(make({ tokens: 1_000 }).purse.answerTokens(100, 4_096)).toBe(900);
    expect(make({ tokens: 1_000 }).purse.answerTokens(100, 500)).toBe(500);
    const money = make({ costMicros: 2_101 });
    expect(money.purse.answerTokens(100, 4_096)).toBe(500);
    expect(() => money.purse.reserve(100, 500)).not.toThrow();
    const spent = make({ tokens: 300 });
    expect(spent.purse.answerTokens(100, 4_096)).toBe(4_096);
    expect(() => spent.purse.reserve(100, 4_096)).toThrow(
      /allows 300 tokens.*max_output_tokens \(now 4096\)/,
    );
    expect(make({ tokens: 110 }).purse.answerTokens(100, 10)).toBe(10);
  });

  test("asks for no longer an answer than the context has room for, which is estimated", () => {
    const { purse } = make({}, { contextTokens: 16_384 });
    expect(purse.answerTokens(1_000, 10 ** 6)).toBe(15_384);
    expect(purse.answerTokens(10 ** 6, 4_096)).toBe(256);
  });

  test("learns what its model takes of the GPU, and tells what came close", () => {
    const { gpu, meter, model, purse } = make({ gpuMs: 100 });
    purse.reserve(100, 50);
    meter.wrote(1);
    meter.finish({ ...NOTHING_USED, outputTokens: 1, outputMs: 90 });
    const before = gpu.estimate(model.ref, 0, 100);
    const { warnings } = purse.close();
    expect(gpu.estimate(model.ref, 0, 100)).toBeGreaterThan(before);
    expect(warnings.map(warned)).toEqual([
      { type: "budget.warned", data: { budgetOf: "root", kind: "gpu_ms", used: 90, limit: 100 } },
    ]);
  });

  test("P2 under a budget of money a cloud's model needs a price, and one of this box none", () => {
    const unpriced = make({ costMicros: 1_000_000 }, { backend: "cloud" });
    expect(() => unpriced.purse.reserve(1, 1)).toThrow(expect.objectContaining({ code: "price_unknown" }));
    expect(() => make({ tokens: 9 }, { backend: "cloud" }).purse.reserve(1, 1)).not.toThrow();
    expect(() =>
      make({ costMicros: 99 }, { backend: "cloud", priced: true }).purse.reserve(1, 1),
    ).not.toThrow();
    expect(() => make({ costMicros: 99 }).purse.reserve(1, 1)).not.toThrow();
  });
});
