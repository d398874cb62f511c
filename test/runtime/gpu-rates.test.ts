import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NOTHING_USED } from "../../src/runtime/generation-meter.ts";
import { GpuRates } from "../../src/runtime/gpu-rates.ts";
import { testSettings } from "./rig.ts";

const LOCAL = { provider: "gpu", model: "qwen", backend: "gpu" };
const CLOUD = { provider: "cloud", model: "big", backend: "cloud" };

function rates(): GpuRates {
  return new GpuRates(testSettings().backends);
}

describe("GpuRates", () => {
  test("takes a model that nobody has seen for a slow one, and a cloud's for none of ours", () => {
    expect(rates().estimate(LOCAL, 100, 10)).toBe(100 * 2 + 10 * 50);
    expect(rates().estimate(CLOUD, 100, 10)).toBe(0);
    const told = { ...NOTHING_USED, loadMs: 1, promptMs: 2, outputMs: 3.4 };
    expect([rates().spent(LOCAL, told), rates().spent(CLOUD, told)]).toEqual([6, 0]);
  });

  test("comes closer to what a model really takes, each one by itself", () => {
    const seen = rates();
    const told = {
      ...NOTHING_USED,
      promptTokens: 100,
      outputTokens: 10,
      promptMs: 50,
      outputMs: 100,
      loadMs: 7,
    };
    for (let n = 0; n < 40; n++) seen.observe(LOCAL, told);
    expect(seen.estimate(LOCAL, 100, 10)).toBeCloseTo(158, -1);
    expect(seen.estimate({ ...LOCAL, model: "other" }, 100, 10)).toBe(700);
  });

  test("learns nothing from what wrote nothing, nor from clouds", () => {
    const seen = rates();
    seen.observe(LOCAL, NOTHING_USED);
    seen.observe(CLOUD, { ...NOTHING_USED, outputTokens: 1, outputMs: 9 });
    expect([seen.estimate(LOCAL, 1, 1), seen.estimate(CLOUD, 1, 1)]).toEqual([52, 0]);
  });

  test("R1 an estimate lies between the fastest and the slowest that was seen or assumed", () => {
    const samples = fc.array(
      fc.record({ outputTokens: fc.integer({ min: 1, max: 500 }), outputMs: fc.nat(9_000) }),
    );
    fc.assert(
      fc.property(samples, (told) => {
        const seen = rates();
        for (const each of told) seen.observe(LOCAL, { ...NOTHING_USED, ...each });
        const speeds = [50, ...told.map(({ outputMs, outputTokens }) => outputMs / outputTokens)];
        const estimate = seen.estimate(LOCAL, 0, 1_000);
        expect(estimate).toBeGreaterThanOrEqual(Math.min(...speeds) * 1_000 - 1);
        expect(estimate).toBeLessThanOrEqual(Math.max(...speeds) * 1_000 + 1);
      }),
    );
  });
});
