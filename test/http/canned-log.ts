// The events of the canned API: a bounded log that many readers follow at their own pace.
// E1. Only the newest `keep` events are held; a reader that falls behind them gets a gap.

import type { EventData, EventFrame, EventType, StoredEvent } from "../../src/core/event.ts";
import { carriesDeltas, EVENT_VERSION } from "../../src/core/event.ts";
import type { EventsQuery, HistoryQuery, Page } from "../../src/core/api.ts";
import { withSignal } from "../../src/base/abort.ts";

export type EventPlace = Omit<
  StoredEvent,
  "storeId" | "cursor" | "seq" | "type" | "version" | "traceparent" | "data"
>;

type Delta = Extract<EventFrame, { kind: "delta" }>;

export class CannedLog {
  readonly #keep: number;
  readonly #events: StoredEvent[] = [];
  readonly #sequences = new Map<string, number>();
  readonly #deltaReaders = new Set<(delta: Delta) => void>();
  #cursor = 0;
  #wake = Promise.withResolvers<void>();
  #ended = false;
  /** Readers that have begun and not ended. */
  readers = 0;

  constructor(keep: number) {
    this.#keep = keep;
  }

  get newest(): number {
    return this.#cursor;
  }

  append<T extends EventType>(place: EventPlace, type: T, data: EventData[T]): void {
    const seq = (this.#sequences.get(place.taskId) ?? 0) + 1;
    this.#sequences.set(place.taskId, seq);
    this.#cursor += 1;
    this.#events.push({
      ...place,
      storeId: "canned",
      cursor: this.#cursor,
      seq,
      type,
      version: EVENT_VERSION,
      traceparent: null,
      data,
    });
    if (this.#events.length > this.#keep) this.#events.shift();
    this.#rouse();
  }

  lastSeq(taskId: string): number {
    return this.#sequences.get(taskId) ?? 0;
  }

  delta(delta: Delta): void {
    for (const reader of this.#deltaReaders) reader(delta);
  }

  end(): void {
    this.#ended = true;
    this.#rouse();
  }

  /** Begins where it was asked to at the moment of the call, not of the first read. */
  read(query: EventsQuery): AsyncIterable<EventFrame> {
    return this.#follow(query, query.after ?? this.#cursor);
  }

  async *#follow(query: EventsQuery, from: number): AsyncGenerator<EventFrame> {
    const deltas: Delta[] = [];
    const onDelta = (delta: Delta): void => {
      if (!carriesDeltas(query.deltas, delta.taskId)) return;
      deltas.push(delta);
      if (deltas.length > 64) deltas.shift();
      this.#rouse();
    };
    if (query.deltas) this.#deltaReaders.add(onDelta);
    this.readers += 1;
    let position = from;
    try {
      while (!query.signal?.aborted) {
        const oldest = this.#events[0]?.cursor ?? this.#cursor + 1;
        if (position + 1 < oldest) {
          yield { kind: "gap", after: position, before: oldest };
          position = oldest - 1;
          continue;
        }
        const event = this.#events[position + 1 - oldest];
        if (event) {
          position = event.cursor;
          if (matches(event, query)) yield { kind: "event", event };
          continue;
        }
        const delta = deltas.shift();
        if (delta) yield delta;
        else if (this.#ended) return;
        else await this.#changed(query.signal);
      }
    } finally {
      this.readers -= 1;
      this.#deltaReaders.delete(onDelta);
    }
  }

  page({ after = 0, limit = 500, ...query }: HistoryQuery): Page<StoredEvent> {
    const wanted = this.#events.filter((event) => event.cursor > after && matches(event, query));
    const items = wanted.slice(0, limit);
    return { items, nextCursor: items.length < wanted.length ? String(items.at(-1)?.cursor) : null };
  }

  #changed(signal: AbortSignal | undefined): Promise<void> {
    const { promise } = this.#wake;
    return signal ? withSignal(promise, signal).catch(() => {}) : promise;
  }

  #rouse(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

function matches(event: StoredEvent, query: EventsQuery): boolean {
  if (query.taskId !== undefined && event.taskId !== query.taskId) return false;
  return query.rootId === undefined || event.rootId === query.rootId;
}
