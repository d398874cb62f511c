// One fetch handler, three servers. Only this file and its neighbours know whether they run on Node, Bun or Deno
// (design.md §2 rule 4). They know no route and no token: what may be answered, and whether a request may become a
// WebSocket (`socket.ts`), is the handler's business.
//
// L1. `close` ends every open connection, streams included; afterwards the port is free.
// L2. A client that never finishes its headers or its body is cut off by the server, not by the handler.

import { ConfigError, messageOf, type TroupeError } from "./errors.ts";
import { socketsOfBun, socketsOfDeno, type BunSocketOptions, type DenoSocket } from "./listen-sockets.ts";

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

interface BunServer {
  readonly port: number;
  upgrade(request: Request, options: { readonly data: unknown }): boolean;
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
      readonly fetch: (request: Request, server: BunServer) => Promise<Response | undefined>;
      readonly websocket: BunSocketOptions;
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
    upgradeWebSocket(request: Request): { readonly socket: DenoSocket; readonly response: Response };
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
  const sockets = socketsOfBun(handler);
  const server = bun.serve({
    ...options,
    // Bun's own idle timeout of 10 s would cut event streams between two keep-alives.
    idleTimeout: 0,
    fetch: (request, self) => sockets.answer(request, (data) => self.upgrade(request, { data })),
    websocket: sockets.options,
  });
  return listening(options, server.port, () => server.stop(true));
}

function onDeno(deno: NonNullable<RuntimeGlobals["Deno"]>, handler: FetchHandler, options: ListenOptions) {
  const stop = new AbortController();
  const sockets = socketsOfDeno(handler);
  const server = deno.serve({ ...options, signal: stop.signal, onListen: () => {} }, (request) =>
    sockets.answer(request, () => deno.upgradeWebSocket(request)),
  );
  return listening(options, server.addr.port, () => {
    sockets.close();
    stop.abort();
    return server.finished;
  });
}

async function onNode(handler: FetchHandler, options: ListenOptions): Promise<Listening> {
  const { serveOnNode } = await import("./listen-node.ts");
  const server = await serveOnNode(handler, options);
  return listening(options, server.port, () => server.stop());
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
