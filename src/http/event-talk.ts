// The event stream for one client on a WebSocket: it is brought up to date, and then gets what happens, in batches. It
// reads tasks from nowhere but the API of its caller.
//
// K2. A client that takes what it gets loses nothing; one that does not loses its deltas first, and is then sent away
//     with 4408. It costs HARD_BYTES at most, and no other client waits for it.
// K3. What is missing is said: a gap where the store has let go of events, or where `after` is of another store.

import { type Clock, delay, type Timer } from "../base/clock.ts";
import type { TroupeApi } from "../core/api.ts";
import type { EventFrame } from "../core/event.ts";
import type { EventHub, HubMember } from "./event-hub.ts";
import { batchOf, encodeFrame } from "./frame-window.ts";
import type { Line, Talk } from "./socket-session.ts";
import { BATCH_MS, CLOSE, HARD_BYTES, type LaterMessage, SOFT_BYTES } from "./socket-words.ts";

/** Frames of one message while a client is brought up to date. */
const CATCH_UP_FRAMES = 500;
const CATCH_UP_CHARS = 262_144;
/** A client that is being brought up to date and takes nothing for so long is sent away. */
const STALL_MS = 60_000;

export interface EventTalkOptions {
  readonly line: Line;
  readonly api: TroupeApi;
  readonly hub: EventHub;
  readonly clock: Clock;
  /** Resumes after this cursor; absent begins with what happens now. */
  readonly after?: number;
}

export class EventTalk implements Talk, HubMember {
  readonly #options: EventTalkOptions;
  wanted: ReadonlySet<string> = new Set();

  constructor(options: EventTalkOptions) {
    this.#options = options;
    void this.#begin();
  }

  heard(message: LaterMessage): boolean {
    if (message.type !== "watch") return false;
    this.wanted = new Set(message.deltas);
    return true;
  }

  takesDeltas(): boolean {
    return this.#options.line.waiting() <= SOFT_BYTES;
  }

  deliver(batch: string): void {
    const { line } = this.#options;
    if (line.waiting() > HARD_BYTES) line.close(CLOSE.tooSlow, "too slow: resume with after");
    else line.send(batch);
  }

  ended(error: unknown): void {
    const { line } = this.#options;
    if (error === null) line.close(CLOSE.goingAway, "no more events");
    else line.fail(error);
  }

  over(): void {
    this.#options.hub.leave(this);
    this.#options.hub.release();
  }

  async #begin(): Promise<void> {
    const { line, hub, after } = this.#options;
    try {
      await hub.use();
      if (line.signal.aborted) return;
      line.send(JSON.stringify({ type: "welcome", store_id: hub.storeId, cursor: hub.cursor }));
      if (after === undefined) hub.join(this, hub.cursor);
      else if (after >= hub.cursor) await this.#joinAt(after);
      else await this.#catchUp(after);
    } catch (error) {
      line.fail(error);
    }
  }

  /** Reads alone until it has all that the others have, and then with them. */
  async #catchUp(after: number): Promise<void> {
    const { line, clock, api, hub } = this.#options;
    const waiting = new Waiting(after);
    let late: Timer | null = null;
    try {
      for await (const frame of api.events({ after, signal: line.signal })) {
        if (line.signal.aborted) return;
        waiting.add(frame);
        // In the same breath: what the hub reads from here on is for this client too.
        if (waiting.cursor >= hub.cursor) {
          this.#sendAll(waiting);
          return hub.join(this, waiting.cursor);
        }
        // Nothing more may come for a while: the hub may count events that this caller does not see.
        late ??= clock.after(BATCH_MS, () => {
          late = null;
          this.#sendAll(waiting);
        });
        if (waiting.isFull) await this.#room();
      }
      this.ended(null);
    } finally {
      (late as Timer | null)?.cancel();
    }
  }

  /** The hub may be a moment behind the store; a cursor beyond both is of another store (keeps K3). */
  async #joinAt(after: number): Promise<void> {
    const { line, api, hub } = this.#options;
    const { newestCursor } = await api.status();
    if (line.signal.aborted) return;
    if (after <= Math.max(newestCursor, hub.cursor)) return hub.join(this, after);
    line.send(batchOf([encodeFrame({ kind: "gap", after: 0, before: null })]));
    hub.join(this, hub.cursor);
  }

  #sendAll(waiting: Waiting): void {
    const batch = waiting.take();
    if (batch !== null) this.#options.line.send(batch);
  }

  /** Until the client has taken most of what it was sent, and a batch's time has passed. */
  async #room(): Promise<void> {
    const { line, clock } = this.#options;
    const since = clock.monotonic();
    do {
      await delay(clock, BATCH_MS, line.signal);
      if (clock.monotonic() - since > STALL_MS) line.close(CLOSE.tooSlow, "too slow: resume with after");
    } while (line.waiting() > SOFT_BYTES);
  }
}

/** What a client has still to be sent before it is up to date. */
class Waiting {
  #frames: string[] = [];
  #chars = 0;
  cursor: number;

  constructor(after: number) {
    this.cursor = after;
  }

  get isFull(): boolean {
    return this.#frames.length >= CATCH_UP_FRAMES || this.#chars >= CATCH_UP_CHARS;
  }

  add(frame: EventFrame): void {
    if (frame.kind === "event") this.cursor = frame.event.cursor;
    else if (frame.kind === "gap" && frame.before !== null) this.cursor = frame.before - 1;
    const text = encodeFrame(frame);
    this.#frames.push(text);
    this.#chars += text.length;
  }

  take(): string | null {
    const frames = this.#frames;
    this.#frames = [];
    this.#chars = 0;
    return frames.length === 0 ? null : batchOf(frames);
  }
}
