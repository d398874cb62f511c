// The commands about model servers: their caps, the pause, and what became of the profiles that they load. A lane is
// made when its profile is first heard of, and stays.

import { drain, type Step } from "./flow.ts";
import { limit } from "./learning.ts";
import { backendFor } from "./room.ts";
import type { BackendCaps, LaneName, MoveTarget, ResidencyReport } from "./scheduler.ts";
import { note, shutUnlessLoaded } from "./residence.ts";
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

/** Caps only decide who is let in from now on: nothing is revoked (S1). */
export function setBackend(step: Step, caps: BackendCaps): Iterable<Lane> {
  const { state } = step;
  const backend = state.backends.get(caps.backend) ?? createBackend(caps);
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
