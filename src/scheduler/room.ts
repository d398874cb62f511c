// Whether a task that asks to be admitted may wait, and whether several may, before any of them is stored. It changes
// nothing.

import { ConfigError, LimitError } from "../base/errors.ts";
import type { AdmitRequest } from "./scheduler.ts";
import type { Backend, SchedulerState } from "./state.ts";

/** What others of the same batch would hold or wait for by then, by what it is. */
type Taken = Map<string, number>;

/** What is to be admitted before, by task. */
export type Ahead = ReadonlyMap<string, AdmitRequest>;

/**
 * Throws what admitting all of them, one after another, would, once those ahead of them are admitted.
 * Contract: throws LimitError `queue_full` and ConfigError `unknown_backend`; tasks that are known need no room.
 */
export function checkRoom(state: SchedulerState, requests: readonly AdmitRequest[], ahead: Ahead): void {
  const most = ahead.size + requests.length;
  const backends = requests.map(({ backend }) => backendFor(state, backend));
  // Nearly always all of them could wait; then those ahead need not be looked at one by one.
  if (backends.every((backend) => waitingOn(backend) + most <= backend.caps.maxQueued)) return;
  const taken: Taken = new Map();
  for (const request of [...ahead.values(), ...requests]) {
    if (state.tasks.has(request.taskId)) continue;
    refuseAdmission(state, request, taken);
  }
}

/** Contract: throws ConfigError `unknown_backend`. */
export function backendFor(state: SchedulerState, backend: string): Backend {
  const found = state.backends.get(backend);
  if (found !== undefined) return found;
  const known = [...state.backends.keys()].join(", ") || "none";
  throw new ConfigError(
    "unknown_backend",
    `Expected one of the backends (${known}), got "${backend}"; add it under providers: or name another model.`,
    { details: { backend, config_key: "providers" } },
  );
}

/** Throws when the task would have to wait where too many wait already; else adds it to what is taken. */
export function refuseAdmission(
  state: SchedulerState,
  request: AdmitRequest,
  taken: Taken = new Map(),
): void {
  const backend = backendFor(state, request.backend);
  const gates = gatesOf(state, backend, request);
  const shut = gates.findIndex(({ key, held, limit }) => held + (taken.get(key) ?? 0) >= limit);
  // One that waits at a gate holds what it got at those before.
  for (const { key } of shut < 0 ? gates : gates.slice(0, shut)) taken.set(key, (taken.get(key) ?? 0) + 1);
  if (shut < 0) return;
  const waiting = `waiting ${request.backend}`;
  const before = taken.get(waiting) ?? 0;
  if (waitingOn(backend) + before >= backend.caps.maxQueued) throw queueFull(backend);
  taken.set(waiting, before + 1);
}

/** Tasks that wait to be admitted, on whichever of its lanes. */
function waitingOn({ lanes }: Backend): number {
  let waiting = 0;
  for (const { admissions } of lanes.values()) waiting += admissions.size;
  return waiting;
}

interface Room {
  readonly key: string;
  readonly held: number;
  readonly limit: number;
}

/** What the task needs a unit of before it is admitted, in the order in which it gets them. */
function gatesOf(state: SchedulerState, backend: Backend, request: AdmitRequest): readonly Room[] {
  const { parentId, parentSlots, agentLimit, needsPlace, profile = "" } = request;
  const parent = state.parents.get(parentId);
  const gates: Room[] = [];
  if (agentLimit !== undefined) {
    const { key, limit } = agentLimit;
    const held = parent?.agents.get(key)?.held ?? 0;
    gates.push({ key: `agent ${parentId ?? ""} ${key}`, held, limit });
  }
  if (parentId !== null)
    gates.push({ key: `slot ${parentId}`, held: parent?.slots.held ?? 0, limit: parentSlots });
  if (needsPlace) {
    const limit = state.paused ? 0 : backend.caps.maxChildren;
    const held = backend.lanes.get(profile)?.places.held ?? 0;
    gates.push({ key: `place ${request.backend} ${profile}`, held, limit });
  }
  return gates;
}

function queueFull({ caps }: Backend): LimitError {
  const { backend, maxQueued } = caps;
  return new LimitError(
    "queue_full",
    `At most ${maxQueued} tasks may wait for a place on ${backend}, and that many do; try again when some have started, or raise scheduler.max_queued.`,
    { details: { backend, limit: maxQueued, config_key: "scheduler.max_queued" } },
  );
}
