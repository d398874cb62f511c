// One task goes on with another model, on this backend or another: what it keeps and what it gives back. It decides
// nothing; whoever routes has decided.
//
// V1. Child slot and agent's cap stay its own: a move lets no sibling in.
// V2. It holds no place on two lanes, and waits on one: what it waits for it waits for where it goes.
// V3. Where else it may run follows from the newest move, also of one that stays on its lane: its model may have changed.

import { InternalError } from "../base/errors.ts";
import { equalsOf, laneFor } from "./backends.ts";
import { ask, drain, countAdmitted, enter, expectNoMore, quit, withdraw, type Step } from "./flow.ts";
import { forgetStops } from "./patience.ts";
import { beginRoaming, endRoaming } from "./roamers.ts";
import type { MoveTarget } from "./scheduler.ts";
import type { Lane, TaskEntry } from "./state.ts";

/** Contract: throws ConfigError `unknown_backend` and InternalError `lease_held`, before anything was changed. */
export function move(step: Step, task: TaskEntry, to: MoveTarget): Iterable<Lane> {
  const from = task.lane;
  const lane = laneFor(step.state, to);
  const equals = equalsOf(step.state, lane, to);
  if (lane === from) {
    renewEquals(step, task, equals);
    return [];
  }
  if (task.lease !== null) {
    throw new InternalError(
      "lease_held",
      `Expected task ${task.taskId} to hold no lease when it moves (S2), but it holds ${task.lease.leaseId}; release it first.`,
    );
  }
  transfer(step, task, { to: lane, equals, askedAt: step.now });
  return [from, lane];
}

/** Keeps V3; what it waits for, and since when, stays as it is. */
function renewEquals({ state, now }: Step, task: TaskEntry, equals: readonly Lane[]): void {
  const { ask: waiting, gate } = task;
  const mayRoam = waiting !== null && (gate?.kind === "place" || gate?.kind === "lease");
  if (mayRoam) endRoaming(waiting);
  task.equals = equals;
  if (mayRoam) beginRoaming(state, waiting, now);
}

/**
 * The same by the scheduler's own choice: it has asked since `askedAt`, and may run on the same lanes as before.
 * Contract: the task holds no lease, and is not there.
 */
export function transfer(
  step: Step,
  task: TaskEntry,
  { to: lane, equals = task.equals, askedAt }: Transfer,
): void {
  const from = task.lane;
  const waited = task.ask;
  withdraw(task);
  expectNoMore(task);
  forgetStops(task);
  const freed = [from.places, from.doors].filter((gate) => gate.free(task));
  quit(task);
  task.equals = equals;
  enter(task, lane);
  if (task.admitted) countAdmitted(task);
  if (!task.needsPlace && task.admitted) lane.doors.hold(task);
  for (const gate of freed) drain(step, gate);
  if (waited !== null)
    ask(step, task, { kind: waited.kind, class: waited.class, front: waited.front, askedAt });
}

interface Transfer {
  readonly to: Lane;
  readonly equals?: readonly Lane[];
  readonly askedAt: number;
}
