// What one decision of the scheduler costs while many tasks wait: 100 to 10,000 of them, every command timed alone.

import { systemClock } from "../../src/base/clock.ts";
import { FullHouse, type Costs } from "../decisions/full-house.ts";
import { growth, type GrowthContender } from "../harness.ts";
import type { Bench, BenchReport, Check } from "../report.ts";
import { median, percentile } from "../statistics.ts";

const SIZES = [100, 316, 1_000, 3_162, 10_000] as const;
const MOST = SIZES[SIZES.length - 1] as number;
const TURNS = 4_000;
const WARMUP_TURNS = 1_000;
const MODELS = [1, 2] as const;

/** All decisions at one size with so many models, over all rounds. */
interface Cell {
  readonly models: number;
  readonly size: number;
  readonly micros: number[];
  readonly byCommand: Map<string, number[]>;
}

export const bench: Bench = {
  summary: "cost of one scheduling decision while 100 to 10,000 tasks wait",
  async run({ quick }) {
    const cells: Cell[] = [];
    const checks: Check[] = [];
    const contenders = MODELS.map((models) => contender(models, cells, checks));
    const rounds = quick ? 2 : 10;
    const results = await growth(contenders, { sizes: SIZES, rounds });
    return report(cells, checks, results);
  },
};

/** The harness's first round is its warm-up, and is left out here too. */
function contender(models: number, cells: Cell[], checks: Check[]): GrowthContender {
  const begun = new Set<number>();
  return {
    name: models === 1 ? "one model" : `${models} models, of which one fits`,
    run(size) {
      const house = new FullHouse({ waiting: size, models, clock: systemClock });
      house.play(WARMUP_TURNS);
      const costs = house.play(TURNS);
      if (house.waiting < size - models || house.waiting > size + models) {
        checks.push({ name: `${size} tasks wait all the time`, holds: false, detail: `${house.waiting}` });
      }
      if (begun.has(size)) collect(cells, { models, size, costs });
      begun.add(size);
      return typical(costs);
    },
  };
}

/** The mean of what each kind of command costs at the median: the cheap ones are many, and would hide the others. */
function typical(costs: Costs): number {
  // A model that comes or goes is seldom, and costs the same at every size.
  const daily = [...costs].filter(([command]) => command !== "set_residency");
  const medians = daily.map(([, micros]) => median(micros));
  return medians.reduce((sum, each) => sum + each, 0) / medians.length;
}

function collect(
  cells: Cell[],
  { models, size, costs }: Pick<Cell, "models" | "size"> & { costs: Costs },
): void {
  let cell = cells.find((each) => each.models === models && each.size === size);
  if (cell === undefined) cells.push((cell = { models, size, micros: [], byCommand: new Map() }));
  for (const [command, micros] of costs) {
    const known = cell.byCommand.get(command) ?? [];
    cell.byCommand.set(command, known);
    for (const each of micros) {
      known.push(each);
      cell.micros.push(each);
    }
  }
}

function report(
  cells: readonly Cell[],
  checks: readonly Check[],
  results: Awaited<ReturnType<typeof growth>>,
): BenchReport {
  const held: Check = { name: "as many waited as was said, at every size", holds: true };
  return {
    name: "decisions",
    measured: `microseconds of each of ${TURNS} turns' commands (release, request, admit, end, observe) while ${SIZES.join(", ")} tasks of 8 parents wait, half for a lease and half for a place`,
    notMeasured: [
      "the delivery of what was decided, and what the runtime and the store do with it",
      "views: whoever looks at all 10,000 in order pays for that",
    ],
    checks: checks.length > 0 ? checks : [held],
    claims: [
      ...cells
        .filter(({ size }) => size === MOST)
        .map(({ models, micros }) => ({
          name: `one decision, p99, ${MOST} waiting, models ${models}, µs`,
          value: percentile(micros, 0.99),
          limit: 50,
          bound: "at_most" as const,
        })),
      ...results.map(({ name, exponent }) => ({
        name: `power of a decision's cost over tasks that wait, ${name}`,
        value: exponent,
        limit: 0.1,
        bound: "at_most" as const,
      })),
    ],
    lines: [
      ...results.map(
        ({ name, exponent, margin, points }) =>
          `${name}: ^${exponent.toFixed(3)} ± ${margin.toFixed(3)}, mean of the commands' medians, µs, ${points.map(({ size, value }) => `${size}: ${value.toFixed(2)}`).join(", ")}`,
      ),
      ...cells.filter(({ size }) => size === MOST).flatMap(commandLines),
    ],
    figures: { growth: results, cells: cells.map(summary) },
  };
}

function commandLines({ models, byCommand }: Cell): readonly string[] {
  return [...byCommand].map(
    ([command, micros]) =>
      `${command} at ${MOST} (models ${models}): p50 ${median(micros).toFixed(2)}, p99 ${percentile(micros, 0.99).toFixed(2)}, max ${percentile(micros, 1).toFixed(0)} µs`,
  );
}

function summary({ models, size, micros, byCommand }: Cell): Readonly<Record<string, unknown>> {
  const of = (values: readonly number[]) => ({
    count: values.length,
    p50: median(values),
    p99: percentile(values, 0.99),
    max: percentile(values, 1),
  });
  const commands = Object.fromEntries([...byCommand].map(([command, values]) => [command, of(values)]));
  return { models, waiting: size, all: of(micros), commands };
}
