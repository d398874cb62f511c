// The client's side of the event stream: reads it, and reads on after a broken connection.
//
// R1. Resumes after the last event that was handed out; each event comes once.
// R2. What may have been missed is said: a break before the first cursor was known yields a gap.
// R3. It tries again at most MAX_FAILURES times in a row, ever more slowly; any frame starts the count again.
// R4. A silent connection counts as broken after SILENCE_MS: the server sends a comment every 15 s.

import { deadline, linkedAbort, type LinkedAbort } from "../base/abort.ts";
import { delay } from "../base/clock.ts";
import { type ErrorKind, InternalError, TroupeError } from "../base/errors.ts";
import type { EventsQuery } from "../core/api.ts";
import { carriesDeltas, type EventFrame, type StoredEvent } from "../core/event.ts";
import { fromWire } from "../core/wire.ts";
import { fromProblem, isProblem } from "./problem.ts";
import { chunksOf, parseMessages, type SseMessage } from "./sse.ts";
import type { Transport } from "./transport.ts";

const MAX_FAILURES = 10;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;
const SILENCE_MS = 45_000;

/** Errors that the next try may not meet; any other ends the stream. `server_unreachable` is a broken connection. */
const PASSING: ReadonlySet<ErrorKind> = new Set(["limit", "store", "cancelled", "internal"]);

/**
 * The frames, across connections.
 * Contract: ends when the signal aborts or the server says that no more will come; throws TroupeErrors only.
 */
export async function* resumingFrames(transport: Transport, query: EventsQuery): AsyncGenerator<EventFrame> {
  const { clock } = transport;
  const { signal } = query;
  let after = query.after;
  let failures = 0;
  while (!signal?.aborted) {
    const link = linkedAbort(signal);
    const openedAt = clock.monotonic();
    let failure: unknown = null;
    try {
      for await (const frame of oneConnection(transport, { query, after, link })) {
        if (frame === "end") return;
        failures = 0;
        if (frame.kind === "event") {
          // Keeps R1 where the server repeats itself.
          if (after !== undefined && frame.event.cursor <= after) continue;
          after = frame.event.cursor;
        }
        if (frame.kind === "delta" && !carriesDeltas(query.deltas, frame.taskId)) continue;
        yield frame;
      }
    } catch (error) {
      failure = error;
    } finally {
      link.abort("left");
      link.release();
    }
    if (signal?.aborted) return;
    // A quiet connection that held for long was a good one.
    failures = clock.monotonic() - openedAt >= LONGEST_BACKOFF_MS ? 1 : failures + 1;
    if (isFinal(failure)) throw failure;
    if (failures > MAX_FAILURES) throw failure instanceof TroupeError ? failure : closedEarly(failure);
    if (after === undefined) yield { kind: "gap", after: 0, before: null };
    const pause = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
    await delay(clock, pause, signal).catch(() => {});
  }
}

function isFinal(error: unknown): boolean {
  if (!(error instanceof TroupeError)) return false;
  return !PASSING.has(error.kind) && error.code !== "server_unreachable";
}

function closedEarly(cause: unknown): TroupeError {
  return new InternalError(
    "stream_closed",
    "Expected the event stream to stay open, but the server closes it each time. Look into the server's log.",
    { cause },
  );
}

interface ConnectionOptions {
  readonly query: EventsQuery;
  readonly after: number | undefined;
  readonly link: LinkedAbort;
}

async function* oneConnection(
  transport: Transport,
  options: ConnectionOptions,
): AsyncGenerator<EventFrame | "end"> {
  const { query, after, link } = options;
  const resumes = after !== query.after;
  const silence = deadline(transport.clock, SILENCE_MS, () => link.abort("silent"));
  try {
    const response = await transport.open({
      path: "/v1/events",
      query: {
        after: query.after,
        task_id: query.taskId,
        root_id: query.rootId,
        deltas: query.deltas ? "1" : undefined,
      },
      headers: {
        accept: "text/event-stream",
        ...(resumes ? { "last-event-id": String(after) } : {}),
      },
      signal: link.signal,
    });
    if (response.body === null) return;
    const alive = (): void => silence.renew(SILENCE_MS);
    for await (const message of parseMessages(chunksOf(response.body), alive)) {
      const frame = readFrame(message);
      if (frame !== null) yield frame;
    }
  } finally {
    silence.cancel();
  }
}

/** A message as a frame; `null` for messages of a kind that this version does not know. Throws what the server threw. */
export function readFrame(message: SseMessage): EventFrame | "end" | null {
  if (message.event === "end") return "end";
  const data: unknown = JSON.parse(message.data);
  if (message.event === "error") throw isProblem(data) ? fromProblem(data) : unreadable();
  if (typeof data !== "object" || data === null) throw unreadable();
  const body = fromWire(data);
  // A server of the same API wrote it; its shape is checked on that side.
  if (message.id !== undefined) return { kind: "event", event: body as StoredEvent };
  if (message.event === "delta" || message.event === "gap") {
    return { kind: message.event, ...(body as object) } as EventFrame;
  }
  return null;
}

function unreadable(): TroupeError {
  return new InternalError(
    "unexpected_response",
    "Expected an event stream of a Troupe server, got another one.",
  );
}
