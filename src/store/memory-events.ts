// The event log in memory: what is kept, by cursor, for the whole store, for each tree and for each task.
//
// L1. Cursors are gapless from 1 and never given twice (D4).
// L2. At most `maxEvents` are kept, and about `maxBytes` of them (the newest one however large); the oldest go first,
//     and `bounds().oldest` says so at once.

import type { StoredEvent } from "../core/event.ts";
import { Fifo, firstWhere } from "./memory-fifo.ts";
import { rowLimit, rowsAfter } from "./paging.ts";
import type { WatchQuery } from "./store.ts";

/** Of all events together, as `bytesOf` counts: twice what the default number of ordinary events takes. */
const DEFAULT_MAX_BYTES = 128 * 1024 * 1024;
/** Of one event beside its data, and of one value in it. */
const EVENT_BYTES = 256;
const VALUE_BYTES = 16;

/** About what an event with this data takes in memory: two bytes for each character, which is the most it can be. */
function bytesOf(data: unknown): number {
  let bytes = EVENT_BYTES;
  const open = [data];
  while (open.length > 0) {
    const value = open.pop();
    bytes += VALUE_BYTES;
    if (typeof value === "string") bytes += 2 * value.length;
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        bytes += key.length;
        open.push(item);
      }
    }
  }
  return bytes;
}

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
  readonly #all: Trail = new Fifo();
  readonly #byTask = new Map<string, Trail>();
  /** Only trees of more than their root: while a root is alone, its own trail is the tree's. */
  readonly #byRoot = new Map<string, Trail>();
  #newest = 0;
  /** What each event takes, in the order of `all`, and their sum. */
  readonly #sizes = new Fifo<number>();
  #bytes = 0;

  constructor(maxEvents: number, maxBytes: number = DEFAULT_MAX_BYTES) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** The cursor that the next event must carry (L1). */
  get nextCursor(): number {
    return this.#newest + 1;
  }

  /** Logs an event, and lets go of the oldest ones when there are too many or too much (L2). */
  append(event: StoredEvent): void {
    this.#newest = event.cursor;
    this.#all.push(event);
    append(this.#byTask, event.taskId, event);
    this.#appendToTree(event);
    const size = bytesOf(event.data);
    this.#sizes.push(size);
    this.#bytes += size;
    while (this.#all.length > this.#maxEvents || (this.#bytes > this.#maxBytes && this.#all.length > 1))
      this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#all.shift();
    this.#bytes -= this.#sizes.shift();
    dropHead(this.#byTask, oldest.taskId);
    dropHead(this.#byRoot, oldest.rootId);
  }

  /** With nothing kept, `oldest` is the cursor that comes next: nobody has missed anything. */
  bounds(): { readonly oldest: number; readonly newest: number } {
    return { oldest: this.#newest - this.#all.length + 1, newest: this.#newest };
  }

  /** Throws InvalidRequestError `bad_after` or `bad_limit`. */
  query(query: WatchQuery): readonly StoredEvent[] {
    const after = rowsAfter(query.after);
    const limit = rowLimit(query.limit);
    const trail = this.#trailOf(query);
    const found: StoredEvent[] = [];
    if (trail === undefined) return found;
    const start = firstWhere(trail.length, (at) => trail.at(at).cursor > after);
    for (let at = start; at < trail.length && found.length < limit; at += 1) {
      const event = trail.at(at);
      if (query.types !== undefined && !query.types.includes(event.type)) continue;
      if (query.afterSeq !== undefined && event.seq <= query.afterSeq) continue;
      if (query.rootId !== undefined && query.rootId !== event.rootId) continue;
      found.push(event);
    }
    return found;
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

  #trailOf(query: WatchQuery): Trail | undefined {
    if (query.taskId !== undefined) return this.#byTask.get(query.taskId);
    if (query.rootId === undefined) return this.#all;
    return this.#byRoot.get(query.rootId) ?? this.#byTask.get(query.rootId);
  }
}
