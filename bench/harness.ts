// Runs contenders against each other in interleaved rounds (ABBA), so that a slow moment of the machine hits all of
// them, and measures growth over sizes. It reads time through a clock and prints nothing.
//
// H1. Every contender runs once per round; rounds alternate between the given order and its reverse.
// H2. Warm-up rounds run first and leave no sample.

import { systemClock } from "../src/base/clock.ts";
import type { Clock } from "../src/base/clock.ts";
import { fitGrowth, median, medianRatio, summarize } from "./statistics.ts";
import type { GrowthFit, GrowthPoint, Summary } from "./statistics.ts";

export interface Contender {
  readonly name: string;
  /** One run. Returns the figure it measured itself, or nothing to be timed as a whole in milliseconds. */
  run(): Promise<number | void> | number | void;
}

export interface RoundOptions {
  readonly rounds: number;
  /** Rounds that leave no sample; 1 unless told. */
  readonly warmup?: number;
  readonly clock?: Clock;
}

export interface ContenderResult extends Summary {
  readonly name: string;
  readonly samples: readonly number[];
  /** The median of the per-round ratios to the first contender; 1 for itself. */
  readonly ratio: number;
}

/**
 * Runs the contenders side by side.
 * Contract: rejects with what a contender throws, and with RangeError for no contender or no round.
 */
export async function compare(
  contenders: readonly Contender[],
  options: RoundOptions,
): Promise<readonly ContenderResult[]> {
  if (contenders.length === 0 || options.rounds < 1) {
    throw new RangeError(`Expected a contender and a round, got ${contenders.length} and ${options.rounds}.`);
  }
  const clock = options.clock ?? systemClock;
  const warmup = options.warmup ?? 1;
  const samples = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < warmup + options.rounds; round += 1) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) {
      const figure = await measure(contender, clock);
      if (round >= warmup) samples.get(contender)?.push(figure);
    }
  }
  const first = samples.get(contenders[0] as Contender) as number[];
  return contenders.map((contender) => {
    const own = samples.get(contender) as number[];
    return { name: contender.name, ...summarize(own), ratio: medianRatio(own, first), samples: own };
  });
}

async function measure(contender: Contender, clock: Clock): Promise<number> {
  const start = clock.monotonic();
  const figure = await contender.run();
  return typeof figure === "number" ? figure : clock.monotonic() - start;
}

export interface GrowthContender {
  readonly name: string;
  /** One run at a size; returns the cost of the whole run at that size. */
  run(size: number): Promise<number> | number;
}

export interface GrowthOptions {
  readonly sizes: readonly number[];
  readonly rounds: number;
}

export interface GrowthResult extends GrowthFit {
  readonly name: string;
  /** The median cost of each size. */
  readonly points: readonly GrowthPoint[];
}

/**
 * Measures how the cost of each contender grows with the size, sizes and contenders interleaved like rounds.
 * Contract: rejects with what a contender throws, and with RangeError for fewer than two sizes.
 */
export async function growth(
  contenders: readonly GrowthContender[],
  options: GrowthOptions,
): Promise<readonly GrowthResult[]> {
  const cells = options.sizes.flatMap((size) =>
    contenders.map((contender) => ({ size, contender, costs: [] as number[] })),
  );
  for (let round = 0; round < options.rounds + 1; round += 1) {
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
      const cost = await cell.contender.run(cell.size);
      if (round > 0) cell.costs.push(cost);
    }
  }
  return contenders.map((contender) => {
    const points = cells
      .filter((cell) => cell.contender === contender)
      .map(({ size, costs }) => ({ size, value: median(costs) }));
    return { name: contender.name, ...fitGrowth(points), points };
  });
}
