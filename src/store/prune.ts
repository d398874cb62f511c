// Whether an ended tree may be removed (D8), decided once for every store from plain data of the tree. It reads no
// rows and removes none; which trees are looked at, and in which order, is for the stores.

import type { TaskKind, TaskRecord } from "../core/task.ts";
import { badQuery } from "./refusals.ts";
import type { PruneQuery } from "./store.ts";

/** What D8 asks of one task of a tree. */
export interface TreeTask {
  /** Whether it is the tree's root. */
  readonly root: boolean;
  readonly kind: TaskKind;
  readonly ended: boolean;
  /** Whether its end has a result that is not `null`. */
  readonly hasResult: boolean;
  readonly readAt: number | null;
  /** Whether its completion lies `delivered` in its parent's inbox. */
  readonly taken: boolean;
}

/** What D8 asks of one tree. */
export interface TreeFacts {
  readonly tasks: readonly TreeTask[];
  /** Cursor of its last event, also when that one is not kept any more; 0 when unknown. */
  readonly lastCursor: number;
  /** Cursors of all readers that are registered. */
  readonly readers: readonly number[];
}

/** `free`: may go. `living`: a task of it has not ended. `unread`: somebody has yet to read it. */
export type TreeStanding = "free" | "living" | "unread";

/** Decides D8. Contract: pure; never throws. */
export function standingOf(tree: TreeFacts): TreeStanding {
  if (tree.tasks.some((task) => !task.ended)) return "living";
  if (tree.tasks.some(isUnread)) return "unread";
  return tree.readers.every((cursor) => cursor >= tree.lastCursor) ? "free" : "unread";
}

function isUnread(task: TreeTask): boolean {
  // A session has told its end to the person who closed it, who has been reading it all along.
  if (task.readAt !== null || task.kind === "session") return false;
  return task.root || (task.hasResult && !task.taken);
}

/** What D8 asks of a task, from its record and whether its parent took its completion. */
export function treeTaskOf(record: TaskRecord, taken: boolean): TreeTask {
  const { spec, end, readAt } = record;
  return {
    root: spec.id === spec.rootId,
    kind: spec.kind,
    ended: end !== null,
    hasResult: end !== null && end.result !== null,
    readAt,
    taken,
  };
}

/** Throws InvalidRequestError `bad_ended_before` or `bad_max_bytes`. */
export function checkPrune({ endedBefore, maxBytes }: PruneQuery): void {
  if (!Number.isFinite(endedBefore)) {
    throw badQuery("ended_before", "wall-clock milliseconds", endedBefore);
  }
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= 0)) {
    throw badQuery("max_bytes", "a whole number from 0", maxBytes);
  }
}
