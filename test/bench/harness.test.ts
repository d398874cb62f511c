// The harness on a clock that only the contenders move: orders and figures are exact.

import { describe, expect, it } from "vitest";
import { compare, growth } from "../../bench/harness.ts";
import { SimulatedClock } from "../../src/base/clock.ts";

describe("compare", () => {
  it("H1 H2 alternates the order of each round and leaves warm-up without a sample", async () => {
    const clock = new SimulatedClock();
    const order: string[] = [];
    const contender = (name: string, ms: number) => ({
      name,
      run: async (): Promise<void> => {
        order.push(name);
        await clock.advance(ms);
      },
    });
    const results = await compare([contender("a", 10), contender("b", 25)], { rounds: 3, warmup: 1, clock });
    expect(order.join("")).toBe("abbaabba");
    expect(results.map(({ name, samples, ratio }) => ({ name, samples, ratio }))).toEqual([
      { name: "a", samples: [10, 10, 10], ratio: 1 },
      { name: "b", samples: [25, 25, 25], ratio: 2.5 },
    ]);
  });

  it("takes the figure that a contender measured itself", async () => {
    const results = await compare([{ name: "own", run: () => 42 }], { rounds: 2 });
    expect(results[0]?.median).toBe(42);
  });

  it("refuses nothing to run, and hands on what a contender throws", async () => {
    await expect(compare([], { rounds: 1 })).rejects.toThrow(/got 0 and 1/);
    const broken = { name: "x", run: (): number => Number(undefinedFigure()) };
    await expect(compare([broken], { rounds: 1 })).rejects.toThrow("no figure");
  });
});

function undefinedFigure(): never {
  throw new Error("no figure");
}

describe("growth", () => {
  it("tells linear from quadratic, from the medians of the rounds", async () => {
    let calls = 0;
    const results = await growth(
      [
        { name: "linear", run: (size) => size * ((calls += 1) % 7 === 0 ? 50 : 1) },
        { name: "quadratic", run: async (size) => size * size },
      ],
      { sizes: [10, 100, 1000], rounds: 5 },
    );
    expect(results.map(({ name }) => name)).toEqual(["linear", "quadratic"]);
    expect(results[0]?.exponent).toBeCloseTo(1, 6);
    expect(results[1]?.exponent).toBeCloseTo(2, 6);
    expect(results[1]?.points).toEqual([
      { size: 10, value: 100 },
      { size: 100, value: 10_000 },
      { size: 1000, value: 1_000_000 },
    ]);
  });
});
