// When an interactive turn has waited long enough for a lease, and whose generation is stopped for it.
// It only chooses and marks; the owner aborts the generation and releases the lease, and then the turn gets it.
//
// P1. Never more leases are being stopped on a backend than interactive turns there have lost their patience.
// P2. An interactive lease is never stopped; of the others the youngest is, since it loses the least work.

import type { Ask, Effect, Lane, SchedulerState, TaskEntry } from "./state.ts";

/** Begins the patience of an interactive turn that joins the line for a lease. */
export function watch(lane: Lane, ask: Ask, patientUntil: number): void {
  ask.patientUntil = patientUntil;
  lane.patient.add(ask);
}

/** Ends it: the turn was served, withdrawn or is no longer interactive. May be repeated. */
export function unwatch(lane: Lane, ask: Ask): void {
  lane.patient.delete(ask);
  lane.impatient.delete(ask);
}

/** Marks and announces the generations of this backend that must stop now. */
export function preempt(lane: Lane, now: number): readonly Effect[] {
  for (const ask of lane.patient) {
    if (ask.patientUntil > now) break;
    lane.patient.delete(ask);
    lane.impatient.add(ask);
  }
  const effects: Effect[] = [];
  let index = 0;
  for (const ask of lane.impatient) {
    if (index++ < lane.stopping.size) continue; // keeps P1: that many are being stopped already.
    const victim = youngest(lane);
    if (victim?.lease == null) break;
    lane.stopping.add(victim);
    const { leaseId, taskId } = victim.lease;
    effects.push({ signal: { type: "preempt", leaseId, taskId, by: ask.task.taskId }, task: victim });
  }
  return effects;
}

/** When time alone will next decide something; `null` when it will not. */
export function nextWake(state: SchedulerState): number | null {
  let earliest: number | null = null;
  for (const lane of state.lanes.values()) {
    const [first] = lane.patient;
    if (first !== undefined && (earliest === null || first.patientUntil < earliest)) {
      earliest = first.patientUntil;
    }
  }
  return earliest;
}

/** Holders are kept in the order of their grants, so the last that may be stopped is the youngest. */
function youngest(lane: Lane): TaskEntry | undefined {
  let found: TaskEntry | undefined;
  for (const task of lane.leases.holders()) {
    if (task.lease?.class !== "interactive" && !lane.stopping.has(task)) found = task;
  }
  return found;
}
