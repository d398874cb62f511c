// Where a task stands in the umpire's own books, and who may go before whom.

import type { LaneView } from "../../src/core/box-api.ts";
import type { AdmitRequest } from "../../src/scheduler/scheduler.ts";
import { AHEAD_ASKS, AHEAD_MOST } from "../../src/scheduler/line.ts";

/** A task was given a lease, or gave it back. */
export interface LeaseFact {
  readonly kind: "lease";
  readonly taskId: string;
  readonly held: boolean;
  /** Where, in worlds with several lanes, and whether the model there was already and still is to go. */
  readonly lane?: Pick<LaneView, "backend" | "profile">;
  readonly isToGo?: boolean;
}

export interface Turn {
  readonly front: boolean;
  /** In order of asking. */
  readonly order: number;
  /** How many leases had been given when it asked. */
  readonly given: number;
}

export type Waiting = LaneView["waiting"][number];
/** `as` counts those admitted before it. */
export type Admission = AdmitRequest & { done: boolean; as: number };

export interface Standing {
  readonly task: Admission | undefined;
  readonly turn: Turn | undefined;
}

/** Whether a lease may go to `mine` before `theirs`, which asked earlier: the child that was admitted first goes ahead. */
export function mayGoAhead(mine: Standing, theirs: Standing, schedulingClass: string): boolean {
  if (schedulingClass === "interactive" || !mine.task?.needsPlace || !theirs.task) return false;
  const asks = (mine.turn?.order ?? 0) - (theirs.turn?.order ?? 0);
  // What each was before a restart is told at once for one and later for another.
  const isReturning = (mine.task.returning ?? theirs.task.returning) !== undefined;
  const isOlder = mine.task.as < theirs.task.as || !theirs.task.needsPlace || isReturning;
  return isOlder && asks <= AHEAD_ASKS * AHEAD_MOST;
}

/** Whether it goes first in its class: it was stopped for somebody. A child that a person hurried does not. */
export function isFront({ task, turn }: Standing, schedulingClass: string): boolean {
  return turn?.front === true && !(schedulingClass === "interactive" && task?.needsPlace === true);
}

/** Waits for its first place: not admitted yet, and holding nothing from before a restart. */
export function isNewcomer(task: Admission | undefined): task is Admission {
  return task !== undefined && !task.done && task.returning !== "live" && task.returning !== "parked";
}

export function isForLease({ wants }: Waiting): boolean {
  return wants === "lease";
}

/** For a place itself, not for what comes before it. */
export function isForPlace({ wants, reason }: Waiting): boolean {
  return wants === "place" && (/\bplaces? on /.test(reason) || reason === "the box is paused");
}
