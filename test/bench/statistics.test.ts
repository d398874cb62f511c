// The arithmetic of the benchmarks, on samples whose figures are known.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitGrowth, fitLine, median, medianRatio, percentile, summarize } from "../../bench/statistics.ts";

const samples = fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 60 });

describe("percentile", () => {
  it.each([
    [0, 1],
    [0.5, 5],
    [0.9, 9],
    [0.91, 10],
    [0.99, 10],
    [1, 10],
  ])("of ten samples at %d is sample %d", (share, expected) => {
    expect(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], share)).toBe(expected);
  });

  it("is always one of the samples, and rises with the share", () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        expect(values).toContain(percentile(values, share));
        expect(percentile(values, share)).toBeLessThanOrEqual(percentile(values, 1));
      }),
    );
  });

  it("refuses no samples and shares that are none", () => {
    expect(() => percentile([], 0.5)).toThrow(/at least one sample/);
    expect(() => percentile([1], 99)).toThrow(/from 0 to 1, got 99/);
    expect(() => percentile([1], Number.NaN)).toThrow(RangeError);
  });
});

describe("median", () => {
  it("is the middle one, or the mean of the middle two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });

  it("leaves the samples as they were", () => {
    const values = [3, 1, 2];
    median(values);
    summarize(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("medianRatio", () => {
  it("compares round by round, so that a slow round of both sides does not count", () => {
    expect(medianRatio([2, 200, 2], [1, 100, 1])).toBe(2);
  });

  it("refuses lists of different lengths", () => {
    expect(() => medianRatio([1, 2], [1])).toThrow(/got 2 and 1/);
  });
});

describe("fitGrowth", () => {
  const sizes = [100, 300, 1000, 3000, 10_000];

  it.each([0, 0.5, 1, 1.5, 2])("finds the power %d exactly on exact data", (power) => {
    const fit = fitGrowth(sizes.map((size) => ({ size, value: 7 * size ** power })));
    expect(fit.exponent).toBeCloseTo(power, 9);
    expect(fit.margin).toBeCloseTo(0, 5);
    expect(fit.r2).toBeCloseTo(1, 9);
  });

  it("has a margin that covers the power of noisy data", () => {
    const noise = [1.1, 0.93, 1.05, 0.9, 1.07];
    const fit = fitGrowth(sizes.map((size, at) => ({ size, value: size * (noise[at] ?? 1) })));
    expect(fit.margin).toBeGreaterThan(0);
    expect(Math.abs(fit.exponent - 1)).toBeLessThan(fit.margin);
    expect(fit.r2).toBeGreaterThan(0.99);
  });

  it("tells two points from certainty", () => {
    const fit = fitGrowth([
      { size: 1, value: 1 },
      { size: 10, value: 10 },
    ]);
    expect(fit.exponent).toBeCloseTo(1, 9);
    expect(fit.margin).toBe(Number.POSITIVE_INFINITY);
  });

  it("refuses one size, and figures without a logarithm", () => {
    expect(() => fitGrowth([{ size: 1, value: 1 }])).toThrow(/two different sizes/);
    expect(() =>
      fitGrowth([
        { size: 1, value: 0 },
        { size: 2, value: 1 },
      ]),
    ).toThrow(/above 0, got 0 at 1/);
  });
});

describe("fitLine", () => {
  it("finds slope and base of a line", () => {
    const fit = fitLine([1, 2, 5].map((size) => ({ size, value: 100 + 7 * size })));
    expect(fit.slope).toBeCloseTo(7, 9);
    expect(fit.base).toBeCloseTo(100, 9);
  });

  it("refuses one size", () => {
    expect(() => fitLine([{ size: 2, value: 1 }])).toThrow(/two different sizes/);
  });
});
