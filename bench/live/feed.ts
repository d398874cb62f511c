// An API whose events a benchmark makes, so that what is measured is the way to the clients and not a store.

import type { TroupeApi } from "../../src/core/api.ts";
import type { EventFrame, StoredEvent } from "../../src/core/event.ts";

export class Feed {
  #cursor = 0;
  #waiting: EventFrame[] = [];
  #wake = Promise.withResolvers<void>();

  /** The next event, with a note of so many characters. */
  event(chars: number): StoredEvent {
    this.#cursor += 1;
    return {
      storeId: "bench",
      cursor: this.#cursor,
      seq: this.#cursor,
      taskId: `task_${"0".repeat(32)}`,
      parentId: null,
      rootId: `task_${"0".repeat(32)}`,
      sessionId: null,
      run: 1,
      turn: 1,
      state: "running",
      phase: "generating",
      type: "task.progressed",
      version: 1,
      time: performance.timeOrigin + performance.now(),
      traceparent: null,
      data: { percent: null, note: "x".repeat(chars), partial: null },
    };
  }

  emit(events: readonly StoredEvent[]): void {
    for (const event of events) this.#waiting.push({ kind: "event", event });
    this.#wake.resolve();
  }

  /** For one reader: the server has one for all its clients. */
  get api(): TroupeApi {
    const status = async (): Promise<unknown> => ({ storeId: "bench", newestCursor: this.#cursor });
    return { status, events: () => this.#read() } as unknown as TroupeApi;
  }

  async *#read(): AsyncGenerator<EventFrame> {
    for (;;) {
      const frames = this.#waiting;
      this.#waiting = [];
      yield* frames;
      if (this.#waiting.length > 0) continue;
      this.#wake = Promise.withResolvers<void>();
      await this.#wake.promise;
    }
  }
}
