// The doors of a Troupe that serves: the port, and HTTP behind it once somebody has opened.

import { fileURLToPath } from "node:url";
import { serve, type Listening } from "./base/listen.ts";
import type { Troupe, World } from "./compose.ts";
import { assertBindAllowed } from "./http/bind.ts";
import { secure } from "./http/gate.ts";
import type { MadeTokens } from "./http/made-tokens.ts";
import { startingResponse } from "./http/problem.ts";
import type { RateLimitOptions } from "./http/rate-limit.ts";
import { Refusals } from "./http/refusals.ts";
import { createHttpApp } from "./http/server.ts";
import { Shell } from "./http/shell.ts";
import { OPERATOR } from "./runtime/runtime.ts";
import { VERSION } from "./version.ts";

/** The dashboard's sources, which browsers run as they are. */
const DASHBOARD = fileURLToPath(new URL("../web", import.meta.url));

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly world: World;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly insecureAllowRemote: boolean;
  /** Tokens that people made; none when absent. */
  readonly made?: MadeTokens;
  readonly rateLimit?: RateLimitOptions;
}

/** What is served: a Troupe, or what only shows what one did and has no machines at work. */
export type Shown = Pick<Troupe, "as" | "logger"> & {
  readonly audit?: Troupe["audit"];
  readonly runtime?: Pick<Troupe["runtime"], "inspection">;
};

export interface Served {
  readonly listening: Listening;
  /** Answers from now on; until then every call is told to come again. */
  open(troupe: Shown): void;
  close(): Promise<void>;
}

/**
 * Takes the port first, so that a taken one is known before anything starts and the links are right.
 * Contract: throws ConfigError `bind_refused`, `port_in_use` and their like.
 */
export async function listen(options: ServeOptions): Promise<Served> {
  assertBindAllowed(options.host, options.insecureAllowRemote);
  await options.made?.watch();
  let refusals: Refusals | null = null;
  let handler: ((request: Request) => Response | Promise<Response>) | null = null;
  const listening = await serve((request) => handler?.(request) ?? secure(startingResponse()), {
    hostname: options.host,
    port: options.port,
  });
  return {
    listening,
    open: (troupe) => {
      refusals = troupe.audit ? new Refusals(troupe.audit, options.world.clock) : null;
      const app = createHttpApp({
        api: (caller) => troupe.as(caller),
        gate: {
          tokens: [{ token: options.token, caller: OPERATOR }],
          port: () => listening.port,
          allowedHosts: options.allowedHosts,
          allowedOrigins: options.allowedOrigins,
          ...(options.made && { made: options.made }),
          ...(options.rateLimit && { rateLimit: options.rateLimit }),
        },
        clock: options.world.clock,
        logger: troupe.logger,
        version: VERSION,
        ...(troupe.runtime && { inspection: troupe.runtime.inspection }),
        shell: new Shell({ folder: DASHBOARD }),
        ...(refusals && { refusals }),
      });
      handler = (request) => app.fetch(request);
    },
    close: () => {
      options.made?.close();
      refusals?.close();
      return listening.close();
    },
  };
}
