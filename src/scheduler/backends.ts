// The commands about model servers: their caps, the pause, and what became of the profiles that they load. A lane is
// made when its profile is first heard of, and stays.

import { ConfigError } from "../base/errors.ts";
import { drain, type Step } from "./flow.ts";
import { limit } from "./learning.ts";
import { backendFor } from "./room.ts";
import type { BackendCaps, LaneName, MoveTarget, ResidencyReport } from "./scheduler.ts";
import { forgiveMisfits, note, shutUnlessLoaded } from "./residence.ts";
import {
  createBackend,
  createLane,
  createResidence,
  lanesOf,
  pauseLane,
  type Backend,
  type Lane,
  type SchedulerState,
} from "./state.ts";

/**
 * Caps only decide who is let in from now on: nothing is revoked (S1).
 * Contract: throws ConfigError `residency_fixed`, before anything was changed.
 */
export function setBackend(step: Step, caps: BackendCaps): Iterable<Lane> {
  const { state } = step;
  const known = state.backends.get(caps.backend);
  if (known !== undefined) checkResidency(known, caps);
  const backend = known ?? createBackend(caps);
  state.backends.set(caps.backend, backend);
  backend.caps = caps;
  if (backend.lanes.size === 0) laneOf(state, backend, "");
  const lanes = [...backend.lanes.values()];
  for (const lane of lanes) {
    // Both limits first: who gets a place here may go straight on to a lease (S1).
    limit(lane);
    manage(lane);
    drain(step, lane.places);
    drain(step, lane.leases);
  }
  return lanes;
}

/** Whoever waits elsewhere may come again once it is back; who is here stays. */
export function setAway(
  { state }: Step,
  { backend: name, away }: { readonly backend: string; readonly away: boolean },
): Iterable<Lane> {
  const backend = state.backends.get(name);
  if (backend === undefined || backend.away === away) return [];
  backend.away = away;
  return backend.lanes.values();
}

/**
 * Who loads the models does not change while the backend lives: what is loaded, or being loaded, at that moment would be
 * loaded a second time. More memory is a reason to try again what did not fit.
 */
function checkResidency(backend: Backend, { residency }: BackendCaps): void {
  const before = backend.caps.residency;
  if ((before === undefined) !== (residency === undefined)) {
    const { backend: name } = backend.caps;
    throw new ConfigError(
      "residency_fixed",
      `Expected ${name} to have its models loaded ${before === undefined ? "by itself" : "at our command"} as long as it is known, got the opposite; change manage_models and start again.`,
      { details: { backend: name, config_key: "providers.*.manage_models" } },
    );
  }
  if ((residency?.vramBytes ?? 0) > (before?.vramBytes ?? 0)) forgiveMisfits(backend);
}

/** Contract: throws ConfigError `unknown_backend`. */
export function laneFor(state: SchedulerState, request: LaneName): Lane {
  const lane = laneOf(state, backendFor(state, request.backend), request.profile ?? "");
  if (lane.residence !== null) lane.residence.sizeBytes ??= request.sizeBytes ?? null;
  return lane;
}

/**
 * The lanes that would serve a task alike, its own among them; none where there is no other.
 * Contract: throws ConfigError `unknown_backend`, before any lane is made.
 */
export function equalsOf(
  state: SchedulerState,
  lane: Lane,
  { alternatives = [] }: Pick<MoveTarget, "alternatives">,
): readonly Lane[] {
  for (const { backend } of alternatives) backendFor(state, backend);
  const lanes = new Set([lane, ...alternatives.map((each) => laneFor(state, each))]);
  return lanes.size > 1 ? [...lanes] : [];
}

/** Nothing that generates is stopped by it; whoever waits goes on once the profile is there. */
export function setResidency(step: Step, report: ResidencyReport): Iterable<Lane> {
  const backend = step.state.backends.get(report.backend);
  if (backend?.caps.residency === undefined) return [];
  const lane = laneOf(step.state, backend, report.profile);
  if (lane.residence === null) return [];
  note(lane, report, step.now);
  shutUnlessLoaded(lane);
  drain(step, lane.leases);
  return [lane];
}

export function pause(step: Step, paused: boolean): Iterable<Lane> {
  step.state.paused = paused;
  const lanes = [...lanesOf(step.state)];
  for (const lane of lanes) {
    pauseLane(lane, paused);
    drain(step, lane.doors);
    drain(step, lane.places);
  }
  return lanes;
}

function laneOf(state: SchedulerState, backend: Backend, profile: string): Lane {
  const known = backend.lanes.get(profile);
  if (known !== undefined) return known;
  const lane = createLane(backend, profile, state.paused);
  backend.lanes.set(profile, lane);
  limit(lane);
  manage(lane);
  return lane;
}

/** The empty profile is what needs nothing loaded, also where other profiles do. */
function manage(lane: Lane): void {
  const isManaged = lane.backend.caps.residency !== undefined && lane.profile !== "";
  if (!isManaged) lane.residence = null;
  else lane.residence ??= createResidence();
  shutUnlessLoaded(lane);
}
