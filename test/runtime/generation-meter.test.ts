import { describe, expect, test } from "vitest";
import { GenerationMeter, NOTHING_USED } from "../../src/runtime/generation-meter.ts";

const FIGURES = { ...NOTHING_USED, promptTokens: 10, outputTokens: 20, totalMs: 5 };

describe("GenerationMeter", () => {
  test("counts nothing before the server answers", () => {
    const meter = new GenerationMeter(100);
    expect([meter.requests, meter.usage]).toEqual([0, NOTHING_USED]);
  });

  test("G1 an answer that breaks off is estimated: its prompt, and what was written", () => {
    const meter = new GenerationMeter(100);
    meter.wrote(0);
    meter.wrote(35);
    expect([meter.requests, meter.usage]).toEqual([
      1,
      { ...NOTHING_USED, promptTokens: 100, outputTokens: 10 },
    ]);
  });

  test("G1 the server's own figures replace the estimate, and a second request adds to them", () => {
    const meter = new GenerationMeter(100);
    meter.wrote(350);
    meter.finish(FIGURES);
    expect(meter.usage).toEqual(FIGURES);
    meter.wrote(7);
    expect([meter.requests, meter.usage]).toEqual([2, { ...FIGURES, promptTokens: 110, outputTokens: 22 }]);
  });
});
