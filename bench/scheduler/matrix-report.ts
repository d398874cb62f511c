// What a run of workloads says: claims, checks, tables, the figures as JSON, and the chart. Pure.

import type { Check, Claim } from "../report.ts";
import { median } from "../statistics.ts";
import type { Chart, ChartPanel } from "./chart.ts";
import { claimsOf, impossibleTargets, isOurs, medianOf, OURS_AUTO } from "./comparison.ts";
import type { MatrixRow } from "./matrix.ts";
import type { Metrics } from "./metrics.ts";
import { tableLines } from "./table.ts";

export interface MatrixReport {
  readonly claims: readonly Claim[];
  readonly checks: readonly Check[];
  readonly lines: readonly string[];
  readonly figures: Readonly<Record<string, unknown>>;
}

export function matrixReport(rows: readonly MatrixRow[]): MatrixReport {
  const wrong = rows.flatMap(impossibleTargets);
  return {
    claims: rows.flatMap(claimsOf),
    checks: rows.map(checkOf),
    lines: [
      ...rows.flatMap(tableLines),
      ...(wrong.length === 0 ? [] : ["", "Targets that no scheduler reaches:", ...wrong]),
    ],
    figures: { workloads: rows.map(figuresOf), unreachable_targets: wrong },
  };
}

/** A peer that deadlocks has no figures, and that is a finding; everything else that is not exact voids the run. */
function checkOf(row: MatrixRow): Check {
  const runs = [...row.cells.values()].flat();
  const found = runs.filter(({ strategy, deadlocked, problems }) =>
    deadlocked ? isOurs(strategy) : problems.length > 0,
  );
  const stuck = runs.filter(({ deadlocked }) => deadlocked).length;
  const first = found[0];
  const words =
    first === undefined
      ? `${runs.length - stuck} runs${stuck === 0 ? "" : `; ${stuck} of peers deadlocked and have no figures`}`
      : `${found.length} of ${runs.length} runs, first ${first.strategy} with seed ${first.seed}: ${first.problems.slice(0, 3).join("; ")}`;
  return {
    name: `${row.workload.name}: every task ended exactly once, nothing deadlocked, no lease leaked`,
    holds: found.length === 0,
    detail: words,
  };
}

function figuresOf(row: MatrixRow): Readonly<Record<string, unknown>> {
  const { workload, seeds, tasks, bounds } = row;
  const middle = (of: (bound: (typeof bounds)[number]) => number): number => median(bounds.map(of));
  return {
    name: workload.name,
    about: workload.about,
    seeds,
    tasks,
    bounds:
      bounds.length === 0
        ? null
        : {
            makespan_s: middle((bound) => bound.makespanMs) / 1_000,
            work_s: middle((bound) => bound.workMs) / 1_000,
            slots_s: middle((bound) => bound.slotMs) / 1_000,
            critical_path_s: middle((bound) => bound.pathMs) / 1_000,
            swaps: middle((bound) => bound.swaps),
          },
    contenders: [...row.cells].map(([name, cells]) => {
      const keys = Object.keys(cells.find(({ metrics }) => metrics !== null)?.metrics ?? {});
      return {
        name,
        deadlocks: cells.filter((cell) => cell.deadlocked).length,
        median: Object.fromEntries(keys.map((key) => [key, medianOf(cells, key as keyof Metrics)])),
        by_seed: cells.map(({ seed, metrics }) => ({ seed, ...metrics })),
      };
    }),
  };
}

/** The chart of these rows: the first seed, as it went. */
export function chartOf(rows: readonly MatrixRow[], words: Pick<Chart, "title" | "caption">): Chart {
  return { ...words, panels: rows.map(panelOf) };
}

function panelOf({ workload, cells }: MatrixRow): ChartPanel {
  const strips = [...cells].flatMap(([name, ofSeeds]) => {
    const [first] = ofSeeds;
    if (name === OURS_AUTO || first?.metrics == null) return [];
    const { makespan_s, swaps } = first.metrics;
    return [{ name, makespan_s, loads: swaps, timeline: first.timeline }];
  });
  return { title: workload.about, models: workload.models.map((model) => model.name), strips };
}
