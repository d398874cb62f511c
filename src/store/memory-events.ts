// The event log in memory: what is kept, by cursor, for the whole store, for each tree and for each task.
//
// L1. Cursors are gapless from 1 and never given twice (D4).
// L2. At most `maxEvents` are kept, and about `maxBytes` of them (the newest one however large); the oldest go first,
//     and `bounds().oldest` says so at once. A tree that is removed takes its events with it, and may leave holes.

import type { NewEvent, StoredEvent } from "../core/event.ts";
import type { TaskRecord } from "../core/task.ts";
import { stampEvent } from "./commit.ts";
import { rowBytes } from "./memory-bytes.ts";
import { Fifo, firstWhere } from "./memory-fifo.ts";
import { RisingList } from "./memory-rising.ts";
import { rowLimit, rowsAfter } from "./paging.ts";
import type { WatchQuery } from "./store.ts";

/** Of all events together, as `rowBytes` counts: twice what the default number of ordinary events takes. */
const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;

type Trail = Fifo<StoredEvent>;

function append(trails: Map<string, Trail>, key: string, event: StoredEvent): void {
  const trail = trails.get(key);
  if (trail === undefined) trails.set(key, new Fifo([event]));
  else trail.push(event);
}

/** The oldest event of the store is the oldest of its task and of its tree too, so each loses its head. */
function dropHead(trails: Map<string, Trail>, key: string): void {
  const trail = trails.get(key);
  trail?.shift();
  if (trail?.length === 0) trails.delete(key);
}

/** Contract: `append` takes what `nextCursor` numbered, in order; only `query` throws. */
export class EventLog {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  /** By cursor. */
  readonly #all = new RisingList<StoredEvent>();
  readonly #byTask = new Map<string, Trail>();
  /** Only trees of more than their root: while a root is alone, its own trail is the tree's. */
  readonly #byRoot = new Map<string, Trail>();
  #newest = 0;
  #bytes = 0;

  constructor(maxEvents: number, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** The cursor that the next event must carry (L1). */
  get nextCursor(): number {
    return this.#newest + 1;
  }

  /** About what all events that are kept take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Numbers events and logs them; they are the newest of the record's sequence. */
  record(
    events: readonly NewEvent[],
    about: { readonly storeId: string; readonly record: TaskRecord; readonly time: number },
  ): readonly StoredEvent[] {
    const { storeId, record, time } = about;
    const first = record.seq - events.length + 1;
    const stamped = events.map((event, at) => {
      const stored = stampEvent(event, record, { storeId, cursor: this.nextCursor, seq: first + at, time });
      this.append(stored);
      return stored;
    });
    return Object.freeze(stamped);
  }

  /** Logs an event, and lets go of the oldest ones when there are too many or too much (L2). */
  append(event: StoredEvent): void {
    const bytes = rowBytes(event.data);
    this.#newest = event.cursor;
    this.#all.push(event.cursor, event);
    this.#bytes += bytes;
    append(this.#byTask, event.taskId, event);
    this.#appendToTree(event);
    while (this.#all.size > this.#maxEvents || (this.#bytes > this.#maxBytes && this.#all.size > 1))
      this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#all.shift();
    if (oldest === null) return;
    // Counted again: a note of it would cost every event an object.
    this.#bytes -= rowBytes(oldest.data);
    dropHead(this.#byTask, oldest.taskId);
    dropHead(this.#byRoot, oldest.rootId);
  }

  /** Cursor of the last event of a tree that is kept, 0 when none is. */
  lastCursor(rootId: string): number {
    const trail = this.#trailOf({ after: 0, rootId });
    return trail === undefined ? 0 : trail.at(trail.length - 1).cursor;
  }

  /** Lets go of all events of a tree (L2). */
  removeTree(rootId: string): void {
    const trail = this.#trailOf({ after: 0, rootId });
    for (const { cursor, taskId } of trail?.items() ?? []) {
      const removed = this.#all.remove(cursor);
      if (removed !== null) this.#bytes -= rowBytes(removed.data);
      this.#byTask.delete(taskId);
    }
    this.#byRoot.delete(rootId);
  }

  /** With nothing kept, `oldest` is the cursor that comes next: nobody has missed anything. */
  bounds(): { readonly oldest: number; readonly newest: number } {
    return { oldest: this.#all.firstKey ?? this.nextCursor, newest: this.#newest };
  }

  /** Throws InvalidRequestError `bad_after` or `bad_limit`. */
  query(query: WatchQuery): readonly StoredEvent[] {
    const after = rowsAfter(query.after);
    const limit = rowLimit(query.limit);
    const { types, rootId, afterSeq = 0 } = query;
    const found: StoredEvent[] = [];
    for (const event of this.#eventsAfter(after, query)) {
      if (types !== undefined && !types.includes(event.type)) continue;
      if (event.seq <= afterSeq) continue;
      if (rootId !== undefined && rootId !== event.rootId) continue;
      found.push(event);
      if (found.length === limit) break;
    }
    return found;
  }

  *#eventsAfter(after: number, query: WatchQuery): Generator<StoredEvent, void> {
    const trail = this.#trailOf(query);
    if (trail === undefined) {
      if (query.taskId !== undefined || query.rootId !== undefined) return;
      yield* this.#all.above(after);
      return;
    }
    const start = firstWhere(trail.length, (at) => trail.at(at).cursor > after);
    for (let at = start; at < trail.length; at += 1) yield trail.at(at);
  }

  #appendToTree(event: StoredEvent): void {
    const { taskId, rootId } = event;
    const trail = this.#byRoot.get(rootId);
    if (trail !== undefined) trail.push(event);
    else if (taskId !== rootId) {
      const ofRoot = this.#byTask.get(rootId);
      this.#byRoot.set(rootId, new Fifo([...(ofRoot?.items() ?? []), event]));
    }
  }

  /** What is kept of one task, else of one tree; `undefined` when that is nothing, and for the whole store. */
  #trailOf({ taskId, rootId }: WatchQuery): Trail | undefined {
    if (taskId !== undefined) return this.#byTask.get(taskId);
    if (rootId === undefined) return undefined;
    return this.#byRoot.get(rootId) ?? this.#byTask.get(rootId);
  }
}
