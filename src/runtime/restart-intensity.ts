// How often the runs of an agent may fail before Troupe stops beginning them again by itself: Erlang's restart
// intensity, over all tasks of an agent, because what kills one of them (a model that was removed, a broken prompt)
// kills the next one too. It forgets with the process; crashes of the server itself are counted elsewhere.
// I1. Up to `failures` within `periodMs` another run is begun; the one after that breaches, and is told once.
// I2. A breach lasts until no run of the agent has failed for a whole period. Then everything begins anew.

import type { Clock } from "../base/clock.ts";
import type { RestartIntensitySettings } from "../core/settings.ts";

/** What follows a failed run: another; none, and a person should hear of it; none, as was told before. */
export type AfterFailure = "run_again" | "escalate" | "stop";

/** The newest failures of one agent, oldest first, in monotonic milliseconds; never more than the limit and one. */
export interface AgentFailures {
  readonly times: readonly number[];
  readonly breached: boolean;
}

export const NO_FAILURES: AgentFailures = { times: [], breached: false };

/** Counts one more failure at `now`; pure. */
export function countFailure(
  before: AgentFailures,
  now: number,
  { failures, periodMs }: RestartIntensitySettings,
): { readonly after: AgentFailures; readonly verdict: AfterFailure } {
  const recent = before.times.filter((time) => now - time < periodMs);
  const times = [...recent, now].slice(-(failures + 1));
  // Keeps I2: a breach is over only when nothing of it is left in the window.
  if (before.breached && recent.length > 0) return { after: { times, breached: true }, verdict: "stop" };
  if (times.length <= failures) return { after: { times, breached: false }, verdict: "run_again" };
  return { after: { times, breached: true }, verdict: "escalate" };
}

/** Contract: never throws; measures monotonic time. Its memory is a few numbers for each agent of the config. */
export class RestartIntensity {
  readonly #clock: Clock;
  readonly #agents = new Map<string, AgentFailures>();
  readonly limit: RestartIntensitySettings;

  constructor(clock: Clock, limit: RestartIntensitySettings) {
    this.#clock = clock;
    this.limit = limit;
  }

  /** Notes that a run of this agent has failed after which another would begin, and says whether it may. */
  failed(agent: string): AfterFailure {
    const before = this.#agents.get(agent) ?? NO_FAILURES;
    const { after, verdict } = countFailure(before, this.#clock.monotonic(), this.limit);
    this.#agents.set(agent, after);
    return verdict;
  }
}
