// One client of the event stream on a WebSocket: it says who it is, is brought up to date, and then gets what happens,
// in batches. It reads tasks from nowhere but the API of its caller.
//
// K1. Nothing but a refusal is sent before the client's token is known to be good.
// K2. A client that takes what it gets loses nothing; one that does not loses its deltas first, and is then sent away
//     with 4408. It costs HARD_BYTES at most, and no other client waits for it.
// K3. What is missing is said: a gap where the store has let go of events, or where `after` is of another store.
// K4. `released` is called exactly once, however the socket ends.

import { type Clock, delay, type Timer } from "../base/clock.ts";
import { toTroupeError } from "../base/errors.ts";
import type { ServerSocket, SocketHandler } from "../base/socket.ts";
import type { Caller, TroupeApi } from "../core/api.ts";
import type { EventFrame } from "../core/event.ts";
import type { EventHub, HubMember } from "./event-hub.ts";
import { batchOf, encodeFrame } from "./frame-window.ts";
import { toProblem } from "./problem.ts";
import {
  BATCH_MS,
  CLOSE,
  HARD_BYTES,
  HELLO_MS,
  helloMessage,
  laterMessage,
  MAX_MESSAGES_PER_S,
  readMessage,
  SILENCE_MS,
  SOFT_BYTES,
} from "./socket-words.ts";

/** Frames of one message while a client is brought up to date. */
const CATCH_UP_FRAMES = 500;
const CATCH_UP_CHARS = 262_144;
/** How long a client may take to close; then the connection is cut, with what still waits for it. */
const GOODBYE_MS = 5_000;
/** A client that is being brought up to date and takes nothing for so long is sent away. */
const STALL_MS = 60_000;

export interface EventSocketOptions {
  readonly clock: Clock;
  readonly callerOf: (token: string) => Promise<Caller | null>;
  readonly api: (caller: Caller) => TroupeApi;
  readonly hubOf: (caller: Caller) => EventHub;
  readonly newRequestId: () => string;
  /** The client has said who it is. */
  readonly greeted: () => void;
  readonly released: () => void;
}

export class EventSocket implements SocketHandler, HubMember {
  readonly #options: EventSocketOptions;
  readonly #stop = new AbortController();
  #socket: ServerSocket | null = null;
  #timer: Timer | null = null;
  #goodbye: Timer | null = null;
  #hub: EventHub | null = null;
  #state: "silent" | "greeting" | "greeted" | "closed" = "silent";
  #heard = { since: 0, messages: 0 };
  wanted: ReadonlySet<string> = new Set();

  constructor(options: EventSocketOptions) {
    this.#options = options;
  }

  opened(socket: ServerSocket): void {
    this.#socket = socket;
    this.#timer = this.#options.clock.after(HELLO_MS, () => this.#close(CLOSE.noHello, "no hello in time"));
  }

  received(text: string): void {
    if (this.#state === "closed") return;
    if (this.#isFlood()) return this.#close(CLOSE.tooMany, `over ${MAX_MESSAGES_PER_S} messages a second`);
    if (this.#state === "silent") {
      this.#state = "greeting";
      void this.#greet(text);
      return;
    }
    const message = readMessage(laterMessage, text);
    if (message === null) return this.#close(CLOSE.badMessage, "expected watch or ping");
    if (message.type === "watch") this.wanted = new Set(message.deltas);
    else if (this.#state === "greeted") this.#send('[{"kind":"pong"}]');
  }

  closed(): void {
    this.#goodbye?.cancel();
    this.#end();
  }

  takesDeltas(): boolean {
    return (this.#socket?.bufferedBytes() ?? 0) <= SOFT_BYTES;
  }

  deliver(batch: string): void {
    const waiting = this.#socket?.bufferedBytes() ?? 0;
    if (waiting > HARD_BYTES) this.#close(CLOSE.tooSlow, "too slow: resume with after");
    else this.#send(batch);
  }

  over(error: unknown): void {
    if (error === null) return this.#close(CLOSE.goingAway, "no more events");
    this.#fail(error);
  }

  /** A rate over whole seconds is enough to end a flood. */
  #isFlood(): boolean {
    const now = this.#options.clock.monotonic();
    if (now - this.#heard.since >= 1_000) this.#heard = { since: now, messages: 0 };
    this.#heard.messages += 1;
    return this.#heard.messages > MAX_MESSAGES_PER_S;
  }

  async #greet(text: string): Promise<void> {
    const { callerOf, hubOf, greeted } = this.#options;
    const hello = readMessage(helloMessage, text);
    const caller = hello && (await callerOf(hello.token));
    if (this.#isClosed()) return;
    if (!hello || !caller) return this.#close(CLOSE.noHello, "expected a hello with this server's token");
    if (!caller.scopes.includes("read")) return this.#close(CLOSE.forbidden, 'expected the scope "read"');
    this.#timer?.cancel();
    greeted();
    const hub = hubOf(caller);
    this.#hub = hub;
    try {
      await hub.use();
      if (this.#isClosed()) return;
      this.#state = "greeted";
      this.#send(JSON.stringify({ type: "welcome", store_id: hub.storeId, cursor: hub.cursor }));
      if (hello.after === undefined) hub.join(this, hub.cursor);
      else await this.#catchUp(caller, hello.after, hub);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads alone until it has all that the others have, and then with them. */
  async #catchUp(caller: Caller, after: number, hub: EventHub): Promise<void> {
    const { clock, api } = this.#options;
    if (after >= hub.cursor) return this.#joinAt(after, caller, hub);
    const waiting = new Waiting(after);
    let late: Timer | null = null;
    try {
      for await (const frame of api(caller).events({ after, signal: this.#stop.signal })) {
        if (this.#isClosed()) return;
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
      this.over(null);
    } finally {
      (late as Timer | null)?.cancel();
    }
  }

  /** The hub may be a moment behind the store; a cursor beyond both is of another store (keeps K3). */
  async #joinAt(after: number, caller: Caller, hub: EventHub): Promise<void> {
    const { newestCursor } = await this.#options.api(caller).status();
    if (this.#isClosed()) return;
    if (after <= Math.max(newestCursor, hub.cursor)) return hub.join(this, after);
    this.#send(batchOf([encodeFrame({ kind: "gap", after: 0, before: null })]));
    hub.join(this, hub.cursor);
  }

  #sendAll(waiting: Waiting): void {
    const batch = waiting.take();
    if (batch !== null) this.#send(batch);
  }

  /** Until the client has taken most of what it was sent, and a batch's time has passed. */
  async #room(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    const since = clock.monotonic();
    do {
      await delay(clock, BATCH_MS, signal);
      if (clock.monotonic() - since > STALL_MS) this.#close(CLOSE.tooSlow, "too slow: resume with after");
    } while ((this.#socket?.bufferedBytes() ?? 0) > SOFT_BYTES);
  }

  #send(text: string): void {
    if (this.#isClosed()) return;
    this.#socket?.send(text);
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(SILENCE_MS, () => this.#send("[]"));
  }

  #fail(error: unknown): void {
    if (this.#isClosed()) return;
    const problem = toProblem(toTroupeError(error), this.#options.newRequestId());
    this.#send(JSON.stringify([{ kind: "error", problem }]));
    this.#close(CLOSE.failed, problem.code);
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed()) return;
    const socket = this.#socket;
    socket?.close(code, reason);
    this.#end();
    this.#goodbye = this.#options.clock.after(GOODBYE_MS, () => socket?.drop());
  }

  #end(): void {
    if (this.#isClosed()) return;
    this.#state = "closed";
    this.#timer?.cancel();
    this.#stop.abort();
    this.#hub?.leave(this);
    this.#hub?.release();
    this.#options.released();
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
