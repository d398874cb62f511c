// Retention in memory (D8): which trees have ended, who reads the event log and how far, and what may go.
// prune.ts decides; trees that live are never looked at.
//
// P1. A tree lies among the ended ones at most once, by its last end, from then on until it goes or a task joins it.

import { MinHeap } from "./memory-fifo.ts";
import type { Meter } from "./memory-bytes.ts";
import type { EventLog } from "./memory-events.ts";
import type { TaskIndex, Tree } from "./memory-index.ts";
import type { MemoryTask } from "./memory-task.ts";
import { checkPrune, standingOf, treeTaskOf } from "./prune.ts";
import type { TreeStanding } from "./prune.ts";
import type { PruneQuery, PruneReceipt } from "./store.ts";

/** The rows that pruning removes from. */
export interface Rows {
  readonly tasks: TaskIndex;
  readonly log: EventLog;
  readonly meter: Meter;
}

interface EndedTree {
  readonly tree: Tree;
  readonly lastEnd: number;
}

/** Contract: only `prune` throws; it costs what the trees cost that it looks at, and a logarithm. */
export class Pruner {
  readonly #rows: Rows;
  readonly #ended = new MinHeap<EndedTree>((ended) => ended.lastEnd);
  /** The one entry that stands for a tree; others are left over (P1). */
  readonly #entries = new Map<Tree, EndedTree>();
  readonly #readers = new Map<string, number>();

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** How far a reader has come, 0 for one that is not known. */
  cursorOf(reader: string): number {
    return this.#readers.get(reader) ?? 0;
  }

  /** Everybody who reads the whole log. */
  readers(): readonly string[] {
    return [...this.#readers.keys()].toSorted();
  }

  /** Moves a reader on, never back; `null` forgets it. */
  moveReader(reader: string, cursor: number | null): void {
    if (cursor === null) this.#readers.delete(reader);
    else this.#readers.set(reader, Math.max(cursor, this.cursorOf(reader)));
  }

  /** A task has ended: when it was the last of its tree, that one waits to be pruned. */
  noteEnd(task: MemoryTask): void {
    const tree = this.#rows.tasks.tree(task.record.spec.rootId);
    if (tree === undefined || tree.living > 0) return;
    this.#keep({ tree, lastEnd: tree.lastEnd });
  }

  /** Throws InvalidRequestError `bad_ended_before` or `bad_max_bytes`. */
  prune(query: PruneQuery): PruneReceipt {
    checkPrune(query);
    const { endedBefore, maxBytes = Number.POSITIVE_INFINITY } = query;
    const unread: EndedTree[] = [];
    let tasks = 0;
    for (let next = this.#ended.peek(); next !== undefined; next = this.#ended.peek()) {
      if (next.lastEnd >= endedBefore && this.#bytes <= maxBytes) break;
      this.#ended.pop();
      // Keeps P1.
      if (this.#entries.get(next.tree) !== next) continue;
      this.#entries.delete(next.tree);
      const standing = this.#standing(next.tree);
      if (standing === "unread") unread.push(next);
      if (standing !== "free") continue;
      this.#remove(next.tree);
      tasks += next.tree.tasks.length;
    }
    for (const ended of unread) this.#keep(ended);
    return { tasks, unread: unread.length, bytes: this.#bytes };
  }

  get #bytes(): number {
    return this.#rows.meter.bytes + this.#rows.log.bytes;
  }

  #keep(ended: EndedTree): void {
    this.#ended.push(ended);
    this.#entries.set(ended.tree, ended);
  }

  #standing(tree: Tree): TreeStanding {
    return standingOf({
      tasks: tree.tasks.map((task) => treeTaskOf(task.record, this.#wasTaken(task))),
      lastCursor: this.#rows.log.lastCursor(tree.rootId),
      readers: [...this.#readers.values()],
    });
  }

  #wasTaken({ id, record }: MemoryTask): boolean {
    const parent = this.#rows.tasks.get(record.spec.parentId ?? "");
    return parent?.inbox?.find({ kind: "completion", id })?.state === "delivered";
  }

  #remove(tree: Tree): void {
    this.#rows.tasks.removeTree(tree);
    this.#rows.log.removeTree(tree.rootId);
    for (const task of tree.tasks) task.remove();
  }
}
