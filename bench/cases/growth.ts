// What one more live task costs: spawn, status, cancel and finish from 100 to 10,000 live tasks, as roots and as
// children of one parent, beside the tree that XState alone would make; and the heap that an idle task keeps.

import { growth, type GrowthResult } from "../harness.ts";
import { idleHeap, type IdleHeap, type Idleness } from "../growth/idle-heap.ts";
import { naiveCosts } from "../growth/naive-tree.ts";
import { troupeCosts, type OpCosts, type Shape } from "../growth/troupe-tasks.ts";
import type { Bench, BenchReport, Claim } from "../report.ts";

const SIZES = [100, 316, 1_000, 3_162, 10_000] as const;
/** At 10,000 one run of the naive tree takes most of a minute; its power is plain before. */
const NAIVE_SIZES = [100, 316, 1_000, 2_000] as const;
const HEAP_SIZES = [1_000, 2_000, 4_000, 8_000] as const;
const OPS = ["spawn", "status", "cancel", "finish"] as const;
const SHAPES: readonly Shape[] = ["roots", "children of one parent"];
const IDLENESSES: readonly Idleness[] = ["queued", "waiting_input", "waiting_children", "session listening"];
const IDLE_LIMIT_BYTES = 8 * 1024;
const NAIVE = "naive XState tree";

type Cost = (size: number) => Promise<OpCosts> | OpCosts;

/** Runs every size and fits each operation apart; one run gives a figure for all four. */
async function fitted(name: string, run: Cost, options: { sizes: readonly number[]; rounds: number }) {
  const seen = new Map<number, OpCosts[]>();
  const problems: string[] = [];
  const total = {
    name,
    run: async (size: number) => {
      const costs = await run(size);
      problems.push(...costs.problems);
      seen.set(size, [...(seen.get(size) ?? []), costs]);
      return costs.spawn + costs.status + costs.cancel + costs.finish;
    },
  };
  await growth([total], { sizes: options.sizes, rounds: options.rounds });
  const fits = new Map<string, GrowthResult>();
  for (const op of OPS) {
    // The harness's first round is its warm-up; here it is dropped by the same rule.
    const kept = new Map([...seen].map(([size, costs]) => [size, costs.slice(1).map((each) => each[op])]));
    const next = (size: number): number => (kept.get(size) as number[]).shift() as number;
    const [fit] = await growth([{ name: op, run: replay(next) }], {
      sizes: options.sizes,
      rounds: options.rounds,
    });
    if (fit) fits.set(op, fit);
  }
  return { name, fits, problems };
}

/** Lets the harness's arithmetic see what was measured already; its warm-up call takes nothing. */
function replay(next: (size: number) => number): (size: number) => number {
  const begun = new Set<number>();
  return (size) => {
    if (begun.has(size)) return next(size);
    begun.add(size);
    return 1;
  };
}

export const bench: Bench = {
  summary: "spawn, status, cancel and finish against the number of live tasks; heap of an idle task",
  async run({ quick }) {
    const rounds = quick ? 1 : 5;
    const ours = [];
    for (const shape of SHAPES) {
      ours.push(await fitted(shape, (size) => troupeCosts(shape, size), { sizes: SIZES, rounds }));
    }
    const naive = await fitted(NAIVE, naiveCosts, { sizes: NAIVE_SIZES, rounds: quick ? 1 : 3 });
    const heaps: IdleHeap[] = [];
    for (const idleness of IDLENESSES) heaps.push(await idleHeap(idleness, HEAP_SIZES));
    return report(ours, naive, heaps);
  },
};

type Fitted = Awaited<ReturnType<typeof fitted>>;

function report(ours: readonly Fitted[], naive: Fitted, heaps: readonly IdleHeap[]): BenchReport {
  const exponents: Claim[] = ours.flatMap(({ name, fits }) =>
    [...fits].map(([op, fit]) => ({
      name: `${op}, ${name}: power of the total over live tasks`,
      value: fit.exponent,
      limit: 1.05,
      bound: "at_most" as const,
    })),
  );
  const bytes: Claim[] = heaps.map((heap) => ({
    name: `heap of a task that is ${heap.idleness}, bytes`,
    value: Math.round(heap.slope),
    limit: IDLE_LIMIT_BYTES,
    bound: "at_most",
  }));
  const problems = [...ours, naive].flatMap((each) => each.problems);
  return {
    name: "growth",
    measured: `microseconds for each task from ${SIZES[0]} to ${SIZES.at(-1)} live tasks, by a log-log fit of the totals; heap by regression over ${HEAP_SIZES.join(", ")} tasks`,
    notMeasured: [
      "durability: the store is in memory",
      "models: they answer at once, eight at a time",
      "the turns of a parent that reads its children's results: a conversation is as long as what is in it",
      `the naive tree beyond ${NAIVE_SIZES.at(-1)} children, where a run takes minutes`,
      "the naive tree's children have four states, no store, no events and no queue: it is the cheapest rival there is",
    ],
    checks: [
      {
        name: "every task ended exactly once, half cancelled and half done, nothing held, every completion delivered",
        holds: problems.length === 0,
        detail: problems[0] ?? "all",
      },
    ],
    claims: [...exponents, ...bytes],
    lines: [...ours, naive].flatMap(({ name, fits }) =>
      [...fits].map(([op, fit]) => growthLine(name, op, fit)),
    ),
    figures: {
      growth: [...ours, naive].map(({ name, fits }) => ({ name, ops: Object.fromEntries(fits) })),
      idle_heap: heaps,
    },
  };
}

function growthLine(name: string, op: string, fit: GrowthResult): string {
  const each = fit.points.map(({ size, value }) => `${size}: ${((value * 1_000) / size).toFixed(0)}`);
  const power = `${fit.exponent.toFixed(3)} ± ${fit.margin.toFixed(3)}`;
  return `${name.padEnd(22)} ${op.padEnd(6)} ^${power}  µs each at ${each.join(", ")}`;
}
