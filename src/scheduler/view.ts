// What people see of the scheduler: who holds what, who waits and at which position; reason.ts says why.
// It only reads; nothing here decides.

import type { LaneView } from "../core/box-api.ts";
import { capInWords } from "./adaptive-reason.ts";
import type { Holding, QueuePlace, Scheduler } from "./scheduler.ts";
import { reasonFor } from "./reason.ts";
import { lanesOf, type Ask, type Lane, type SchedulerState } from "./state.ts";

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

/** Every lane; those who wait for a lease first, then for a place, then for their parent, each in order. */
export function lanes(state: SchedulerState, now: number): readonly LaneView[] {
  return shown(state).map((lane) => ({
    backend: lane.backend.caps.backend,
    profile: lane.profile,
    provider: lane.backend.caps.provider,
    gpu: lane.backend.caps.gpu,
    residency: lane.residence?.state ?? null,
    slots: lane.cap?.cap ?? lane.backend.caps.slots,
    slotsAuto: lane.cap !== null,
    slotsReason: lane.cap === null ? null : capInWords(lane.cap),
    maxChildren: lane.warm?.warm ?? lane.backend.caps.maxChildren,
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
  for (const lane of lanesOf(state)) {
    places += lane.places.held;
    leases += lane.leases.held;
    waiting += lane.admissions.size + lane.turns.size;
  }
  return { slots, places, leases, waiting };
}

/** Nothing is to be seen of the empty profile of a backend whose tasks all name another. */
function shown(state: SchedulerState): readonly Lane[] {
  return [...lanesOf(state)].filter(
    (lane) => lane.profile !== "" || lane.backend.lanes.size === 1 || !isIdle(lane),
  );
}

function isIdle({ places, leases, admissions, turns }: Lane): boolean {
  return places.held + leases.held + admissions.size + turns.size === 0;
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
