// Which requests may become WebSockets, for what, and how many. Host and Origin were checked by the gate before this is
// reached; the token comes in the first message.

import type { Clock } from "../base/clock.ts";
import { LimitError } from "../base/errors.ts";
import { acceptSocket, isSocketOffered } from "../base/socket.ts";
import type { Caller } from "../core/api.ts";
import type { InspectionSource } from "../core/inspection.ts";
import { EventHub } from "./event-hub.ts";
import { EventTalk } from "./event-talk.ts";
import { InspectionTalks } from "./inspection-talk.ts";
import type { Refusals } from "./refusals.ts";
import type { RouteHost } from "./route.ts";
import { SocketSession, type SessionOptions } from "./socket-session.ts";
import { CLOSE } from "./socket-words.ts";
import type { TokenBook } from "./token-book.ts";

const EVENTS_PATH = "/v1/events";
const INSPECT_PATH = "/v1/inspect";
const SOCKET_PATHS: ReadonlySet<string> = new Set([EVENTS_PATH, INSPECT_PATH]);

/** Sockets that may be open at once. */
const MAX_SOCKETS = 256;
/** Of these, sockets whose client has not said yet who it is. */
const MAX_STRANGERS = 64;

/** Whether a request becomes a WebSocket, which asks for the token itself. */
export function isSocketRequest({ path, raw }: { readonly path: string; readonly raw: Request }): boolean {
  return SOCKET_PATHS.has(path) && isSocketOffered(raw);
}

export interface SocketRouteOptions {
  readonly clock: Clock;
  readonly tokens: TokenBook;
  readonly newRequestId: () => string;
  /** The machines at work; nothing can be inspected when absent. */
  readonly inspection?: InspectionSource;
  readonly refusals?: Refusals;
}

export function addSocketRoutes(host: RouteHost, options: SocketRouteOptions): void {
  const { clock, tokens, newRequestId, inspection } = options;
  const places = new Places();
  const open = (path: string, begin: SessionOptions["begin"]): void => {
    host.app.get(path, async (c, next) => {
      if (!isSocketOffered(c.req.raw)) return next();
      const callerOf = (token: string): Promise<Caller | null> => tokens.callerOf(token);
      const { revoked } = host;
      const refused: SessionOptions["refused"] = (code, caller) =>
        options.refusals?.count({ caller, route: `GET ${path} (WebSocket)`, code });
      return acceptSocket(
        c.req.raw,
        new SocketSession({ clock, newRequestId, callerOf, revoked, refused, begin, ...places.take() }),
      );
    });
  };
  const hubOf = hubs(host, clock);
  open(EVENTS_PATH, (line, caller, { after }) => {
    const resumes = after === undefined ? {} : { after };
    return new EventTalk({ line, api: host.api(caller), hub: hubOf(caller), clock, ...resumes });
  });
  if (!inspection) return;
  const talks = new InspectionTalks(inspection, clock);
  open(INSPECT_PATH, (line, { taskId }) => {
    // What it shows is of the whole box.
    if (taskId !== null) line.close(CLOSE.forbidden, "expected a caller that is no task");
    return talks.begin(line);
  });
}

/** The hub of each caller, for as long as somebody uses it. */
function hubs(host: RouteHost, clock: Clock): (caller: Caller) => EventHub {
  const known = new Map<Caller, EventHub>();
  return (caller) => {
    const found = known.get(caller);
    if (found) return found;
    const hub = new EventHub({ api: host.api(caller), clock, onIdle: () => known.delete(caller) });
    known.set(caller, hub);
    return hub;
  };
}

/** Counts the sockets. */
class Places {
  #open = 0;
  #strangers = 0;

  /** Contract: throws LimitError `too_many_sockets`; each of the two is to be called at most once. */
  take(): { readonly greeted: () => void; readonly released: () => void } {
    if (this.#open >= MAX_SOCKETS) throw tooManySockets(MAX_SOCKETS);
    if (this.#strangers >= MAX_STRANGERS) throw tooManySockets(MAX_STRANGERS);
    this.#open += 1;
    this.#strangers += 1;
    let isStranger = true;
    const greeted = (): void => {
      isStranger = false;
      this.#strangers -= 1;
    };
    const released = (): void => {
      if (isStranger) greeted();
      this.#open -= 1;
    };
    return { greeted, released };
  }
}

function tooManySockets(limit: number): LimitError {
  return new LimitError(
    "too_many_sockets",
    `Expected at most ${limit} WebSockets at once here, got one more. Close one, or come back in a moment.`,
    { details: { limit, retry_after_ms: 5_000 } },
  );
}
