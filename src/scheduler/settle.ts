// Carries out what affinity.ts plans for a backend: lanes are shut and opened, and the owner is told what to load and
// unload. Whoever waits at a lane that opens is served at once (S6).

import { plan, type Plan } from "./affinity.ts";
import { drain, type Step } from "./flow.ts";
import { shutUnlessLoaded } from "./residence.ts";
import type { Backend, Lane } from "./state.ts";

/** Does what is to be done on this backend now, until time or somebody else must act. */
export function settle(step: Step, backend: Backend): void {
  if (backend.caps.residency === undefined) {
    backend.housing.wakeAt = Infinity;
    return;
  }
  for (;;) {
    const next = plan(backend, step.now);
    if (next.type === "keep") {
      backend.housing.wakeAt = next.wakeAt;
      return;
    }
    carryOut(step, backend, next);
  }
}

function carryOut(step: Step, backend: Backend, next: Exclude<Plan, { readonly type: "keep" }>): void {
  const { housing } = backend;
  if (next.type === "reopen") {
    housing.making = null;
    for (const lane of backend.lanes.values()) if (lane.residence?.state === "draining") reopen(step, lane);
    return;
  }
  const { lane } = next;
  if (next.type === "drain") {
    housing.making = { lane, unload: next.unload };
    if (next.forced) housing.forcedAt = step.now;
    for (const victim of next.victims) move(victim, "draining");
    return;
  }
  if (next.type === "load") {
    housing.beside = [...backend.lanes.values()].filter((each) => isThere(each));
    if (housing.making?.unload === true) housing.making = null;
  }
  move(lane, next.type === "load" ? "loading" : "unloading");
  const signal = { type: next.type, backend: backend.caps.backend, profile: lane.profile };
  step.effects.push({ signal, task: null });
}

function reopen(step: Step, lane: Lane): void {
  move(lane, "resident");
  drain(step, lane.leases);
}

function move(lane: Lane, state: "draining" | "loading" | "unloading" | "resident"): void {
  if (lane.residence === null) return;
  lane.residence.state = state;
  shutUnlessLoaded(lane);
}

function isThere({ residence }: Lane): boolean {
  return residence?.state === "resident" || residence?.state === "draining";
}
