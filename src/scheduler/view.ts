// What people see of the scheduler: who holds what, who waits, at which position, and why, in words.
// It only reads; nothing here decides.

import type { LaneView } from "../core/box-api.ts";
import type { Holding, QueuePlace, Scheduler } from "./scheduler.ts";
import type { Ask, Lane, SchedulerState, TaskEntry, TaskGate } from "./state.ts";

/** Where the task stands in the line that it is in now; `null` when it waits for nothing. */
export function placeOf(state: SchedulerState, taskId: string): QueuePlace | null {
  const task = state.tasks.get(taskId);
  if (task?.ask == null || task.gate === null) return null;
  return {
    position: task.gate.queue.position(task.ask),
    length: task.gate.queue.size,
    wants: task.gate.kind === "lease" ? "lease" : "place",
    reason: reasonFor(state, task.gate, task.ask),
  };
}

/** Every backend; those who wait for a lease first, then for a place, then for their parent, each in order. */
export function lanes(state: SchedulerState, now: number): readonly LaneView[] {
  return [...state.lanes.values()].map((lane) => ({
    backend: lane.caps.backend,
    provider: lane.caps.provider,
    gpu: lane.caps.gpu,
    slots: lane.caps.slots,
    maxChildren: lane.caps.maxChildren,
    leases: [...lane.leases.holders()].flatMap(({ taskId, lease }) =>
      lease === null
        ? []
        : [{ leaseId: lease.leaseId, taskId, class: lease.class, heldMs: now - lease.grantedAt }],
    ),
    places: Array.from(lane.places.holders(), (task) => task.taskId),
    waiting: inOrder(lane).flatMap((ask) => waitingView(state, ask, now)),
  }));
}

/** Asked of the gates themselves, like the totals. */
export function holders(state: SchedulerState): readonly Holding[] {
  return Array.from(state.tasks.values(), (task) => ({
    taskId: task.taskId,
    leaseId: task.lease?.leaseId ?? null,
    place: task.lane.places.holds(task),
    slot: task.parent.slots.holds(task),
  }));
}

/** Added up from the gates themselves, so that a leak cannot hide behind a counter. */
export function counts(state: SchedulerState): ReturnType<Scheduler["counts"]> {
  let [slots, places, leases, waiting] = [0, 0, 0, 0];
  for (const parent of state.parents.values()) slots += parent.slots.held;
  for (const lane of state.lanes.values()) {
    places += lane.places.held;
    leases += lane.leases.held;
    waiting += lane.admissions.size + lane.turns.size;
  }
  return { slots, places, leases, waiting };
}

/** Those at a gate of their parent wait in as many lines as there are parents: they follow in order of asking. */
function inOrder(lane: Lane): Ask[] {
  const ofParents: Ask[] = [];
  for (const { ask, gate } of lane.admissions) {
    if (ask !== null && (gate?.kind === "slot" || gate?.kind === "agent")) ofParents.push(ask);
  }
  return [
    ...lane.leases.queue.order(),
    ...lane.places.queue.order(),
    ...lane.doors.queue.order(),
    ...ofParents,
  ];
}

function waitingView(state: SchedulerState, ask: Ask, now: number): LaneView["waiting"] {
  const place = placeOf(state, ask.task.taskId);
  if (place === null) return [];
  const { position, wants, reason } = place;
  const waitedMs = now - ask.askedAt;
  return [{ taskId: ask.task.taskId, wants, class: ask.class, position, waitedMs, reason }];
}

function reasonFor(state: SchedulerState, gate: TaskGate, ask: Ask): string {
  const { task } = ask;
  const { gpu, backend } = task.lane.caps;
  const on = gpu ?? backend;
  if (gate.kind === "lease") return `${taken(gate, "slot", ` on ${on}`)} generating`;
  if (gate.kind === "slot") return `${taken(gate, "child slot", ` of ${parentOf(task)}`)} taken`;
  if (gate.kind === "agent") {
    return `${taken(gate, "place", ` for ${task.agentKey ?? "its agent"} under ${parentOf(task)}`)} taken`;
  }
  const paused = state.paused && ask.kind === "admission";
  return paused ? "the box is paused" : `${taken(gate, "place", ` on ${on}`)} taken`;
}

/** `2 of 2 slots on gpu0 are`. */
function taken(gate: TaskGate, unit: string, where: string): string {
  const units = gate.limit === 1 ? unit : `${unit}s`;
  return `${gate.held} of ${gate.limit} ${units}${where} ${gate.held === 1 ? "is" : "are"}`;
}

function parentOf(task: TaskEntry): string {
  return task.parentId ?? "the box";
}
