// A fetch that outlives the server behind it: while nothing serves it waits for the next server, and repeats what a
// dying one left unanswered. With it, one typed client goes on through a `kill -9` as if nothing had been.
//
// L1. Only what may be said twice is said twice: what reads, and what carries an idempotency key.
// L2. A stream that breaks stays broken: its reader knows the cursor to go on from.

import { withSignal } from "../base/abort.ts";
import { delay, type Clock } from "../base/clock.ts";
import type { HttpClientOptions } from "../http/client.ts";

export interface LastingFetchOptions {
  readonly fetch: HttpClientOptions["fetch"];
  readonly clock: Clock;
  /** Resolves once a server serves; rejects when none will. */
  readonly serving: () => Promise<unknown>;
}

/** More is no restart any more. */
const MOST_TRIES = 5;
/** A server may be gone for a moment before its end is known here. */
const PAUSE_MS = 50;

/** Contract: rejects as `fetch` does, as `serving` does, and with the signal's reason. */
export function lastingFetch({ fetch, clock, serving }: LastingFetchOptions): HttpClientOptions["fetch"] {
  return async (url, init) => {
    const signal = init.signal ?? undefined;
    for (let tries = 1; ; tries += 1) {
      await (signal ? withSignal(serving(), signal) : serving());
      try {
        return await whole(await fetch(url, init));
      } catch (error) {
        if (signal?.aborted || tries === MOST_TRIES || !mayRepeat(init)) throw error;
      }
      await delay(clock, PAUSE_MS, signal);
    }
  };
}

/** Keeps L1. */
function mayRepeat({ method = "GET", headers }: RequestInit): boolean {
  return method === "GET" || new Headers(headers).has("idempotency-key");
}

/** The answer with its body read, since a server can die in the middle of it; a stream as it is (keeps L2). */
async function whole(response: Response): Promise<Response> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) return response;
  const text = await response.text();
  return new Response(text === "" ? null : text, { status, headers: { "content-type": type } });
}
