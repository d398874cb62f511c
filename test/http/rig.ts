// A canned API behind the real server on a real socket, with the real client before it, on one clock.

import { type Clock, settle, type SimulatedClock, systemClock } from "../../src/base/clock.ts";
import { serve, type Listening } from "../../src/base/listen.ts";
import { silentLogger, type Logger } from "../../src/base/log.ts";
import type { Caller, Scope, TroupeApi } from "../../src/core/api.ts";
import type { GateOptions } from "../../src/http/gate.ts";
import { HttpClient } from "../../src/http/client.ts";
import type { Refusals } from "../../src/http/refusals.ts";
import type { HttpApp } from "../../src/http/route.ts";
import { createHttpApp } from "../../src/http/server.ts";
import type { Shell } from "../../src/http/shell.ts";
import { CannedApi } from "./canned-api.ts";

export const TOKEN = "ab".repeat(32);
export const READ_TOKEN = "cd".repeat(32);

export function callerWith(...scopes: Scope[]): Caller {
  return { name: "test", scopes, taskId: null };
}

const STEP_MS = 500;

export type Headings = Readonly<Record<string, string>>;

export type RequestOptions = Omit<RequestInit, "headers"> & { readonly headers?: Headings };

export interface RigOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly keepEvents?: number;
  readonly gate?: Partial<GateOptions>;
  readonly hostname?: string;
  readonly shell?: Shell;
  readonly refusals?: Refusals;
  /** Stands in front of the canned API. */
  readonly wrap?: (api: CannedApi, caller: Caller) => TroupeApi;
}

export interface Rig {
  readonly app: HttpApp;
  readonly api: CannedApi;
  readonly client: HttpClient;
  readonly server: Listening;
  readonly clock: Clock;
  /** A request with the token, unless its headers say otherwise. */
  readonly request: (path: string, init?: RequestOptions) => Promise<Response>;
  readonly post: (path: string, body: unknown, headers?: Headings) => Promise<Response>;
  readonly close: () => Promise<void>;
}

export async function rig(options: RigOptions = {}): Promise<Rig> {
  const clock = options.clock ?? systemClock;
  const api = new CannedApi({ clock, ...(options.keepEvents ? { keepEvents: options.keepEvents } : {}) });
  let port = 0;
  const app = createHttpApp({
    api: (caller) => options.wrap?.(api, caller) ?? api,
    gate: {
      tokens: [
        { token: TOKEN, caller: callerWith("read", "control", "admin") },
        { token: READ_TOKEN, caller: callerWith("read") },
      ],
      port: () => port,
      ...options.gate,
    },
    clock,
    logger: options.logger ?? silentLogger,
    version: "1.2.3",
    ...(options.shell && { shell: options.shell }),
    ...(options.refusals && { refusals: options.refusals }),
  });
  const server = await serve(app.fetch, { hostname: options.hostname ?? "127.0.0.1", port: 0 });
  ({ port } = server);
  const client = new HttpClient({ baseUrl: server.url, token: TOKEN, fetch, clock });
  const request: Rig["request"] = (path, init = {}) =>
    fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });
  return {
    app,
    api,
    client,
    server,
    clock,
    request,
    post: (path, body, headers = {}) =>
      request(path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    async close() {
      api.log.end();
      await server.close();
    },
  };
}

/**
 * Moves a simulated clock in steps, with a round trip over the server's own socket after each, so that what the
 * timers caused on the wire arrives before the next ones fire.
 */
export async function advanceOverSockets(box: Rig, clock: SimulatedClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    await clock.advance(Math.min(left, STEP_MS));
    for (let turn = 0; turn < 2; turn += 1) await (await fetch(`${box.server.url}/healthz`)).text();
  }
}

/** Lets the event loop turn until the condition holds; a condition that never does ends in the test's timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}
