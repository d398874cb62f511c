// What `slots: auto` costs against the best pinned cap: a sweep over fixed caps finds that one for each simulated box
// and each seed, and the same work is done once more with caps that are found. Ratios are of one run, on a virtual
// clock, through the real scheduler; a makespan holds all that was spent on learning.

import { OLLAMA_LIKE } from "../../src/simulator/config.ts";
import { play, type CapsCase, type CapsUnderTest, type Played, type Stretch } from "../caps/play.ts";
import type { Bench, BenchReport } from "../report.ts";
import { median } from "../statistics.ts";

const SEEDS = 8;
const MOST = 16;
const CHILDREN = 48;
const FIXED = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16] as const;
const FIXED_CHILDREN = [4, 5, 6, 7, 8, 9, 10, 12, 16, 48] as const;
const LIMIT = 0.95;

const box = (parallel: number, more: Partial<Stretch> = {}): Stretch => ({
  parallel,
  promptTokens: 800,
  ...more,
});

function work(name: string, stretches: CapsCase["stretches"], more: Partial<CapsCase> = {}): CapsCase {
  const size = { children: CHILDREN, turns: 12, outputTokens: 140, growthTokens: 60, toolMs: 1_500 };
  return { name, stretches, ...size, ...more };
}

const SLOTS: readonly CapsCase[] = [
  work("runs 1", [box(1)]),
  work("runs 2", [box(2)]),
  work("runs 4", [box(4)]),
  work("runs 8", [box(8)]),
  work("runs 1, set to 4", [box(4, { forced: 1 })]),
  work("runs 1, then 4", [box(1), box(4)]),
  work("runs 8, then 2", [box(8), box(2)]),
  work("runs 4, prompts ten times as long from the middle on", [box(4), box(4, { promptTokens: 8_000 })]),
  work("runs 4, six children", [box(4)], { children: 6, turns: 96 }),
  work("runs 4, slow tools", [box(4)], { toolMs: 20_000 }),
];

const cached = { promptTokens: 6_000, cache: OLLAMA_LIKE.promptCache ?? null };
/** Where slots and children are found together, beside a prompt cache of 8 GiB. */
const CHILDREN_TOO: readonly CapsCase[] = [
  work("runs 2, prompts cached", [box(2, cached)], { growthTokens: 500 }),
  work("runs 4, prompts cached", [box(4, cached)], { growthTokens: 500 }),
];

interface Row {
  readonly name: string;
  /** The best pinned cap over auto, by makespan, for each seed. */
  readonly ratios: readonly number[];
  readonly best: readonly number[];
  readonly auto: readonly Played[];
  readonly problems: readonly string[];
}

async function against(
  each: CapsCase,
  fixed: ReadonlyMap<number, CapsUnderTest>,
  { auto, seeds }: { readonly auto: CapsUnderTest; readonly seeds: number },
): Promise<Row> {
  const rows: { ratio: number; best: number; found: Played; problems: readonly string[] }[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const pinned: { readonly cap: number; readonly played: Played }[] = [];
    for (const [cap, caps] of fixed) pinned.push({ cap, played: await play(each, caps, seed) });
    const best = pinned.reduce((a, b) => (b.played.makespanMs < 0.999 * a.played.makespanMs ? b : a));
    const found = await play(each, auto, seed);
    const problems = [...pinned.map(({ played }) => played), found].flatMap((played) => played.problems);
    rows.push({ ratio: best.played.makespanMs / found.makespanMs, best: best.cap, found, problems });
  }
  return {
    name: each.name,
    ratios: rows.map(({ ratio }) => ratio),
    best: rows.map(({ best }) => best),
    auto: rows.map(({ found }) => found),
    problems: rows.flatMap(({ problems }) => problems),
  };
}

export const bench: Bench = {
  summary: "`slots: auto` against the best pinned cap, on simulated boxes that run 1 to 8, and change",
  async run({ quick }) {
    const seeds = quick ? 2 : SEEDS;
    const slots: Row[] = [];
    const pinned = new Map(FIXED.map((cap) => [cap, { slots: cap, maxChildren: CHILDREN }]));
    const auto = { slots: 1, maxChildren: CHILDREN, autoSlots: { most: MOST } };
    for (const each of SLOTS) slots.push(await against(each, pinned, { auto, seeds }));
    const children: Row[] = [];
    const both = { slots: 1, maxChildren: 4, autoSlots: { most: MOST }, autoChildren: { most: 64 } };
    for (const each of CHILDREN_TOO) {
      const { parallel } = each.stretches[0];
      const places = new Map(FIXED_CHILDREN.map((cap) => [cap, { slots: parallel, maxChildren: cap }]));
      children.push(await against(each, places, { auto: both, seeds }));
    }
    return report(slots, children, seeds);
  },
};

function report(slots: readonly Row[], children: readonly Row[], seeds: number): BenchReport {
  const problems = [...slots, ...children].flatMap((row) => row.problems);
  const claim = (what: string) => (row: Row) => ({
    name: `throughput of ${what} over the best pinned cap's, a box that ${row.name}`,
    value: median(row.ratios),
    limit: LIMIT,
    bound: "at_least" as const,
  });
  return {
    name: "caps",
    measured: `${CHILDREN} children of 12 turns (or as said) on a simulated box, pinned slots ${FIXED.join(", ")} and \`auto\` from 1; the median of ${seeds} seeds, each against its own best cap`,
    notMeasured: [
      "a GPU: the box runs b generations at once each 1 + 0.2 (b − 1) times slower, and tells exact figures",
      "time between a slot that comes free and the next start: none passes here",
      "other clients: what is best beside them is not the most that can be had",
    ],
    checks: [
      {
        name: "every turn was taken once in every run, and nothing was held afterwards",
        holds: problems.length === 0,
        detail: problems[0] ?? "all",
      },
    ],
    claims: [
      ...slots.map(claim("`slots: auto`")),
      ...children.map(claim("slots and children that are found")),
    ],
    lines: [...slots.map((row) => line(row, "slots")), ...children.map((row) => line(row, "children"))],
    figures: { slots: slots.map(figures), children: children.map(figures) },
  };
}

function line({ name, ratios, best, auto }: Row, what: "slots" | "children"): string {
  const least = Math.min(...ratios).toFixed(3);
  const [first] = auto;
  const found =
    what === "slots" ? `${first?.reason}` : `${first?.slots} slots, ${first?.maxChildren} children`;
  return `${name}: best ${what} ${[...new Set(best)].join(" or ")}, worst seed ${least}; found ${found}`;
}

function figures({ name, ratios, best, auto }: Row): Readonly<Record<string, unknown>> {
  return { name, ratios, best, found: auto };
}
