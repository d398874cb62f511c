// How a task moves through the gates: agent cap, child slot, place, and for each turn place again and lease.
// Only the first two are kept while it waits for another actor, so every wait here ends when somebody that is not
// waiting lets go: no tree can deadlock.
//
// F1. A task waits at one gate at most, and holds no lease while it waits (S2).
// F2. After each command every gate that has room has nobody waiting whom it may serve (S6).

import type { SchedulingClass } from "../core/lifecycle.ts";
import type { Lease, LeaseRequest } from "./scheduler.ts";
import { forgetStops, unwatch, watch } from "./patience.ts";
import { noteToolTime } from "./residence.ts";
import { beginRoaming, endRoaming } from "./roamers.ts";
import { groupAt, levelAt, rankAt } from "./line.ts";
import {
  type Ask,
  type Effect,
  type Lane,
  type SchedulerState,
  type TaskEntry,
  type TaskGate,
} from "./state.ts";

/** One command under way. */
export interface Step {
  readonly state: SchedulerState;
  readonly now: number;
  readonly effects: Effect[];
}

/** The task starts to wait for its admission or for a turn, and gets as far as the gates let it. */
export function ask(
  step: Step,
  task: TaskEntry,
  want: { readonly kind: Ask["kind"]; readonly askedAt?: number } & Pick<LeaseRequest, "class" | "front">,
): void {
  const started: Ask = {
    task,
    kind: want.kind,
    class: want.class,
    front: want.front ?? false,
    askedAt: want.askedAt ?? step.now,
    among: task.lane.admitted,
    patientUntil: 0,
    here: null,
    rank: 0,
    tie: step.state.asked++,
    heapIndex: -1,
    level: 0,
    group: "",
    orderIndex: 0,
    orderEpoch: -1,
  };
  task.ask = started;
  if (want.kind === "turn") {
    if (task.betweenSince !== null) noteToolTime(task.lane.backend.housing, step.now - task.betweenSince);
    expectNoMore(task);
  }
  waiting(started).add(task);
  advance(step, started);
}

/** Serves everybody whom this gate has room for. */
export function drain(step: Step, gate: TaskGate): void {
  for (let next = gate.next(); next !== undefined; next = gate.next()) {
    left(next, gate);
    gate.hold(next.task);
    if (gate.kind === "place") next.task.lane.shares.prepay(accountOf(next.task), next.task);
    if (gate.kind === "lease") grant(step, next);
    else advance(step, next);
  }
}

/** Takes the task out of whatever it waits for. */
export function withdraw(task: TaskEntry): void {
  if (task.ask === null) return;
  leave(task.ask);
  finish(task.ask);
}

/** Moves what the task waits for to another class; it keeps its rank. */
export function reclass(step: Step, waitingAsk: Ask, schedulingClass: SchedulingClass): void {
  const gate = waitingAsk.task.gate;
  if (gate === null || waitingAsk.class === schedulingClass) return;
  leave(waitingAsk);
  waitingAsk.class = schedulingClass;
  join(step, waitingAsk, gate);
}

/** Ends the task's lease, if it has one; the caller drains the gate (S3). */
export function endLease({ state, now }: Step, task: TaskEntry): void {
  if (task.lease === null) return;
  state.leases.delete(task.lease.leaseId);
  task.lease = null;
  // One that was asked to stop is done again.
  if (!task.lane.stopping.delete(task)) forgetStops(task);
  task.lane.leases.free(task);
  expectBack(task, now);
}

/** Its next turn is to come without anybody else's doing: what is loaded stays for it a while. */
function expectBack(task: TaskEntry, now: number): void {
  task.betweenSince = now;
  task.lane.between.add(task);
  task.lane.betweenSince = now;
}

/** From now on it is one of those at work here. */
export function countAdmitted(task: TaskEntry): void {
  task.admitted = true;
  task.admittedAs = task.lane.admitted++;
}

/** Whose account its work goes to: its parent's, and one for all that have none. */
export function accountOf({ parentId }: Pick<TaskEntry, "parentId">): string {
  return parentId ?? "";
}

/** It belongs to this lane from now on, or no more: its parent's account is opened and settled. */
export function enter(task: TaskEntry, lane: Lane): void {
  task.lane = lane;
  task.prepaidMs = task.admitted || task.returning ? 0 : null;
  task.spentMs = 0;
  if (task.needsPlace) lane.shares.open(accountOf(task), task);
}

export function quit(task: TaskEntry): void {
  if (!task.needsPlace) return;
  task.lane.shares.close(accountOf(task), task);
  task.lane.places.queue.due(accountOf(task));
}

/** It asks, waits for another actor, or has ended. */
export function expectNoMore(task: TaskEntry): void {
  task.betweenSince = null;
  task.lane.between.delete(task);
}

/** One gate on. Gates are passed in one direction, so draining one never comes back to it. */
function advance(step: Step, moving: Ask): void {
  const gate = nextGate(moving);
  if (gate !== null) {
    join(step, moving, gate);
    drain(step, gate);
    return;
  }
  const { task } = moving;
  finish(moving);
  countAdmitted(task);
  expectBack(task, step.now);
  const waitedMs = step.now - moving.askedAt;
  const { backend, profile } = task.lane;
  const where = { backend: backend.caps.backend, profile };
  step.effects.push({ signal: { type: "admitted", taskId: task.taskId, ...where, waitedMs }, task });
}

/** The first thing that the ask still lacks; `null` for an admission that has everything. */
function nextGate({ task, kind }: Ask): TaskGate | null {
  const { lane } = task;
  if (kind === "turn") return task.needsPlace && !lane.places.holds(task) ? lane.places : lane.leases;
  if (task.agent !== null && !task.agent.holds(task)) return task.agent;
  if (task.parentId !== null && !task.parent.slots.holds(task)) return task.parent.slots;
  const last = task.needsPlace ? lane.places : lane.doors;
  return last.holds(task) ? null : last;
}

/** The serial number makes the id unique, the salt unlike other boxes'; neither needs randomness here (S5). */
function grant(step: Step, served: Ask): void {
  const { state, now } = step;
  const { task } = served;
  const serial = (state.granted++).toString(16).padStart(8, "0");
  const lease: Lease = {
    leaseId: `lease_${state.leaseSalt}${serial}`,
    taskId: task.taskId,
    backend: task.lane.backend.caps.backend,
    profile: task.lane.profile,
    class: served.class,
    grantedAt: now,
    waitedMs: now - served.askedAt,
    inFlight: task.lane.leases.held,
  };
  finish(served);
  task.lease = lease;
  state.leases.set(lease.leaseId, task);
  step.effects.push({ signal: { type: "granted", lease }, task });
}

/** Puts the ask into the line before a gate; `drain` lets it through at once where there is room. */
function join(step: Step, joining: Ask, gate: TaskGate): void {
  joining.level = levelAt(gate, joining);
  joining.group = groupAt(gate, joining);
  joining.rank = rankAt(gate, joining);
  joining.task.gate = gate;
  gate.queue.push(joining);
  if (gate.kind === "place" || gate.kind === "lease") beginRoaming(step.state, joining, step.now);
  if (gate.kind === "lease" && joining.class === "interactive") {
    watch(joining.task.lane, joining, step.now + step.state.patienceMs);
  }
}

/** Out of the line without being served. */
function leave(leaving: Ask): void {
  const { gate } = leaving.task;
  if (gate === null) return;
  gate.queue.remove(leaving);
  left(leaving, gate);
}

/** What follows from being out of the line, served or not. */
function left(gone: Ask, gate: TaskGate): void {
  gone.task.gate = null;
  if (gate.kind === "place" || gate.kind === "lease") endRoaming(gone);
  if (gate.kind === "lease") unwatch(gone.task.lane, gone);
}

function finish(done: Ask): void {
  waiting(done).delete(done.task);
  done.task.ask = null;
}

function waiting({ task, kind }: Ask): Set<TaskEntry> {
  return kind === "turn" ? task.lane.turns : task.lane.admissions;
}
