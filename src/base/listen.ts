// One fetch handler, three servers. This is the only file that knows whether it runs on Node, Bun or Deno
// (design.md §2 rule 4). It knows no route and no token: what may be answered is the handler's business.
//
// L1. `close` ends every open connection, streams included; afterwards the port is free.
// L2. A client that never finishes its headers or its body is cut off by the server, not by the handler.

import { ConfigError, messageOf, type TroupeError } from "./errors.ts";

export type FetchHandler = (request: Request) => Response | Promise<Response>;

export interface ListenOptions {
  readonly hostname: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface Listening {
  readonly hostname: string;
  readonly port: number;
  /** Where a client on this machine finds it, without a trailing slash. */
  readonly url: string;
  /** Contract: never throws; may be called twice. */
  close(): Promise<void>;
}

/** Bytes of all request headers together; more is answered with 431 (Node; Bun and Deno have their own caps). */
const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for connections that are past those times. */
const CHECK_INTERVAL_MS = 2_000;
/** A socket on which nothing moved for so long is dropped; keep-alives and long polls are well below it. */
const SOCKET_IDLE_MS = 120_000;
const MAX_CONNECTIONS = 1_024;

interface BunServer {
  readonly port: number;
  stop(closeActiveConnections: boolean): Promise<void>;
}

interface DenoServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
}

/** The members of the two other runtimes that are used here; their types are not installed. */
interface RuntimeGlobals {
  readonly Bun?: {
    serve(options: {
      readonly hostname: string;
      readonly port: number;
      readonly idleTimeout: number;
      readonly fetch: (request: Request) => Response | Promise<Response>;
    }): BunServer;
  };
  readonly Deno?: {
    serve(
      options: {
        readonly hostname: string;
        readonly port: number;
        readonly signal: AbortSignal;
        readonly onListen: () => void;
      },
      handler: (request: Request) => Response | Promise<Response>,
    ): DenoServer;
  };
}

/**
 * Serves `handler` until `close`.
 * Contract: throws ConfigError `port_in_use`, `port_forbidden` or `address_unavailable`, each saying what to do;
 * resolves once connections are accepted.
 */
export async function serve(handler: FetchHandler, options: ListenOptions): Promise<Listening> {
  const runtime = globalThis as RuntimeGlobals;
  try {
    if (runtime.Bun) return onBun(runtime.Bun, handler, options);
    if (runtime.Deno) return onDeno(runtime.Deno, handler, options);
    return await onNode(handler, options);
  } catch (error) {
    throw listenError(error, options);
  }
}

function onBun(bun: NonNullable<RuntimeGlobals["Bun"]>, handler: FetchHandler, options: ListenOptions) {
  // Bun's own idle timeout of 10 s would cut event streams between two keep-alives.
  const server = bun.serve({ ...options, idleTimeout: 0, fetch: (request) => handler(request) });
  return listening(options, server.port, () => server.stop(true));
}

function onDeno(deno: NonNullable<RuntimeGlobals["Deno"]>, handler: FetchHandler, options: ListenOptions) {
  const stop = new AbortController();
  const server = deno.serve({ ...options, signal: stop.signal, onListen: () => {} }, (request) =>
    handler(request),
  );
  return listening(options, server.addr.port, () => {
    stop.abort();
    return server.finished;
  });
}

async function onNode(handler: FetchHandler, options: ListenOptions): Promise<Listening> {
  const { createAdaptorServer } = await import("@hono/node-server");
  const server = createAdaptorServer({
    fetch: handler,
    hostname: options.hostname,
    // The adapter would otherwise replace the global Request and Response of the whole process.
    overrideGlobalObjects: false,
    serverOptions: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
  }) as import("node:http").Server;
  server.timeout = SOCKET_IDLE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : options.port;
  return listening(
    options,
    port,
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
}

function listening(options: ListenOptions, port: number, stop: () => Promise<void>): Listening {
  let closing: Promise<void> | undefined;
  return {
    hostname: options.hostname,
    port,
    url: `http://${urlHost(options.hostname)}:${port}`,
    close: () => (closing ??= stop().catch(() => {})),
  };
}

/** The address in a URL that reaches a server bound to `hostname` from this machine. */
function urlHost(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function listenError(error: unknown, options: ListenOptions): TroupeError {
  // Node and Bun name the cause in `code`, Deno in the error's name.
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  const details = { hostname: options.hostname, port: options.port };
  const words = new Set([code, name]);
  const at = `${options.hostname}:${options.port}`;
  if (words.has("EADDRINUSE") || words.has("AddrInUse")) {
    return new ConfigError(
      "port_in_use",
      `Expected port ${options.port} on ${options.hostname} to be free, but another program listens there. ` +
        "Stop that program, or choose another port (config key server.port, option --port; 0 takes any).",
      { cause: error, details: { ...details, config_key: "server.port" } },
    );
  }
  if (words.has("EACCES") || words.has("EPERM") || words.has("PermissionDenied")) {
    return new ConfigError(
      "port_forbidden",
      `Expected to be allowed to listen on ${at}, but the system refused. ` +
        "Choose a port above 1023 (config key server.port, option --port).",
      { cause: error, details: { ...details, config_key: "server.port" } },
    );
  }
  return new ConfigError(
    "address_unavailable",
    `Expected to listen on ${at}, got: ${messageOf(error)}. ` +
      "Set server.host to an address of this machine, such as 127.0.0.1.",
    { cause: error, details: { ...details, config_key: "server.host" } },
  );
}
