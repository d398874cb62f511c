// One HTTP request of the client: headers, deadline, and problem documents turned back into the errors they were
// made from. Runs wherever fetch does, browsers included.
//
// P1. Nothing but a TroupeError leaves here.
// P2. The token goes to the base URL only: redirects are refused.

import { linkedAbort } from "../base/abort.ts";
import { type Clock, delay } from "../base/clock.ts";
import {
  CancelledError,
  ConfigError,
  InternalError,
  InvalidRequestError,
  messageOf,
  TroupeError,
} from "../base/errors.ts";
import { fromWire, toWire } from "../core/wire.ts";
import { fromProblem, isProblem } from "./problem.ts";

export interface TransportOptions {
  /** Such as `http://127.0.0.1:7433`; a trailing slash is ignored. */
  readonly baseUrl: string;
  readonly token: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  /** How long a server may take to answer, beside what it was asked to wait. */
  readonly requestTimeoutMs?: number;
}

export interface ClientRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** In camelCase; it is renamed here. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that the server was asked to wait before it answers. */
  readonly waitMs?: number;
}

const REQUEST_TIMEOUT_MS = 60_000;

export class Transport {
  readonly clock: Clock;
  readonly #base: string;
  readonly #token: string;
  readonly #fetch: TransportOptions["fetch"];
  readonly #timeoutMs: number;

  constructor(options: TransportOptions) {
    this.clock = options.clock;
    this.#base = options.baseUrl.replace(/\/+$/, "");
    this.#token = options.token;
    this.#fetch = options.fetch;
    this.#timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  }

  /** The answer's JSON in camelCase, `undefined` for 204. Throws TroupeErrors only; CancelledError when the signal aborts. */
  async json(request: ClientRequest): Promise<unknown> {
    const link = linkedAbort(request.signal);
    const late = this.clock.after(this.#timeoutMs + (request.waitMs ?? 0), () => link.abort("late"));
    try {
      const response = await this.#send({ ...request, signal: link.signal });
      if (response.status === 204) return undefined;
      const text = await response.text();
      return fromWire(parseJson(text, response.status));
    } catch (error) {
      throw this.#explain(error, request.signal, link.signal);
    } finally {
      late.cancel();
      link.release();
    }
  }

  /** Waits on the clock. Throws CancelledError when the signal aborts. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await delay(this.clock, ms, signal);
    } catch (error) {
      throw this.#explain(error, signal, signal);
    }
  }

  /** A successful response with its body unread. Throws like `json`, but knows no deadline. */
  async open(request: ClientRequest): Promise<Response> {
    try {
      return await this.#send(request);
    } catch (error) {
      throw this.#explain(error, request.signal, request.signal);
    }
  }

  /** Throws what fetch throws, and the error of a problem document. */
  async #send(request: ClientRequest): Promise<Response> {
    const body = request.body === undefined ? undefined : JSON.stringify(toWire(request.body));
    const response = await this.#fetch(this.#base + request.path + queryString(request.query), {
      method: request.method ?? "GET",
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
      },
      redirect: "error",
      credentials: "omit",
      cache: "no-store",
      ...(body === undefined ? {} : { body }),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    if (response.ok) return response;
    // Node answers so on a pooled connection that was opened, never used, and is about to be closed: no word of ours.
    if (response.status === 408 && !response.headers.get("content-type")?.includes("json"))
      throw new Error("the server closed an idle connection");
    const problem = parseJson(await response.text(), response.status);
    throw isProblem(problem) ? fromProblem(problem) : notOurs(response.status);
  }

  #explain(error: unknown, caller: AbortSignal | undefined, request: AbortSignal | undefined): TroupeError {
    if (error instanceof TroupeError) return error;
    if (caller?.aborted) return new CancelledError("The caller gave up the request.", { cause: error });
    const why = request?.aborted ? `no answer within ${this.#timeoutMs / 1000} s` : reasonOf(error);
    return new ConfigError(
      "server_unreachable",
      `Expected a Troupe server at ${this.#base}, got: ${why}. Start one with \`troupe serve\`, or name another address.`,
      { cause: error, details: { base_url: this.#base } },
    );
  }
}

/** fetch hides the reason in its cause ("fetch failed"). */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== "" ? cause.message : messageOf(error);
}

function queryString(query: ClientRequest["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? "" : `?${search.toString()}`;
}

function parseJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notOurs(status);
  }
}

function notOurs(status: number): TroupeError {
  return new InternalError(
    "unexpected_response",
    `Expected the answer of a Troupe server, got something else with status ${status}. Check the address and the port.`,
    { details: { status } },
  );
}

const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;

/** The header that makes a call repeatable. Throws InvalidRequestError for a key that no header can hold. */
export function keyHeader(key: string | undefined): Record<string, string> {
  if (key === undefined) return {};
  if (KEY_PATTERN.test(key)) return { "idempotency-key": key };
  throw new InvalidRequestError(
    "invalid_idempotency_key",
    `Expected a key of 1 to 255 visible ASCII characters, got ${JSON.stringify(key.slice(0, 80))}.`,
  );
}
