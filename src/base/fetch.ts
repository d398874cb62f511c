// The runtime's own fetch, freed from deadlines that nobody asked for. Node's gives up after 300 s without headers
// and after 300 s without a chunk; a local model may load and prefill for longer, so every deadline belongs to the
// caller. It follows no policy beyond that: no retry, no header of its own, no proxy.

import { messageOf } from "./errors.ts";

/** What `runtimeFetch` understands in `init` beside the standard; every other fetch ignores it. */
export interface ConnectNotice {
  /** Called once, when the request is about to be written to a connected socket. */
  readonly onConnect?: () => void;
}

/** A fetch that says of itself whether it calls `onConnect`; without that a connect deadline cannot be told apart. */
export type RuntimeFetch = typeof fetch & { readonly reportsConnect?: boolean };

/** The system gives up on a silent address after about two minutes; a hung attempt must not outlive that. */
const CONNECT_BACKSTOP_MS = 120_000;

/**
 * The fetch of this runtime without hidden timeouts.
 * Contract: it ends only when the server ends it, the connection breaks or `init.signal` aborts, which closes the
 * socket. On Node it is undici's, loaded with the first call, and reports the connection (`reportsConnect`);
 * Bun and Deno have no way to tell. Nothing is captured at import.
 */
export function runtimeFetch(): RuntimeFetch {
  if ("Bun" in globalThis) {
    return ((input: string | URL | Request, init?: RequestInit) =>
      globalThis.fetch(input, { ...init, timeout: false } as RequestInit)) as RuntimeFetch;
  }
  if ("Deno" in globalThis) {
    return ((input: string | URL | Request, init?: RequestInit) =>
      globalThis.fetch(input, init)) as RuntimeFetch;
  }
  return nodeFetch();
}

type Send = (input: string, init: RequestInit & ConnectNotice) => Promise<Response>;

function nodeFetch(): RuntimeFetch {
  let loading: Promise<Send> | undefined;
  const send = async (
    input: string | URL | Request,
    init: RequestInit & ConnectNotice = {},
  ): Promise<Response> => {
    loading ??= loadUndici();
    // A Request of the global class means nothing to undici's own; its parts are passed on instead.
    if (!(input instanceof Request)) return (await loading)(String(input), init);
    const { method, headers, signal } = input;
    const body = input.body === null ? null : await input.arrayBuffer();
    return (await loading)(input.url, { method, headers, signal, body, ...init });
  };
  return Object.assign(send, { reportsConnect: true }) as RuntimeFetch;
}

async function loadUndici(): Promise<Send> {
  const { Agent, fetch } = await import("undici");
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_BACKSTOP_MS },
  });
  return async (input, { onConnect, headers, ...init }) => {
    const notice = { onConnect: onConnect ?? (() => {}), signal: init.signal ?? null };
    const dispatcher =
      onConnect || notice.signal
        ? agent.compose((dispatch) => (options, handler) => dispatch(options, watching(handler, notice)))
        : agent;
    // Global Headers are not undici's own; pairs are understood by both.
    const pairs = headers === undefined ? {} : { headers: [...new Headers(headers).entries()] };
    const response = await fetch(input, { ...init, ...pairs, dispatcher } as Parameters<typeof fetch>[1]);
    return response as unknown as Response;
  };
}

interface Watching {
  readonly onConnect: () => void;
  readonly signal: AbortSignal | null;
}

/** What undici hands over with a connected socket. */
interface Exchange {
  abort(reason: Error): void;
}

/**
 * The same handler, with a word to the caller when undici hands it a connected socket, and an abort that holds. undici's
 * own is lost with its internal request, which may be collected as garbage in mid-stream (7.18.2, `redirect: "error"`).
 */
function watching<T extends object>(handler: T, { onConnect, signal }: Watching): T {
  let forget = (): void => {};
  return new Proxy(handler, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      // Called on the target itself: it keeps private fields, which a proxy as `this` would not reach.
      return (...args: unknown[]): unknown => {
        if (key === "onRequestStart") {
          onConnect();
          forget();
          if (signal !== null) forget = abortsWith(signal, args[0] as Exchange);
        }
        if (key === "onResponseEnd" || key === "onResponseError") forget();
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

/** Returns how to forget the signal, which may outlive many exchanges. */
function abortsWith(signal: AbortSignal, exchange: Exchange): () => void {
  const abort = (): void => {
    const reason: unknown = signal.reason;
    exchange.abort(reason instanceof Error ? reason : new Error(messageOf(reason)));
  };
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}
