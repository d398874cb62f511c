// What a failed effect means for the run that it belongs to, said before the machine hears of it: the machine begins
// another run when the failure is retryable and runs are left, and knows nothing of other tasks. Here the pause before
// that run is set, and a run that its agent may not begin any more (restart-intensity.ts) becomes the last.

import type { EffectFailure } from "../../machines/agent.ts";
import type { Random } from "../base/ids.ts";
import type { TaskFailure, TaskSpec } from "../core/task.ts";
import { GENERATION_TRIES, pauseMs } from "./generation.ts";
import type { Journal } from "./journal.ts";
import { stepsUpOf } from "./rerouting.ts";
import type { RestartIntensity } from "./restart-intensity.ts";
import type { TurnState } from "./turn-state.ts";

/** Whose runs are counted. */
export interface RunningTask {
  readonly spec: TaskSpec;
  readonly turn: Pick<TurnState, "reroutes">;
}

export interface FailingHost extends RunningTask {
  readonly services: { readonly random: Random; readonly restarts: RestartIntensity };
  readonly journal: Pick<Journal, "event">;
}

/** Which try of which run failed. */
export interface FailedTry {
  readonly run: number;
  /** Failed tries of the same generation before it. */
  readonly tries: number;
}

/** The failure as the machine is to hear it; another one only where it would have begun another run. */
export function judged(host: FailingHost, failed: EffectFailure, at: FailedTry): EffectFailure {
  if (!beginsRun(host, failed, at)) return failed;
  const { spec, services, journal } = host;
  const { restarts, random } = services;
  const verdict = restarts.failed(spec.agent.name);
  if (verdict === "run_again")
    return { ...failed, retryInMs: Math.max(failed.retryInMs, pauseMs(at.run - 1, random.next())) };
  const { failures, periodMs } = restarts.limit;
  if (verdict === "escalate")
    journal.event({
      type: "agent.escalated",
      data: { agent: spec.agent.name, failures: failures + 1, periodMs },
    });
  return { ...failed, transient: false, failure: lastOf(failed.failure, spec, restarts) };
}

/** What the machine's guard would say: the same generation is tried once more. */
export function isTriedAgain(failed: Pick<EffectFailure, "transient" | "heldUp">, tries: number): boolean {
  return failed.transient && (failed.heldUp === true || tries + 1 < GENERATION_TRIES);
}

/** What the machine's guards would say: this try is the last of its run, and the run is not the last of its task. */
function beginsRun(host: RunningTask, failed: EffectFailure, { run, tries }: FailedTry): boolean {
  if (isTriedAgain(failed, tries) || host.spec.kind !== "task" || !failed.failure.retryable) return false;
  return run <= furtherRunsOf(host);
}

/** Further runs after the first: the retries of its limits, and what stronger models have begun beside them. */
export function furtherRunsOf({ spec, turn }: RunningTask): number {
  const { retryOnFailure, retryLimit } = spec.limits;
  return (retryOnFailure ? retryLimit : 0) + stepsUpOf(turn.reroutes);
}

function lastOf(
  { code, message }: TaskFailure,
  { agent }: TaskSpec,
  { limit }: RestartIntensity,
): TaskFailure {
  const seconds = limit.periodMs / 1000;
  return {
    code,
    message:
      `${message} No further run is begun: runs of the agent ${agent.name} failed more than ${limit.failures} times ` +
      `within ${seconds} s (delegation.restart_intensity). Mend the cause and wait ${seconds} s, then delegate it again.`,
    retryable: false,
  };
}
