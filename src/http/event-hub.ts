// One reader of the API's events for all sockets of a caller: each frame is read and encoded once, and what happened
// within BATCH_MS goes out as one message. It knows no socket: members take their batches.
//
// H1. A member has every frame that comes after it joined, in order, and no delta that it does not want.
// H2. Deltas are asked of the API for tasks that some member wants, and for no others.
// H3. While a batch is being gathered the API is not read, so that a flood of deltas gathers there, where it is bounded.
// H4. When the API's events end or fail, every member is told once, and nothing comes after.

import { type Clock, delay, type Timer } from "../base/clock.ts";
import type { TroupeApi } from "../core/api.ts";
import type { EventFrame } from "../core/event.ts";
import { FrameWindow } from "./frame-window.ts";
import { BATCH_MS } from "./socket-words.ts";

export interface HubMember {
  /** Tasks whose deltas it wants, now. */
  readonly wanted: ReadonlySet<string>;
  /** False while it lags behind: deltas are the first that it goes without. */
  takesDeltas(): boolean;
  deliver(batch: string): void;
  /** The events are over; with what went wrong, if something did. */
  ended(error: unknown): void;
}

/** A window that holds more goes out at once. */
const MAX_FRAMES = 1_000;
const MAX_CHARS = 1_048_576;
/** How long of a batch's time the API is left alone. */
const PAUSE_MS = 20;

/** What of the window a member has already: frames before `from`, and events up to `after`. */
interface Place {
  readonly from: number;
  readonly after: number;
}

const NO_TASKS: ReadonlySet<string> = new Set();

export interface HubOptions {
  readonly api: Pick<TroupeApi, "events" | "status">;
  readonly clock: Clock;
  /** Called when nobody is left. */
  readonly onIdle: () => void;
}

export class EventHub {
  readonly #options: HubOptions;
  readonly #members = new Map<HubMember, Place>();
  readonly #stop = new AbortController();
  readonly #wanted = { has: (taskId: string): boolean => this.#wants(taskId) };
  #window = new FrameWindow(0);
  #flush: Timer | null = null;
  #started: Promise<void> | null = null;
  #users = 0;
  #over = false;
  /** The last batch went out because it was full. */
  #isFlooded = false;
  storeId = "";
  /** Everything up to here has been given to the members. */
  cursor = 0;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Holds the hub until `release`; resolves once it reads. Throws what the API throws. */
  async use(): Promise<void> {
    this.#users += 1;
    this.#started ??= this.#start();
    await this.#started;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#end();
    this.#options.onIdle();
  }

  /** From now on the member gets what comes, but for events up to `after`. */
  join(member: HubMember, after: number): void {
    if (this.#over) member.ended(null);
    else this.#members.set(member, { from: this.#window.size, after });
  }

  leave(member: HubMember): void {
    this.#members.delete(member);
  }

  async #start(): Promise<void> {
    const { api } = this.#options;
    const { storeId, newestCursor } = await api.status();
    this.storeId = storeId;
    this.cursor = newestCursor;
    this.#window = new FrameWindow(newestCursor);
    if (!this.#over) void this.#read();
  }

  async #read(): Promise<void> {
    const { api, clock } = this.#options;
    const { signal } = this.#stop;
    let problem: unknown = null;
    try {
      for await (const frame of api.events({ after: this.cursor, deltas: this.#wanted, signal })) {
        const isFirst = this.#window.size === 0;
        this.#add(frame);
        // Keeps H3. A batch that is full at once is no trickle to wait for.
        if (isFirst && !this.#isFlooded) await delay(clock, PAUSE_MS, signal);
      }
    } catch (error) {
      problem = error;
    }
    if (this.#over) return;
    this.#send();
    const members = [...this.#members.keys()];
    this.#end();
    for (const member of members) member.ended(problem);
  }

  #add(frame: EventFrame): void {
    this.#window.add(frame);
    if (frame.kind === "event") this.cursor = frame.event.cursor;
    else if (frame.kind === "gap" && frame.before !== null) this.cursor = frame.before - 1;
    const isFull = this.#window.size >= MAX_FRAMES || this.#window.chars >= MAX_CHARS;
    if (isFull) this.#send();
    else this.#flush ??= this.#options.clock.after(BATCH_MS, () => this.#send());
    if (isFull) this.#isFlooded = true;
  }

  #send(): void {
    this.#isFlooded = false;
    this.#flush?.cancel();
    this.#flush = null;
    const window = this.#window;
    this.#window = new FrameWindow(this.cursor);
    for (const [member, { from, after }] of this.#members) {
      const wanted = member.wanted.size > 0 && member.takesDeltas() ? member.wanted : NO_TASKS;
      const isPlain = from === 0 && after <= window.after && wanted.size === 0;
      const batch = isPlain ? window.shared() : window.batch({ from, after, wanted });
      if (from > 0) this.#members.set(member, { from: 0, after });
      if (batch !== null) member.deliver(batch);
    }
  }

  /** Keeps H2. Members are few, and their sets are small; the API asks once for each delta. */
  #wants(taskId: string): boolean {
    for (const { wanted } of this.#members.keys()) if (wanted.has(taskId)) return true;
    return false;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#flush?.cancel();
    this.#stop.abort();
    this.#members.clear();
  }
}
