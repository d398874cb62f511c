// Which requests may become WebSockets, and how many. Host and Origin were checked by the gate before this is reached;
// the token comes in the first message.

import type { Clock } from "../base/clock.ts";
import { LimitError } from "../base/errors.ts";
import { acceptSocket, isSocketOffered } from "../base/socket.ts";
import type { Caller } from "../core/api.ts";
import { EventHub } from "./event-hub.ts";
import { EventSocket } from "./event-socket.ts";
import type { RouteHost } from "./route.ts";
import type { TokenBook } from "./token-book.ts";

const EVENTS_PATH = "/v1/events";

/** Sockets that may be open at once. */
const MAX_SOCKETS = 256;
/** Of these, sockets whose client has not said yet who it is. */
const MAX_STRANGERS = 64;

/** Whether a request becomes a WebSocket, which asks for the token itself. */
export function isSocketRequest({ path, raw }: { readonly path: string; readonly raw: Request }): boolean {
  return path === EVENTS_PATH && isSocketOffered(raw);
}

export interface SocketRouteOptions {
  readonly clock: Clock;
  readonly tokens: TokenBook;
  readonly newRequestId: () => string;
}

export function addSocketRoutes(host: RouteHost, options: SocketRouteOptions): void {
  const hubs = new Map<Caller, EventHub>();
  const places = new Places();
  const hubOf = (caller: Caller): EventHub => {
    const known = hubs.get(caller);
    if (known) return known;
    const hub = new EventHub({
      api: host.api(caller),
      clock: options.clock,
      onIdle: () => hubs.delete(caller),
    });
    hubs.set(caller, hub);
    return hub;
  };
  host.app.get(EVENTS_PATH, async (c, next) => {
    if (!isSocketOffered(c.req.raw)) return next();
    const socket = new EventSocket({
      ...options,
      ...places.take(),
      callerOf: (token) => options.tokens.callerOf(token),
      api: host.api,
      hubOf,
    });
    return acceptSocket(c.req.raw, socket);
  });
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
