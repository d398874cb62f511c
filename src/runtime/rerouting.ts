// How one task changes its model: decided by fallback.ts, written down with the state that follows (ADR 0017), and from
// then on what its turns, its leases and its views go by.

import type { NewEvent } from "../core/event.ts";
import type { ModelRef, Reroute, SkippedModel, TaskFailure, TaskSpec } from "../core/task.ts";
import { messageOf, ProviderError, toTroupeError } from "../base/errors.ts";
import { SERVER_AWAY } from "../core/lifecycle.ts";
import { lanesOf } from "./admission.ts";
import { equalPlaces, LONG_QUEUE, namesOf, withMove, type Running } from "./equal-places.ts";
import {
  barred,
  cloudCost,
  costReached,
  nextCandidate,
  refusalText,
  setbackOf,
  type Setback,
} from "./fallback.ts";
import { GENERATION_TRIES } from "./generation.ts";
import type { Journal } from "./journal.ts";
import type { Outages } from "./outages.ts";
import { candidateAt, crossing } from "./routing.ts";
import type { HostServices } from "./services.ts";
import type { TurnState } from "./turn-state.ts";

/** What a change of model needs of the task that changes it. */
export interface ReroutingHost {
  readonly spec: TaskSpec;
  readonly services: Pick<HostServices, "settings" | "clock" | "health" | "redact"> & {
    readonly residency: { readonly outages: Pick<Outages, "isAway"> };
  };
  readonly turn: TurnState;
  readonly ring: { line(text: string): void };
}

export type Elsewhere =
  /** Call it to take the change for true; what it returns belongs into the next commit. */
  | { readonly to: ModelRef; readonly change: () => readonly NewEvent[] }
  | { readonly refused: readonly SkippedModel[] };

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
    isOutage: isOutage(host, thrown),
  });
}

/** Whether it failed because its server is away, and is not itself what ends servers (outage-hold.ts, H1). */
function isOutage({ services, turn }: ReroutingHost, thrown: unknown): boolean {
  const isSilent = thrown instanceof ProviderError && SILENT.has(thrown.providerKind);
  if (!isSilent || (turn.broken?.times ?? 0) > GENERATION_TRIES) return false;
  return services.residency.outages.isAway(turn.model.backend);
}

const SILENT: ReadonlySet<string> = new Set(["network", "timeout"]);

/** Failures of a run that say something of its model's answers. */
const POOR: ReadonlySet<string> = new Set(["empty_answer", "tool_loop"]);

/** How many runs stronger models have begun: none of them is a retry. */
export function stepsUpOf(reroutes: readonly Reroute[]): number {
  return reroutes.filter(({ code }) => POOR.has(code)).length;
}

/**
 * The change to a stronger model for another run, once; `null` where the task asks for none, or nobody takes it.
 * Call it as `Elsewhere.change`.
 */
export function escalation(
  host: ReroutingHost,
  { code, message }: TaskFailure,
): (() => readonly NewEvent[]) | null {
  const { spec, turn } = host;
  const wasTried = stepsUpOf(turn.reroutes) > 0;
  if (spec.kind !== "task" || spec.route?.escalate !== true || !POOR.has(code) || wasTried) return null;
  const other = changeFor(host, "poor", { code, reason: message });
  return other && "change" in other ? other.change : null;
}

export function changeFor(
  host: ReroutingHost,
  setback: Setback,
  why: { readonly code: string; readonly reason: string; readonly isOutage?: boolean },
): Elsewhere | null {
  const { spec, services, turn } = host;
  const { settings, clock } = services;
  if (!spec.route) return null;
  const isAway = ({ backend }: ModelRef): boolean => services.residency.outages.isAway(backend);
  const { routing } = settings;
  const answer = nextCandidate({ ...standing(host), route: spec.route, setback, routing, isAway });
  if (!("to" in answer)) return answer;
  const from = turn.model;
  const { to } = answer;
  const reason = services.redact(why.reason);
  const at = { time: clock.now(), costMicros: turn.usage.costMicros };
  // From one that is away to another that is away would lead back for ever.
  const code = why.isOutage === true && !isAway(to) ? SERVER_AWAY : why.code;
  const reroute: Reroute = { from, to, code, reason, ...at };
  const change = (): readonly NewEvent[] => {
    turn.reroutes = [...turn.reroutes, reroute];
    turn.partial = "";
    host.ring.line(`↷ goes on with ${nameOf(to)}: ${reason}`);
    return [{ type: "task.rerouted", data: { ...namesOf(reroute), code, reason } }];
  };
  return { to, change };
}

/**
 * Admits a task where it runs, or where it goes on when the config has no such place any more.
 * Contract: never throws; why it could not be admitted anywhere, `null` when it was.
 */
export function admitSomewhere(
  host: ReroutingHost & { readonly journal: Pick<Journal, "event"> },
  admit: (at: Running) => void,
): TaskFailure | null {
  try {
    admit(host.turn);
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

/** What a task needs that may leave a queue. */
export interface WaitingHost extends ReroutingHost {
  readonly id: string;
  readonly services: ReroutingHost["services"] &
    Pick<HostServices, "scheduler" | "forecast" | "logger"> & {
      readonly residency: Pick<HostServices["residency"], "profileOf" | "sizeOf">;
    };
  readonly journal: Pick<Journal, "stage">;
  /** The snapshot as it is to be stored. */
  stored(): unknown;
}

/** A turn that waits for a local model, and would for longer than `routing.max_wait_s`, waits elsewhere. */
export function leaveLongQueue(host: WaitingHost): void {
  const { id, spec, services, turn } = host;
  const { settings, scheduler, forecast } = services;
  const most = settings.routing.maxWaitMs;
  const backend = settings.backends.find(({ name }) => name === turn.model.backend);
  if (most === null || !spec.route || backend?.local !== true) return;
  const ahead = scheduler.placeOf(id)?.position ?? 0;
  const waitMs = forecast.waitMs(backend.name, ahead, backend.slots);
  if (waitMs <= most) return;
  const reason = `Its turn on ${backend.name} would come in about ${Math.round(waitMs / 1000)} s (routing.max_wait_s).`;
  const other = changeFor(host, "busy", { code: LONG_QUEUE, reason });
  if (!other || !("change" in other)) return;
  const events = other.change();
  host.journal.stage({ events, snapshot: host.stored() });
  scheduler.move(id, lanesOf(spec, turn, services));
}

/**
 * The scheduler has sent a task that waited to an equal of its backend: from now on it runs there. Where it has no equal
 * there it stays, and the scheduler is told: a lease of a server on which it does not generate would count for nothing.
 */
export function movedTo(host: WaitingHost, backend: string): void {
  const { spec, services, turn, journal } = host;
  const to = equalPlaces(spec, turn, services.settings).find((ref) => ref.backend === backend);
  if (to === undefined) {
    const facts = { task: host.id, model: nameOf(turn.model), backend };
    services.logger.warn("a task was sent to a backend that does not serve its model alike; it stays", facts);
    return services.scheduler.move(host.id, lanesOf(spec, turn, services));
  }
  const at = { time: services.clock.now(), costMicros: turn.usage.costMicros };
  const { reroutes, made } = withMove(turn, { to, ...at });
  turn.reroutes = reroutes;
  host.ring.line(`↷ goes on on ${backend}: ${made.reason}`);
  const { code, reason } = made;
  const events = [{ type: "task.rerouted", data: { ...namesOf(made), code, reason } }] as const;
  // Of a task that has not begun there is no state to store yet; the one that follows holds it.
  const snapshot = host.stored();
  journal.stage({ events, ...(snapshot !== null && { snapshot }) });
}

/** Refuses a generation in a cloud to which the task may not fall back any more. Throws LimitError `route_barred`. */
export function checkPermission(host: ReroutingHost): void {
  const { settings } = host.services;
  const from = began(host);
  const here = candidateAt(host.turn.model, settings);
  if (host.turn.reroutes.length === 0 || from?.local !== true || here === null || here.local) return;
  const { fallback } = settings.routing;
  if (crossing(from, here, fallback) !== null) throw barred(nameOf(host.turn.model), fallback);
}

/**
 * Refuses a generation that makes a task cost so much more, when it would pass what it may spend in a cloud that it fell
 * back to. Throws LimitError `route_cost`.
 */
export function checkCloudCost(host: ReroutingHost, addedMicros: number): void {
  const { maxCostMicros: limit } = host.services.settings.routing;
  if (limit === null || host.turn.reroutes.length === 0) return;
  const spent = cloudCost(standing(host));
  const isHere = candidateAt(host.turn.model, host.services.settings)?.local === true;
  const wanted = spent + addedMicros;
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
