// How one task changes its model: decided by fallback.ts, written down with the state that follows (ADR 0017), and from
// then on what its turns, its leases and its views go by.

import type { NewEvent } from "../core/event.ts";
import { costMicros, type PricedTokens } from "../core/price.ts";
import type { ModelSettings } from "../core/settings.ts";
import type { ModelRef, Reroute, SkippedModel, TaskFailure, TaskSpec } from "../core/task.ts";
import { messageOf, toTroupeError } from "../base/errors.ts";
import { cloudCost, costReached, nextCandidate, refusalText, setbackOf, type Setback } from "./fallback.ts";
import type { Journal } from "./journal.ts";
import { candidateAt } from "./routing.ts";
import type { HostServices } from "./services.ts";
import type { TurnState } from "./turn-state.ts";

/** What a change of model needs of the task that changes it. */
export interface ReroutingHost {
  readonly spec: TaskSpec;
  readonly services: Pick<HostServices, "settings" | "clock" | "health" | "redact">;
  readonly turn: TurnState;
  readonly ring: { line(text: string): void };
}

export type Elsewhere =
  /** Call it to take the change for true; what it returns belongs into the next commit. */
  { readonly change: () => readonly NewEvent[] } | { readonly refused: readonly SkippedModel[] };

/**
 * Where a task goes on whose model has failed for good; `null` for a failure that no other model would mend.
 * `poor` answers are for `escalation` alone.
 */
export function elsewhere(host: ReroutingHost, thrown: unknown): Elsewhere | null {
  const setback = setbackOf(thrown);
  if (setback === null || setback === "poor") return null;
  if (setback === "away") host.services.health.failed(host.turn.model);
  return changeFor(host, setback, {
    code: codeOf(thrown),
    reason: messageOf(thrown),
  });
}

export function changeFor(
  host: ReroutingHost,
  setback: Setback,
  why: { readonly code: string; readonly reason: string },
): Elsewhere | null {
  const { spec, services, turn } = host;
  const { settings, clock } = services;
  if (!spec.route) return null;
  const answer = nextCandidate({ ...standing(host), route: spec.route, setback, routing: settings.routing });
  if (!("to" in answer)) return answer;
  const from = turn.model;
  const { to } = answer;
  const reason = services.redact(why.reason);
  const at = { time: clock.now(), costMicros: turn.usage.costMicros };
  const reroute: Reroute = { from, to, code: why.code, reason, ...at };
  const change = (): readonly NewEvent[] => {
    turn.reroutes = [...turn.reroutes, reroute];
    turn.partial = "";
    host.ring.line(`↷ goes on with ${nameOf(to)}: ${reason}`);
    return [{ type: "task.rerouted", data: { from: nameOf(from), to: nameOf(to), code: why.code, reason } }];
  };
  return { change };
}

/**
 * Admits a task where it runs, or where it goes on when the config has no such place any more.
 * Contract: never throws; why it could not be admitted anywhere, `null` when it was.
 */
export function admitSomewhere(
  host: ReroutingHost & { readonly journal: Pick<Journal, "event"> },
  admit: (model: ModelRef) => void,
): TaskFailure | null {
  try {
    admit(host.turn.model);
    return null;
  } catch (thrown) {
    const other = elsewhere(host, thrown);
    if (other && "change" in other) {
      host.journal.event(...other.change());
      return admitSomewhere(host, admit);
    }
    const message = `${messageOf(thrown)}${refusalText(other?.refused ?? [])}`;
    return { code: codeOf(thrown), message, retryable: true };
  }
}

/**
 * Refuses a generation with which a task would pass what it may spend in a cloud that it fell back to.
 * Throws LimitError `route_cost`.
 */
export function checkCloudCost(host: ReroutingHost, model: ModelSettings, tokens: PricedTokens): void {
  const { maxCostMicros: limit } = host.services.settings.routing;
  if (limit === null || host.turn.reroutes.length === 0) return;
  const spent = cloudCost(standing(host));
  const isHere = candidateAt(host.turn.model, host.services.settings)?.local === true;
  const wanted = spent + costMicros(tokens, model);
  if (!isHere && began(host)?.local !== false && wanted > limit) throw costReached(limit, wanted);
}

function began({ spec, services }: ReroutingHost): ReturnType<typeof candidateAt> {
  return candidateAt(spec.model, services.settings);
}

function standing({ spec, services, turn }: ReroutingHost) {
  return {
    began: spec.model,
    reroutes: turn.reroutes,
    costMicros: turn.usage.costMicros,
    candidateAt: (ref: ModelRef) => candidateAt(ref, services.settings),
  };
}

function codeOf(thrown: unknown): string {
  return toTroupeError(thrown).code;
}

function nameOf({ provider, model }: ModelRef): string {
  return `${provider}/${model}`;
}
