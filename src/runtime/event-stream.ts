// Streams of events for watchers: replayed from the store after a cursor, then live, with deltas between.
// E1. A watcher sees a contiguous run of events in cursor order; what the store no longer has is told as a gap.
//     The gap is looked for after the read, since the store may let go of events between the two.
// E2. A slow watcher costs a bounded number of deltas and nothing else: events are read from the store when it asks.
// E3. A delta stands among the events of its task where it was written: after those that the store had then, before
//     those that came later. The store's word of new events is only a hint, so the number of the last one is asked.

import { carriesDeltas, type EventFrame, type StoredEvent } from "../core/event.ts";
import type { EventsQuery } from "../core/api.ts";
import type { Store } from "../store/store.ts";
import type { TaskSpec } from "../core/task.ts";

/** Deltas that wait for one watcher; older ones are dropped, since the transcript has the whole text. */
const DELTA_BOUND = 512;
const PAGE = 500;

/** What a model has just written. */
export interface Delta {
  readonly channel: "text" | "thinking";
  readonly text: string;
  /** Number of the task's last event that is in the store. */
  readonly seq: number;
}

interface Waiting {
  readonly frame: EventFrame & { readonly kind: "delta" };
  readonly seq: number;
}

interface Watcher {
  wake(): void;
  close(): void;
  delta(spec: TaskSpec, waiting: Waiting): void;
}

/** Whether the reader may know of a task. */
export type Sight = (taskId: string) => boolean | Promise<boolean>;

const EVERYTHING: Sight = () => true;

export class EventStreams {
  readonly #store: Store;
  readonly #watchers = new Set<Watcher>();
  #unsubscribe: (() => void) | null = null;
  #closed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  showDelta(spec: TaskSpec, { channel, text, seq }: Delta): void {
    if (this.#watchers.size === 0) return;
    const waiting = { frame: { kind: "delta" as const, taskId: spec.id, channel, text }, seq };
    for (const watcher of this.#watchers) watcher.delta(spec, waiting);
  }

  /**
   * Frames for one watcher, until its signal aborts, it stops reading or the runtime closes.
   * `sees` says of which tasks the caller may know.
   */
  async *watch(query: EventsQuery, sees: Sight = EVERYTHING): AsyncGenerator<EventFrame> {
    if (this.#closed) return;
    const bell = new Bell(query.signal);
    const deltas = new DeltaQueue();
    const watcher: Watcher = {
      wake: () => bell.ring(),
      close: () => bell.close(),
      delta: (spec, waiting) => {
        if (
          !carriesDeltas(query.deltas, spec.id) ||
          (query.taskId ?? spec.id) !== spec.id ||
          (query.rootId ?? spec.rootId) !== spec.rootId
        )
          return;
        deltas.push(waiting);
        bell.ring();
      },
    };
    this.#watchers.add(watcher);
    // Only while somebody watches: every commit would otherwise wake nobody.
    this.#unsubscribe ??= this.#store.onWrite(() => {
      for (const each of this.#watchers) each.wake();
    });
    try {
      let cursor = query.after ?? (await this.#store.bounds()).newest;
      while (!bell.closed) {
        bell.quiet();
        deltas.mark();
        const { newest } = await this.#store.bounds();
        const events = await this.#store.events({
          after: cursor,
          limit: PAGE,
          ...(query.taskId !== undefined && { taskId: query.taskId }),
          ...(query.rootId !== undefined && { rootId: query.rootId }),
        });
        const gap = await this.#gapAfter(cursor);
        if (gap) {
          cursor = gap.before - 1;
          yield { kind: "gap", after: gap.after, before: gap.before };
        }
        for (const event of events) {
          if (event.cursor <= cursor) continue;
          cursor = event.cursor;
          if (!(await sees(event.taskId))) continue;
          for (const frame of deltas.before(event)) yield frame;
          yield { kind: "event", event };
        }
        if (events.length === PAGE) continue;
        // Others' events count as read, or a watcher of a quiet task would be told of gaps that it has not.
        cursor = Math.max(cursor, newest);
        for (const frame of deltas.marked()) if (await sees(frame.taskId)) yield frame;
        await bell.wait();
      }
    } finally {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#unwatch();
      bell.close();
    }
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers.clear();
  }

  #unwatch(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  async #gapAfter(cursor: number): Promise<{ readonly after: number; readonly before: number } | null> {
    const { oldest } = await this.#store.bounds();
    return oldest > cursor + 1 ? { after: cursor, before: oldest } : null;
  }
}

/** The deltas that wait for one watcher, in the order in which they were written. */
class DeltaQueue {
  #waiting: Waiting[] = [];
  /** How many were there before the last read of events: all events that go before them have been read. */
  #marked = 0;

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length <= DELTA_BOUND) return;
    this.#waiting.shift();
    this.#marked = Math.max(0, this.#marked - 1);
  }

  mark(): void {
    this.#marked = this.#waiting.length;
  }

  /** Takes those of the event's task that were written before it. */
  before({ taskId, seq }: StoredEvent): readonly Waiting["frame"][] {
    const isBefore = (each: Waiting): boolean => each.frame.taskId === taskId && each.seq < seq;
    if (!this.#waiting.some(isBefore)) return [];
    const taken = this.#waiting.filter(isBefore);
    const marked = this.#waiting.slice(0, this.#marked).filter((each) => !isBefore(each));
    this.#waiting = this.#waiting.filter((each) => !isBefore(each));
    this.#marked = marked.length;
    return taken.map(({ frame }) => frame);
  }

  /** Takes what was there before the last read. */
  marked(): readonly Waiting["frame"][] {
    const taken = this.#waiting.splice(0, this.#marked);
    this.#marked = 0;
    return taken.map(({ frame }) => frame);
  }
}

/** Wakes one waiter; rung while nobody waits, it does not let the next one sleep. */
class Bell {
  #rung = false;
  #resolve: (() => void) | null = null;
  #closed = false;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.close();

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    if (signal?.aborted) this.#closed = true;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get closed(): boolean {
    return this.#closed;
  }

  ring(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  quiet(): void {
    this.#rung = false;
  }

  wait(): Promise<void> {
    if (this.#rung || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  close(): void {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve?.();
  }
}
