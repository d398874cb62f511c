// One client on a WebSocket, whatever it came for: it says who it is, may ping, and is told when it is a burden. What it
// is sent after its greeting is the talk's business.
//
// K1. Nothing but a refusal is sent before the client's token is known to be good.
// K4. `released` is called exactly once, and so is the talk's `over`, however the socket ends.

import type { Clock, Timer } from "../base/clock.ts";
import { toTroupeError } from "../base/errors.ts";
import type { ServerSocket, SocketHandler } from "../base/socket.ts";
import type { Caller } from "../core/api.ts";
import { toProblem } from "./problem.ts";
import { SOCKET_SCOPE } from "./route-scopes.ts";
import {
  CLOSE,
  type Hello,
  HELLO_MS,
  helloMessage,
  type LaterMessage,
  laterMessage,
  MAX_MESSAGES_PER_S,
  readMessage,
  SILENCE_MS,
} from "./socket-words.ts";

/** How long a client may take to close; then the connection is cut, with what still waits for it. */
const GOODBYE_MS = 5_000;

/** The client, as a talk has it. Nothing here throws; all of it does nothing once the client has gone. */
export interface Line {
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  send(text: string): void;
  /** Bytes that it has not taken yet. */
  waiting(): number;
  close(code: number, reason: string): void;
  /** Says what went wrong, and closes. */
  fail(error: unknown): void;
}

/** What becomes of a client that has said who it is. */
export interface Talk {
  /** Whether the message means something here. */
  heard(message: LaterMessage): boolean;
  over(): void;
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly callerOf: (token: string) => Promise<Caller | null>;
  /** Aborts when the caller's token is revoked. */
  readonly revoked: (caller: Caller) => AbortSignal | null;
  readonly newRequestId: () => string;
  /** Told with which code a client was sent away, and who it is where that is known. */
  readonly refused: (code: string, caller: Caller | null) => void;
  /** The client has said who it is. */
  readonly greeted: () => void;
  readonly released: () => void;
  /** Must not throw. */
  readonly begin: (line: Line, caller: Caller, hello: Hello) => Talk;
}

export class SocketSession implements SocketHandler, Line {
  readonly #options: SessionOptions;
  readonly #stop = new AbortController();
  /** What the client said while its token was looked up. */
  readonly #early: string[] = [];
  #socket: ServerSocket | null = null;
  #timer: Timer | null = null;
  #goodbye: Timer | null = null;
  #talk: Talk | null = null;
  #state: "silent" | "greeting" | "greeted" | "closed" = "silent";
  #heard = { since: 0, messages: 0 };

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  opened(socket: ServerSocket): void {
    this.#socket = socket;
    this.#timer = this.#options.clock.after(HELLO_MS, () => this.close(CLOSE.noHello, "no hello in time"));
  }

  received(text: string): void {
    if (this.#isClosed()) return;
    if (this.#isFlood()) return this.close(CLOSE.tooMany, `over ${MAX_MESSAGES_PER_S} messages a second`);
    if (this.#state === "greeted") return this.#hear(text);
    if (this.#state === "greeting") return void this.#early.push(text);
    this.#state = "greeting";
    void this.#greet(text);
  }

  closed(): void {
    this.#goodbye?.cancel();
    this.#end();
  }

  send(text: string): void {
    if (this.#isClosed()) return;
    this.#socket?.send(text);
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(SILENCE_MS, () => this.send("[]"));
  }

  waiting(): number {
    return this.#socket?.bufferedBytes() ?? 0;
  }

  close(code: number, reason: string): void {
    if (this.#isClosed()) return;
    const socket = this.#socket;
    socket?.close(code, reason);
    this.#end();
    this.#goodbye = this.#options.clock.after(GOODBYE_MS, () => socket?.drop());
  }

  fail(error: unknown): void {
    if (this.#isClosed()) return;
    const problem = toProblem(toTroupeError(error), this.#options.newRequestId());
    this.send(JSON.stringify([{ kind: "error", problem }]));
    this.close(CLOSE.failed, problem.code);
  }

  async #greet(text: string): Promise<void> {
    const { callerOf, begin, greeted, refused } = this.#options;
    const hello = readMessage(helloMessage, text);
    const caller = hello && (await callerOf(hello.token));
    if (this.#isClosed()) return;
    if (!hello || !caller) {
      refused("unauthorized", null);
      return this.close(CLOSE.noHello, "expected a hello with this server's token");
    }
    if (!caller.scopes.includes(SOCKET_SCOPE)) {
      refused("insufficient_scope", caller);
      return this.close(CLOSE.forbidden, `expected the scope "${SOCKET_SCOPE}"`);
    }
    this.#mind(this.#options.revoked(caller));
    this.#timer?.cancel();
    greeted();
    this.#state = "greeted";
    this.#talk = begin(this, caller, hello);
    // It may have ended in its first breath, before anybody could be told.
    if (this.#isClosed()) this.#talk.over();
    else for (const early of this.#early.splice(0)) this.#hear(early);
  }

  /** Who lost the token loses what was opened with it. */
  #mind(revoked: AbortSignal | null): void {
    const end = (): void => this.close(CLOSE.noHello, "the token was revoked");
    revoked?.addEventListener("abort", end, { once: true, signal: this.#stop.signal });
  }

  #hear(text: string): void {
    if (this.#isClosed()) return;
    const message = readMessage(laterMessage, text);
    if (message?.type === "ping") this.send('[{"kind":"pong"}]');
    else if (message === null || !this.#talk?.heard(message)) {
      this.close(CLOSE.badMessage, "expected another message");
    }
  }

  /** A rate over whole seconds is enough to end a flood. */
  #isFlood(): boolean {
    const now = this.#options.clock.monotonic();
    if (now - this.#heard.since >= 1_000) this.#heard = { since: now, messages: 0 };
    this.#heard.messages += 1;
    return this.#heard.messages > MAX_MESSAGES_PER_S;
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #end(): void {
    if (this.#isClosed()) return;
    this.#state = "closed";
    this.#timer?.cancel();
    this.#stop.abort();
    this.#talk?.over();
    this.#options.released();
  }
}
