// The tasks of a store in memory: by id, by parent, by tree, and how many are in each state.
//
// X1. Every list is in order of submission, so a page's cursor stands still while tasks are added.
// X2. A list of one unfinished state reads the tasks alive, not the history.

import type { Page } from "../core/api.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { State } from "../core/lifecycle.ts";
import type { TaskRecord } from "../core/task.ts";
import { firstWhere } from "./memory-fifo.ts";
import type { MemoryTask } from "./memory-task.ts";
import { decodeCursor, encodeCursor, pageLimit } from "./paging.ts";
import type { StoreListQuery } from "./store.ts";

const NONE: readonly MemoryTask[] = [];

function addTo(lists: Map<string, MemoryTask[]>, key: string, task: MemoryTask): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [task]);
  else list.push(task);
}

function matches(record: TaskRecord, query: StoreListQuery): boolean {
  return (
    (query.state === undefined || record.state === query.state) &&
    (query.kind === undefined || record.spec.kind === query.kind) &&
    (query.rootId === undefined || record.spec.rootId === query.rootId)
  );
}

/** Contract: holds tasks for good; the owner reports each change of state by `moved`, once. Only `page` throws. */
export class TaskIndex {
  readonly #byId = new Map<string, MemoryTask>();
  readonly #all: MemoryTask[] = [];
  /** Those that had not ended when it was last cleaned, in order. */
  #alive: MemoryTask[] = [];
  #endedSinceClean = 0;
  readonly #byParent = new Map<string, MemoryTask[]>();
  readonly #byRoot = new Map<string, MemoryTask[]>();
  readonly #counts = { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 };

  /** The submission number of the next task. */
  get nextOrder(): number {
    return this.#all.length + 1;
  }

  get(taskId: string): MemoryTask | undefined {
    return this.#byId.get(taskId);
  }

  /** Adds a task whose order is `nextOrder` (X1). */
  add(task: MemoryTask): void {
    const { parentId, rootId } = task.record.spec;
    this.#byId.set(task.id, task);
    this.#all.push(task);
    this.#alive.push(task);
    if (parentId !== null) addTo(this.#byParent, parentId, task);
    addTo(this.#byRoot, rootId, task);
    this.#counts[task.record.state] += 1;
  }

  /** Counts a task's move from one state to another. */
  moved(from: State, to: State): void {
    this.#counts[from] -= 1;
    this.#counts[to] += 1;
    if (isTerminal(to)) this.#noteEnd();
  }

  counts(): Readonly<Record<State, number>> {
    return { ...this.#counts };
  }

  /** Throws InvalidRequestError `bad_cursor` or `bad_limit`. */
  page(query: StoreListQuery): Page<TaskRecord> {
    const limit = pageLimit(query.limit);
    const after = decodeCursor(query.cursor);
    const list = this.#listFor(query);
    const items: TaskRecord[] = [];
    let last = after;
    const start = firstWhere(list.length, (at) => (list[at] as MemoryTask).order > after);
    for (let at = start; at < list.length; at += 1) {
      const task = list[at] as MemoryTask;
      if (!matches(task.record, query)) continue;
      if (items.length === limit) return { items, nextCursor: encodeCursor(last) };
      items.push(task.record);
      last = task.order;
    }
    return { items, nextCursor: null };
  }

  #listFor(query: StoreListQuery): readonly MemoryTask[] {
    if (query.parentId !== undefined) return this.#byParent.get(query.parentId) ?? NONE;
    if (query.rootId !== undefined) return this.#byRoot.get(query.rootId) ?? NONE;
    return query.state !== undefined && !isTerminal(query.state) ? this.#alive : this.#all;
  }

  #noteEnd(): void {
    this.#endedSinceClean += 1;
    // Keeps X2: the copy is paid for by as many ends as it drops.
    if (this.#endedSinceClean * 2 < this.#alive.length) return;
    this.#alive = this.#alive.filter((task) => !task.ended);
    this.#endedSinceClean = 0;
  }
}
