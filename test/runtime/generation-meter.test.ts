import { beforeEach, describe, expect, test } from "vitest";
import { GenerationMeter, NOTHING_USED } from "../../src/runtime/generation-meter.ts";

const FIGURES = { ...NOTHING_USED, promptTokens: 10, outputTokens: 20, totalMs: 5 };

let now = 0;

describe("GenerationMeter", () => {
  beforeEach(() => {
    now = 1_000;
  });

  test("counts nothing before the server answers", () => {
    const meter = new GenerationMeter(100, () => now);
    expect([meter.requests, meter.usage]).toEqual([0, NOTHING_USED]);
  });

  test("G1 an answer that breaks off is estimated: its prompt, and what was written", () => {
    const meter = new GenerationMeter(100, () => now);
    meter.wrote(0);
    meter.wrote(35);
    expect([meter.requests, meter.usage]).toEqual([
      1,
      { ...NOTHING_USED, promptTokens: 100, outputTokens: 10 },
    ]);
  });

  test("G1 the server's own figures replace the estimate, and a second request adds to them", () => {
    const meter = new GenerationMeter(100, () => now);
    meter.wrote(350);
    meter.finish(FIGURES);
    expect(meter.usage).toEqual(FIGURES);
    meter.wrote(7);
    expect([meter.requests, meter.usage]).toEqual([2, { ...FIGURES, promptTokens: 110, outputTokens: 22 }]);
  });

  test("G2 what a server does not time is timed from its first sign of life, broken off or finished", () => {
    const meter = new GenerationMeter(100, () => now);
    meter.wrote(7);
    now += 40;
    expect(meter.usage.outputMs).toBe(40);
    meter.finish({ ...NOTHING_USED, outputTokens: 3 });
    now += 500;
    expect([meter.usage.outputMs, meter.told.outputMs]).toEqual([40, 40]);
    meter.wrote(7);
    now += 5;
    meter.finish({ ...NOTHING_USED, promptMs: 1, outputMs: 2 });
    expect(meter.usage).toMatchObject({ promptMs: 1, outputMs: 42 });
  });

  test("adds up what came from caches", () => {
    const meter = new GenerationMeter(100, () => now);
    meter.finish({ ...FIGURES, cachedPromptTokens: 4 });
    meter.finish(FIGURES);
    expect(meter.usage.cachedPromptTokens).toBe(4);
  });
});
