// The socket of the page: says who it is, takes frames, and comes back by itself. It keeps no frame; what they mean is for
// who takes them.
//
// L1. `live` is said only while the server answers: a silence that a ping does not end is `stale`, and then broken off.
// L2. After a break it asks for what came after the last event it handed on; a server with another store is said to be new.
// L3. It tries again ever more slowly, up to LONGEST_BACKOFF_MS, until it is stopped or the token is refused.

/**
 * @typedef {"connecting" | "live" | "stale" | "reconnecting" | "closed"} LiveState `closed` is for good: nobody tries again.
 */

/** @typedef {import("../src/core/wire.ts").Wire<import("../src/core/event.ts").StoredEvent>} StoredEvent */

/**
 * @typedef {{ readonly kind: "event", readonly event: StoredEvent }
 *   | { readonly kind: "delta", readonly task_id: string, readonly channel: "text" | "thinking", readonly text: string }
 *   | { readonly kind: "gap", readonly after: number, readonly before: number | null }
 *   | { readonly kind: "error", readonly problem: { readonly detail?: string } }
 *   | { readonly kind: "pong" }} Frame
 */

/**
 * @typedef {object} Socket What is used of a WebSocket.
 * @property {(text: string) => void} send
 * @property {(code?: number) => void} close
 * @property {(event: "open" | "message" | "close" | "error", act: (event: any) => void) => void} addEventListener
 */

/**
 * @typedef {object} LiveOptions
 * @property {() => Socket} open
 * @property {(ms: number, act: () => void) => () => void} after
 * @property {() => string | null} token
 * @property {(frames: readonly Frame[]) => void} onFrames
 * @property {(state: LiveState, retryMs: number | null) => void} onState
 * @property {(isNewStore: boolean) => void} onWelcome Before the first frame of each connection.
 * @property {(why: string) => void} onRefused
 */

const PING_MS = 5_000;
/** A server that does not answer a ping for so long is not live. */
const STALE_MS = 4_000;
/** And for so long, is given up. */
const SILENT_MS = 12_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;
const UNAUTHORIZED = 4401;
/** Tasks whose writing the server sends to one page. */
const MOST_WATCHED = 64;

export class Live {
  #options;
  /** @type {Socket | null} */
  #socket = null;
  /** @type {(() => void)[]} */
  #timers = [];
  #failures = 0;
  /** @type {number | null} */
  #cursor = null;
  /** @type {string | null} */
  #storeId = null;
  /** @type {readonly string[]} */
  #watched = [];
  #welcomed = false;
  #stopped = true;

  /** @param {LiveOptions} options */
  constructor(options) {
    this.#options = options;
  }

  start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#options.onState("connecting", null);
    this.#connect();
  }

  /** For good: nothing is said any more. */
  stop() {
    this.#stopped = true;
    this.#calm();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#options.onState("closed", null);
  }

  /**
   * Whose writing is wanted from now on; the first MOST_WATCHED of them.
   * @param {readonly string[]} taskIds
   */
  watch(taskIds) {
    const wanted = taskIds.slice(0, MOST_WATCHED);
    if (wanted.length === this.#watched.length && wanted.every((id, at) => id === this.#watched[at])) return;
    this.#watched = wanted;
    if (this.#welcomed) this.#say({ type: "watch", deltas: wanted });
  }

  /** Tries at once instead of waiting. */
  hurry() {
    if (this.#stopped || this.#socket !== null) return;
    this.#calm();
    this.#connect();
  }

  #connect() {
    const socket = this.#options.open();
    this.#socket = socket;
    this.#welcomed = false;
    const current = () => this.#socket === socket;
    socket.addEventListener("open", () => {
      const hello = { type: "hello", token: this.#options.token() ?? "" };
      if (current()) this.#say(this.#cursor === null ? hello : { ...hello, after: this.#cursor });
    });
    socket.addEventListener("message", (event) => {
      if (current()) this.#hear(String(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (current()) this.#lost(Number(event.code));
    });
    // A server that takes the connection and says nothing (keeps L1).
    this.#timers.push(this.#options.after(SILENT_MS, () => this.#giveUp()));
  }

  /** @param {string} text */
  #hear(text) {
    const message = JSON.parse(text);
    this.#calm();
    if (Array.isArray(message)) this.#take(message);
    else if (message.type === "welcome") this.#welcome(message);
    if (!this.#welcomed) return;
    this.#options.onState("live", null);
    this.#timers.push(this.#options.after(PING_MS, () => this.#ping()));
  }

  /** @param {{ readonly store_id: string, readonly cursor: number }} welcome */
  #welcome({ store_id: storeId, cursor }) {
    const isNew = storeId !== this.#storeId;
    if (isNew) this.#cursor = cursor;
    this.#storeId = storeId;
    this.#welcomed = true;
    this.#failures = 0;
    this.#options.onWelcome(isNew);
    if (this.#watched.length > 0) this.#say({ type: "watch", deltas: this.#watched });
  }

  /** @param {readonly Frame[]} frames */
  #take(frames) {
    // A server that repeats itself is heard once (keeps L2).
    const fresh = frames.filter(
      (frame) =>
        frame.kind !== "pong" &&
        (frame.kind !== "event" || this.#cursor === null || frame.event.cursor > this.#cursor),
    );
    for (const frame of fresh) if (frame.kind === "event") this.#cursor = frame.event.cursor;
    if (fresh.length > 0) this.#options.onFrames(fresh);
  }

  #ping() {
    this.#say({ type: "ping" });
    this.#timers.push(
      this.#options.after(STALE_MS, () => this.#options.onState("stale", null)),
      this.#options.after(SILENT_MS, () => this.#giveUp()),
    );
  }

  #giveUp() {
    const socket = this.#socket;
    this.#lost(0);
    socket?.close();
  }

  /** @param {number} code */
  #lost(code) {
    this.#socket = null;
    this.#calm();
    if (this.#stopped) return;
    if (code === UNAUTHORIZED) {
      this.#stopped = true;
      this.#options.onState("closed", null);
      this.#options.onRefused("The server does not know this token (any more).");
      return;
    }
    const waitMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#options.onState("reconnecting", waitMs);
    this.#timers.push(this.#options.after(waitMs, () => this.#connect()));
  }

  /** @param {unknown} message */
  #say(message) {
    this.#socket?.send(JSON.stringify(message));
  }

  #calm() {
    for (const cancel of this.#timers.splice(0)) cancel();
  }
}
