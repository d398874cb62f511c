// The tasks of a store in memory: by id, by parent, by tree, and how many are in each state.
//
// X1. Every list is in order of submission, so a page's cursor stands still while tasks are added and removed.
// X2. A list of one unfinished state reads the tasks alive, not the history.

import type { Page } from "../core/api.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { State } from "../core/lifecycle.ts";
import type { TaskRecord } from "../core/task.ts";
import { firstWhere } from "./memory-fifo.ts";
import { RisingList } from "./memory-rising.ts";
import type { MemoryTask } from "./memory-task.ts";
import { decodeCursor, encodeCursor, pageLimit } from "./paging.ts";
import type { StoreListQuery } from "./store.ts";

/** All tasks of one root that the store has. */
export interface Tree {
  readonly rootId: string;
  /** In order of submission. */
  readonly tasks: MemoryTask[];
  /** How many have not ended. */
  living: number;
  /** Wall-clock milliseconds of the latest end, 0 before the first. */
  lastEnd: number;
}

function* above(tasks: readonly MemoryTask[], order: number): Generator<MemoryTask, void> {
  const start = firstWhere(tasks.length, (at) => (tasks[at] as MemoryTask).order > order);
  for (let at = start; at < tasks.length; at += 1) yield tasks[at] as MemoryTask;
}

function matches(record: TaskRecord, query: StoreListQuery): boolean {
  return (
    (query.unreleased !== true || (record.end !== null && record.releasedAt === null)) &&
    (query.state === undefined || record.state === query.state) &&
    (query.kind === undefined || record.spec.kind === query.kind) &&
    (query.rootId === undefined || record.spec.rootId === query.rootId)
  );
}

/** Contract: its owner reports each change of state by `moved`, once. Only `page` throws. */
export class TaskIndex {
  readonly #byId = new Map<string, MemoryTask>();
  /** By submission number. */
  readonly #all = new RisingList<MemoryTask>();
  /** Those that have not ended. */
  readonly #alive = new RisingList<MemoryTask>();
  readonly #byParent = new Map<string, MemoryTask[]>();
  readonly #byRoot = new Map<string, Tree>();
  readonly #counts = { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 };
  #newest = 0;

  /** The submission number of the next task. */
  get nextOrder(): number {
    return this.#newest + 1;
  }

  get(taskId: string): MemoryTask | undefined {
    return this.#byId.get(taskId);
  }

  /** A task and all below it, parents first; for a root its whole tree. */
  subtree(taskId: string): readonly MemoryTask[] {
    const task = this.get(taskId);
    if (task === undefined || task.record.spec.rootId === taskId) return this.tree(taskId)?.tasks ?? [];
    const found = [task];
    // What is found is looked below of in its turn.
    for (const { record } of found) found.push(...(this.#byParent.get(record.spec.id) ?? []));
    return found;
  }

  tree(rootId: string): Tree | undefined {
    return this.#byRoot.get(rootId);
  }

  /** Adds a task whose order is `nextOrder` (X1). */
  add(task: MemoryTask): void {
    const { parentId, rootId } = task.record.spec;
    this.#newest = task.order;
    this.#byId.set(task.id, task);
    this.#all.push(task.order, task);
    this.#alive.push(task.order, task);
    this.#counts[task.record.state] += 1;
    const siblings = parentId === null ? undefined : this.#byParent.get(parentId);
    if (siblings !== undefined) siblings.push(task);
    else if (parentId !== null) this.#byParent.set(parentId, [task]);
    const tree = this.#byRoot.get(rootId);
    if (tree === undefined) this.#byRoot.set(rootId, { rootId, tasks: [task], living: 1, lastEnd: 0 });
    else {
      tree.tasks.push(task);
      tree.living += 1;
    }
  }

  /** Notes a task's move from one state to the one that its record has. */
  moved(task: MemoryTask, from: State): void {
    const { state, spec, finishedAt } = task.record;
    this.#counts[from] -= 1;
    this.#counts[state] += 1;
    if (!isTerminal(state)) return;
    this.#alive.remove(task.order);
    const tree = this.#byRoot.get(spec.rootId);
    if (tree === undefined) return;
    tree.living -= 1;
    tree.lastEnd = Math.max(tree.lastEnd, finishedAt ?? 0);
  }

  /** Forgets the tasks of a tree, all of which have ended. */
  removeTree(tree: Tree): void {
    this.#byRoot.delete(tree.rootId);
    for (const { id, order, record } of tree.tasks) {
      this.#byId.delete(id);
      this.#all.remove(order);
      this.#counts[record.state] -= 1;
      // All children of a parent are of one tree.
      if (record.spec.parentId !== null) this.#byParent.delete(record.spec.parentId);
    }
  }

  counts(): Readonly<Record<State, number>> {
    return { ...this.#counts };
  }

  /** Throws InvalidRequestError `bad_cursor` or `bad_limit`. */
  page(query: StoreListQuery): Page<TaskRecord> {
    const limit = pageLimit(query.limit);
    let last = decodeCursor(query.cursor);
    const items: TaskRecord[] = [];
    for (const task of this.#tasksAbove(last, query)) {
      if (!matches(task.record, query)) continue;
      if (items.length === limit) return { items, nextCursor: encodeCursor(last) };
      items.push(task.record);
      last = task.order;
    }
    return { items, nextCursor: null };
  }

  #tasksAbove(order: number, query: StoreListQuery): Iterable<MemoryTask> {
    if (query.parentId !== undefined) return above(this.#byParent.get(query.parentId) ?? [], order);
    if (query.rootId !== undefined) return above(this.#byRoot.get(query.rootId)?.tasks ?? [], order);
    const list = query.state !== undefined && !isTerminal(query.state) ? this.#alive : this.#all;
    return list.above(order);
  }
}
