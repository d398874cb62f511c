// The routes of events: the stream, which resumes by `Last-Event-ID` and bounds how many readers there are, and the
// history in pages.

import type { Context } from "hono";
import { linkedAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { CancelledError, InvalidRequestError, LimitError } from "../base/errors.ts";
import type { HttpEnv } from "./gate.ts";
import { frameStream } from "./frame-stream.ts";
import { emptyQuery, eventsQuery, historyQuery } from "./request-schema.ts";
import { addRoute, reply, type RouteHost } from "./route.ts";
import { eventPage, frameData } from "./stream-schema.ts";

/** Streams that may be open at once; each holds a connection and a cursor. */
const MAX_STREAMS = 256;
const STREAM_TYPE = "text/event-stream";

export interface EventRouteOptions {
  readonly clock: Clock;
  readonly newRequestId: () => string;
}

export function addEventRoutes(host: RouteHost, options: EventRouteOptions): void {
  addHistory(host);
  let open = 0;
  addRoute(host, {
    method: "GET",
    path: "/v1/events",
    operationId: "streamEvents",
    summary:
      "Events as they happen, as server-sent events, or over a WebSocket where the request asks for one.",
    tag: "events",
    params: emptyQuery,
    query: eventsQuery,
    headers: { "Last-Event-ID": "Resume after this cursor; wins over `after`." },
    responses: {
      200: {
        description:
          "`id:` is the cursor, `event:` the type; `gap`, `delta`, `end` and `error` are frames without an id. " +
          "A comment comes every 15 seconds. The schema is that of each `data:` line.",
        schema: frameData,
        media: STREAM_TYPE,
      },
    },
    async handle({ c, api, query }) {
      const after = lastEventId(c) ?? query.after;
      // Asked first, since a stream that has begun can no longer answer 404.
      for (const id of [query.task_id, query.root_id]) if (id !== undefined) await api.check(id);
      c.header("content-type", STREAM_TYPE);
      if (c.req.method === "HEAD") return c.body(null);
      if (open >= MAX_STREAMS) throw tooManyStreams();
      open += 1;
      const stop = linkedAbort(host.revoked(c.get("caller")) ?? undefined);
      const frames = api.events({
        ...(after === undefined ? {} : { after }),
        ...(query.task_id === undefined ? {} : { taskId: query.task_id }),
        ...(query.root_id === undefined ? {} : { rootId: query.root_id }),
        deltas: query.deltas === "1",
        signal: stop.signal,
      });
      const release = (): void => {
        open -= 1;
        stop.release();
        stop.abort(new CancelledError());
      };
      return c.body(
        frameStream({ frames, clock: options.clock, requestId: options.newRequestId(), release }),
      );
    },
  });
}

function addHistory(host: RouteHost): void {
  addRoute(host, {
    method: "GET",
    path: "/v1/history",
    operationId: "readHistory",
    summary: "Reads stored events, oldest first: all of them, those of a task, or those of a tree.",
    tag: "events",
    params: emptyQuery,
    query: historyQuery,
    responses: { 200: { description: "A page of events, at most `limit` of them.", schema: eventPage } },
    handle: async ({ api, query: { task_id: taskId, root_id: rootId, ...rest } }) => {
      const of = { ...(taskId === undefined ? {} : { taskId }), ...(rootId === undefined ? {} : { rootId }) };
      return reply(await api.history({ ...rest, ...of }));
    },
  });
}

function lastEventId(c: Context<HttpEnv>): number | undefined {
  const text = c.req.header("last-event-id");
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidRequestError(
    "invalid_last_event_id",
    `Expected Last-Event-ID to be a cursor of this server, got ${JSON.stringify(text.slice(0, 80))}. ` +
      "Leave it out to start with what happens now, or use ?after=0 for all that is kept.",
  );
}

function tooManyStreams(): LimitError {
  return new LimitError(
    "too_many_streams",
    `Expected at most ${MAX_STREAMS} open event streams, got one more. Close one, or read several tasks in one stream.`,
    { details: { limit: MAX_STREAMS, retry_after_ms: 5_000 } },
  );
}
