// Every contender on every seed of a workload, and what came out: metrics, or why there are none.

import { seededRandom } from "../../src/base/ids.ts";
import type { Bounds } from "./bounds.ts";
import { problemsOf } from "./checks.ts";
import type { Ground } from "./ground.ts";
import { metricsOf, type Metrics } from "./metrics.ts";
import { planOf, tasksOf, type Plan } from "./plan.ts";
import { play } from "./play.ts";
import type { Strategy } from "./strategy.ts";
import { timelineOf, type Timeline } from "./timeline.ts";
import type { Workload } from "./workload.ts";

export interface Cell {
  readonly strategy: string;
  readonly seed: number;
  /** `null` where the run was not exact. */
  readonly metrics: Metrics | null;
  /** A play that could never end; the only inexactness that a peer is allowed, as a finding. */
  readonly deadlocked: boolean;
  readonly problems: readonly string[];
  readonly timeline: Timeline;
}

export interface MatrixRow {
  readonly workload: Workload;
  readonly seeds: readonly number[];
  readonly tasks: number;
  /** Of each seed; empty where nobody knows the rates of the server. */
  readonly bounds: readonly Bounds[];
  /** Contenders in order, each with a cell for each seed. */
  readonly cells: ReadonlyMap<string, readonly Cell[]>;
}

export interface MatrixOptions {
  readonly strategies: readonly Strategy[];
  readonly seeds: readonly number[];
  readonly ground: Ground;
}

/** Contract: rejects with what a contender or the server threw and no cancel explains. */
export async function runMatrix(workload: Workload, options: MatrixOptions): Promise<MatrixRow> {
  const { strategies, seeds, ground } = options;
  const cells = new Map<string, Cell[]>(strategies.map(({ name }) => [name, []]));
  const bounds: Bounds[] = [];
  let tasks = 0;
  for (const seed of seeds) {
    const plan = planOf(workload, seed);
    tasks = Math.max(tasks, tasksOf(plan).length);
    for (const [at, strategy] of strategies.entries()) {
      const { cell, bound } = await runCell(plan, { strategy, ground });
      if (at === 0 && bound !== null) bounds.push(bound);
      cells.get(strategy.name)?.push(cell);
    }
  }
  return { workload, seeds, tasks, bounds, cells };
}

async function runCell(
  plan: Plan,
  { strategy, ground }: { readonly strategy: Strategy; readonly ground: Ground },
): Promise<{ readonly cell: Cell; readonly bound: Bounds | null }> {
  const { seed } = plan;
  const { server, clock, bounds, until } = ground.stage(plan, strategy);
  const played = await play({ plan, strategy, server, clock, random: seededRandom(seed + 1), until });
  const problems = problemsOf(plan, played);
  const metrics = problems.length === 0 ? metricsOf(plan, played, bounds) : null;
  const timeline = timelineOf(played.history);
  const cell = { strategy: strategy.name, seed, metrics, deadlocked: !played.finished, problems, timeline };
  return { cell, bound: bounds };
}
