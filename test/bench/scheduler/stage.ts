// One run of a contender on the simulated server and a virtual clock, for tests.

import { problemsOf } from "../../../bench/scheduler/checks.ts";
import { metricsOf, type Metrics } from "../../../bench/scheduler/metrics.ts";
import { planOf, type Plan } from "../../../bench/scheduler/plan.ts";
import { play, type Played } from "../../../bench/scheduler/play.ts";
import { simulatedGround } from "../../../bench/scheduler/ground.ts";
import type { Strategy } from "../../../bench/scheduler/strategy.ts";
import type { Workload } from "../../../bench/scheduler/workload.ts";
import { seededRandom } from "../../../src/base/ids.ts";

export interface Run {
  readonly plan: Plan;
  readonly played: Played;
  readonly problems: readonly string[];
  /** `null` for a run that was not exact. */
  readonly metrics: Metrics | null;
}

export async function runOnce(workload: Workload, strategy: Strategy, seed = 1): Promise<Run> {
  const plan = planOf(workload, seed);
  const { server, clock, bounds, until } = simulatedGround.stage(plan, strategy);
  const played = await play({ plan, strategy, server, clock, random: seededRandom(seed), until });
  const problems = problemsOf(plan, played);
  return { plan, played, problems, metrics: problems.length === 0 ? metricsOf(plan, played, bounds) : null };
}

/** In the order of sending: `task-3 a`, `task-1 b`, … */
export function sentOf({ played }: Run): readonly string[] {
  return played.history.attempts.map(({ taskId, model }) => `${taskId} ${model}`);
}
