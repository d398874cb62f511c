// When an interactive turn has waited long enough for a lease, and whose generation is stopped for it.
// It only chooses and marks; the owner aborts the generation and releases the lease, and then the turn gets it.
//
// P1. Never more leases are being stopped on a lane than interactive turns there have lost their patience.
// P2. A session's own interactive lease is never stopped, and a child's one by a session only; of those that may be
//     stopped the youngest is, since it loses the least work.
// P3. For a turn that waits for its model all that may be stopped is, on the lanes of its backend that drain, and
//     nothing elsewhere. Where they drain for another model, its own comes next all the sooner.
// P4. Each time a turn is stopped so, its model stays twice as long when it is back (affinity.ts), until it is done. So a
//     turn that takes L from then on, its wait for a slot included, is stopped log2(L ÷ FORCED_STAY) times and once more.

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

/** Marks and announces the generations of this lane that must stop now. */
export function preempt(lane: Lane, now: number): readonly Effect[] {
  for (const ask of lane.patient) {
    if (ask.patientUntil > now) break;
    lane.patient.delete(ask);
    lane.impatient.add(ask);
  }
  // What nobody can be given is nobody's reason to stop.
  if (lane.leases.shut) return hurryDraining(lane);
  const effects: Effect[] = [];
  const asks = [...lane.impatient];
  const helped = lane.stopping.size;
  let wanted = asks.length - helped;
  // Those who wait for a generation that is being stopped come last: they were there first.
  for (const { task } of [...asks.slice(helped), ...asks.slice(0, helped)]) {
    if (wanted <= 0) break; // keeps P1: that many are being stopped already.
    const victim = youngest(lane, task);
    if (victim?.lease == null) continue;
    wanted--;
    effects.push(...stop(victim, task));
  }
  return effects;
}

/** Keeps P3. */
function hurryDraining(lane: Lane): readonly Effect[] {
  const [ask] = lane.impatient;
  if (ask === undefined) return [];
  const draining = [...lane.backend.lanes.values()].filter((each) => each.residence?.state === "draining");
  return draining.flatMap((each) =>
    [...each.leases.holders()]
      .filter((task) => mayBeStopped(task, ask.task) && !each.stopping.has(task))
      .flatMap((task) => {
        task.stops++; // keeps P4
        each.stopped.add(task);
        return stop(task, ask.task);
      }),
  );
}

/** Its turn was done, or is no longer wanted here. */
export function forgetStops(task: TaskEntry): void {
  task.stops = 0;
  task.lane.stopped.delete(task);
}

function stop(victim: TaskEntry, by: TaskEntry): readonly Effect[] {
  if (victim.lease === null) return [];
  victim.lane.stopping.add(victim);
  const { leaseId, taskId } = victim.lease;
  return [{ signal: { type: "preempt", leaseId, taskId, by: by.taskId }, task: victim }];
}

/** When time alone will next decide something; `null` when it will not. */
export function nextWake(state: SchedulerState): number | null {
  let earliest = state.roamAt;
  for (const { lanes, housing } of state.backends.values()) {
    earliest = Math.min(earliest, housing.wakeAt);
    for (const { patient } of lanes.values()) {
      const [first] = patient;
      if (first !== undefined) earliest = Math.min(earliest, first.patientUntil);
    }
  }
  return earliest === Infinity ? null : earliest;
}

/** Holders are kept in the order of their grants, so the last that may be stopped is the youngest. */
function youngest(lane: Lane, by: TaskEntry): TaskEntry | undefined {
  let found: TaskEntry | undefined;
  for (const task of lane.leases.holders()) {
    if (mayBeStopped(task, by) && !lane.stopping.has(task)) found = task;
  }
  return found;
}

/** Keeps P2. Children that a person hurried do not stop each other, or none of them would come to an end. */
function mayBeStopped(task: TaskEntry, by: TaskEntry): boolean {
  return task.lease?.class !== "interactive" || (task.needsPlace && !by.needsPlace);
}
