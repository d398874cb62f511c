// Tells another program how tasks end: each event that it asked for is POSTed to it, in order, at least once, and over
// restarts. Its place in the event log is a row of the store, and retention waits for it.
// B1. The cursor moves past an event only after the program took it (2xx), so that none is left out; one that was
//     taken just before a crash is sent again, with the same Idempotency-Key.
// B2. One request at a time. A program that is away is asked again with growing pauses, for as long as it is away;
//     nothing else waits for it.
// B3. 410 Gone ends it, and forgets its cursor.

import { linkedAbort, withSignal } from "../base/abort.ts";
import { delay, type Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Random } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { EventType, StoredEvent } from "../core/event.ts";
import type { CallbackSettings } from "../core/settings.ts";
import { toWire } from "../core/wire.ts";
import type { Store } from "../store/store.ts";

/** How long one request may take. */
const REQUEST_MS = 15_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** With nothing to tell, its cursor follows the log this often, so that retention need not wait for it. */
const IDLE_MS = 30_000;
const PAGE = 100;
const GONE = 410;

export interface CallbackOptions {
  readonly target: CallbackSettings;
  /** The value of its Authorization header, asked for at each request; `null` for none. May throw ConfigError. */
  readonly authorization: () => string | null;
  readonly store: Pick<Store, "events" | "bounds" | "readers" | "readerCursor" | "moveReader" | "onWrite">;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The name under which a callback reads the event log. */
export function readerOf(name: string): string {
  return `callback:${name}`;
}

export class Callback {
  readonly #options: CallbackOptions;
  readonly #reader: string;
  readonly #closing = new AbortController();
  readonly #types: readonly EventType[];
  #running: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #written = false;

  constructor(options: CallbackOptions) {
    this.#options = options;
    this.#reader = readerOf(options.target.name);
    this.#types = options.target.events;
  }

  /** Goes on from where it was; a new one begins with what happens from now on. Contract: call once; never throws. */
  start(): void {
    this.#running = this.#run();
  }

  /** Contract: resolves when the request under way was broken off; what it was about is sent at the next start. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("The server stops."));
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { store, target, logger } = this.#options;
    const unsubscribe = store.onWrite(() => {
      this.#written = true;
      this.#wake?.();
    });
    try {
      await this.#follow();
    } catch (thrown) {
      if (this.#closed) return;
      logger.error("a callback has ended; it goes on at the next start", {
        callback: target.name,
        message: messageOf(thrown),
      });
    } finally {
      unsubscribe();
    }
  }

  async #follow(): Promise<void> {
    const { store } = this.#options;
    let cursor = await this.#patiently("read", () => store.readerCursor(this.#reader));
    const readers = await this.#patiently("read", () => store.readers());
    if (!readers.includes(this.#reader)) {
      cursor = (await this.#patiently("read", () => store.bounds())).newest;
      await this.#move(cursor);
    }
    while (!this.#closed) {
      this.#written = false;
      const { newest } = await this.#patiently("read", () => store.bounds());
      const events = await this.#patiently("read", () =>
        store.events({ after: cursor, types: this.#types, limit: PAGE }),
      );
      for (const event of events) {
        if (!(await this.#deliver(event))) return;
        cursor = event.cursor;
        await this.#move(cursor);
      }
      if (events.length === PAGE) continue;
      await this.#rest();
      // What came meanwhile is read first: it may be for this callback.
      if (this.#written || newest <= cursor) continue;
      cursor = newest;
      await this.#move(cursor);
    }
  }

  /** Until something was written, or for a while. */
  async #rest(): Promise<void> {
    if (this.#written || this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(IDLE_MS, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = null;
        timer.cancel();
        resolve();
      };
    });
  }

  #move(cursor: number): Promise<void> {
    return this.#patiently("move", () => this.#options.store.moveReader(this.#reader, cursor));
  }

  /** False when the program wants no more (B3). Keeps B1 and B2. */
  async #deliver(event: StoredEvent): Promise<boolean> {
    const { target, logger } = this.#options;
    const status = await this.#patiently("send", () => this.#send(event));
    if (status !== GONE) return true;
    logger.warn("a callback answered 410 Gone and is told nothing more", { callback: target.name });
    await this.#patiently("move", () => this.#options.store.moveReader(this.#reader, null));
    return false;
  }

  /** The status of the answer; throws for what is to be tried again. */
  async #send(event: StoredEvent): Promise<number> {
    const { target, authorization, fetch, clock } = this.#options;
    const header = authorization();
    const abort = linkedAbort(this.#closing.signal);
    const timer = clock.after(REQUEST_MS, () => abort.abort(new Error("No answer within 15 s.")));
    try {
      const request = fetch(target.url, {
        method: "POST",
        redirect: "error",
        signal: abort.signal,
        headers: {
          "content-type": "application/json",
          "idempotency-key": `${event.storeId}:${event.cursor}`,
          "troupe-event": event.type,
          ...(header !== null && { authorization: header }),
        },
        body: JSON.stringify({ event: toWire(event) }),
      });
      const response = await withSignal(request, abort.signal);
      await response.body?.cancel();
      if (!response.ok && response.status !== GONE) throw new Error(`It answered ${response.status}.`);
      return response.status;
    } finally {
      timer.cancel();
      abort.release();
    }
  }

  async #patiently<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { clock, random, logger, target } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await work();
      } catch (thrown) {
        if (this.#closed) throw thrown;
        const spread = Math.round(pauseMs * (1 + random.next() / 10));
        const message = messageOf(thrown);
        logger.warn("a callback is tried again", { callback: target.name, what, pauseMs: spread, message });
        await delay(clock, spread, this.#closing.signal);
      }
    }
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }
}

/** Forgets the cursors of callbacks that the config has no more, so that retention waits for none of them. */
export async function forgetOldCallbacks(
  store: Pick<Store, "readers" | "moveReader">,
  targets: readonly CallbackSettings[],
): Promise<void> {
  const known = new Set(targets.map(({ name }) => readerOf(name)));
  for (const reader of await store.readers())
    if (reader.startsWith(readerOf("")) && !known.has(reader)) await store.moveReader(reader, null);
}
