// Draws of a workload: repeatable, inside their bounds, and of the shape that was asked for.

import { describe, expect, it } from "vitest";
import {
  distributionSchema,
  draw,
  drawCount,
  type Distribution,
} from "../../../bench/scheduler/distribution.ts";
import { median } from "../../../bench/statistics.ts";
import { seededRandom } from "../../../src/base/ids.ts";

function draws(distribution: Distribution, count = 4_000): number[] {
  const random = seededRandom(7);
  return Array.from({ length: count }, () => draw(distribution, random));
}

const SHAPES: readonly {
  name: string;
  distribution: Distribution;
  middle: number;
  low: number;
  high: number;
}[] = [
  { name: "uniform", distribution: { uniform: { min: 2, max: 6 } }, middle: 4, low: 2, high: 6 },
  {
    name: "lognormal",
    distribution: { lognormal: { median: 7, sigma: 0.6, min: 1, max: 40 } },
    middle: 7,
    low: 1,
    high: 40,
  },
  {
    name: "exponential",
    distribution: { exponential: { mean: 10, max: 50 } },
    middle: 10 * Math.LN2,
    low: 0,
    high: 50,
  },
  { name: "pareto", distribution: { pareto: { min: 1, alpha: 1, max: 90 } }, middle: 2, low: 1, high: 90 },
];

describe("draw", () => {
  it.each(SHAPES)(
    "of a $name has its median and stays within its bounds",
    ({ distribution, middle, low, high }) => {
      const values = draws(distribution);
      expect(median(values) / middle).toBeGreaterThan(0.92);
      expect(median(values) / middle).toBeLessThan(1.08);
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...values)).toBeLessThanOrEqual(high);
    },
  );

  it("of a list takes each of its figures and nothing else", () => {
    expect(new Set(draws({ one_of: [1, 5, 9] }))).toEqual(new Set([1, 5, 9]));
  });

  it("is repeatable, and a plain figure takes nothing from the source", () => {
    expect(draws({ exponential: { mean: 3 } })).toEqual(draws({ exponential: { mean: 3 } }));
    const random = seededRandom(1);
    expect(draw(12, random)).toBe(12);
    expect(random.next()).toBe(seededRandom(1).next());
  });

  it("as a count is whole and never below the least", () => {
    const random = seededRandom(3);
    const counts = Array.from({ length: 500 }, () => drawCount({ uniform: { min: 0, max: 3 } }, random, 2));
    expect(counts.every((count) => Number.isInteger(count) && count >= 2 && count <= 3)).toBe(true);
  });
});

describe("the schema", () => {
  it.each([
    [-1],
    [{ uniform: { min: 1 } }],
    [{ lognormal: { median: 0, sigma: 1 } }],
    [{ one_of: [] }],
    [{ zipf: 1 }],
  ])("refuses %j", (value) => {
    expect(distributionSchema.safeParse(value).success).toBe(false);
  });
});
