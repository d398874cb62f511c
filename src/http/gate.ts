// The one gate in front of all data (reference: controls C1 and C3). It runs before routing, so a new route cannot
// forget it. It trusts nothing that a browser, a proxy or a rebinding name server can set on somebody's behalf:
// no cookie, no query string, no forwarding header is ever read.
//
// T1. Without a valid token nothing is answered but the public paths, and a refusal shows no state.
//     A request that becomes a WebSocket sends its token in its first message, so it alone passes without one here.
// T2. Tokens are compared as `token-book.ts` does.
// T3. A foreign Host or Origin is refused even with a valid token, on public paths too, and before any upgrade.
// T4. No response ever carries a CORS header.
// T5. A page of this server may call it: its Origin is the very address that the request went to.

import type { Context, MiddlewareHandler } from "hono";
import { InvalidRequestError } from "../base/errors.ts";
import { textResponse } from "../base/text-response.ts";
import type { Caller } from "../core/api.ts";
import { assertJsonType } from "./json-body.ts";
import type { RateLimit, RateLimitOptions } from "./rate-limit.ts";
import type { AccessToken, TokenBook, TokenSource } from "./token-book.ts";

/** What the gate leaves for the routes. */
export interface HttpEnv {
  Variables: { caller: Caller };
}

export interface GateOptions {
  readonly tokens: readonly AccessToken[];
  /** Tokens that are made and revoked meanwhile; none when absent. */
  readonly made?: TokenSource;
  /** How often one token may ask; as often as it likes when absent. */
  readonly rateLimit?: RateLimitOptions;
  /** The port that is served, asked at each request: it is known only once the server listens. */
  readonly port: () => number;
  /** Hosts beside loopback that requests may name: `name` for any port, or `name:port`. */
  readonly allowedHosts?: readonly string[];
  /** Web origins that may call, such as `https://troupe.example`. */
  readonly allowedOrigins?: readonly string[];
}

const LOOPBACK_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/** Who holds the tokens, and how often each may ask. */
export interface Doorkeeper {
  readonly tokens: TokenBook;
  readonly limit: RateLimit | null;
}

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Sets the headers that keep browsers from guessing, storing or framing an answer, unless it has its own. Never throws. */
export function securityHeaders(): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    await next();
    secure(c.res);
  };
}

/** Answers that were made with these headers: to look whether they have them costs more than to send them. */
const secured = new WeakSet<Response>();

/** An answer of the API as JSON, with all of these headers. */
export function secureJson(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const response = textResponse(text, status, {
    ...SECURITY_HEADERS,
    "content-type": "application/json",
    ...headers,
  });
  secured.add(response);
  return response;
}

/** The same for an answer that no app gave. */
export function secure(response: Response): Response {
  if (secured.has(response)) return response;
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

/** Whether a request needs no token here: it is public, or becomes a socket that asks for the token itself. */
export type IsOpen = (request: {
  readonly method: string;
  readonly path: string;
  readonly raw: Request;
}) => boolean | Promise<boolean>;

/** Contract: refuses by throwing InvalidRequestError and LimitError; otherwise sets `caller` (not for open requests). */
export function gate(options: GateOptions, keeper: Doorkeeper, isOpen: IsOpen): MiddlewareHandler<HttpEnv> {
  const origins = new Set(options.allowedOrigins ?? []);
  return async (c, next) => {
    assertHost(c, options);
    const origin = c.req.header("origin");
    if (origin !== undefined && !origins.has(origin) && !isOwn(origin, c)) throw forbiddenOrigin(origin);
    if (!(await isOpen(c.req))) {
      const caller = await authenticate(c, keeper.tokens);
      c.set("caller", caller);
      keeper.limit?.take(caller);
    }
    if (hasBody(c.req.raw.headers)) assertJsonType(c.req.raw.headers);
    await next();
  };
}

function assertHost(c: Context, options: GateOptions): void {
  const named = c.req.header("host")?.toLowerCase();
  // The request line may name another host than the header (absolute form); both have to be ours (keeps T3).
  const isOurs = named !== undefined && allowed(named, options);
  if (isOurs && (c.req.url.startsWith(`http://${named}/`) || allowed(new URL(c.req.url).host, options)))
    return;
  throw new InvalidRequestError(
    "forbidden_host",
    `Expected a Host that this server answers to, got ${named === undefined ? "none" : JSON.stringify(named)}. ` +
      "Use its loopback address, or add the host to server.allowed_hosts.",
    { details: { config_key: "server.allowed_hosts" } },
  );
}

function allowed(host: string, options: GateOptions): boolean {
  const [, name = "", port = "80"] = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(host) ?? [];
  if (LOOPBACK_NAMES.includes(name)) return Number(port) === options.port();
  const entries = (options.allowedHosts ?? []).map((entry) => entry.toLowerCase());
  return name !== "" && (entries.includes(name) || entries.includes(`${name}:${port}`));
}

/** After `assertHost`, so that the address is one of ours (keeps T5). */
function isOwn(origin: string, c: Context): boolean {
  return origin === `http://${c.req.header("host")?.toLowerCase()}`;
}

function forbiddenOrigin(origin: string): InvalidRequestError {
  return new InvalidRequestError(
    "forbidden_origin",
    `Expected no Origin or an allowed one, got ${JSON.stringify(origin)}. Web pages may not call this server; ` +
      "add the origin to server.allowed_origins if it is yours.",
    { details: { config_key: "server.allowed_origins" } },
  );
}

async function authenticate(c: Context, tokens: TokenBook): Promise<Caller> {
  const sent = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const caller = await tokens.callerOf(sent);
  if (caller !== null) return caller;
  throw new InvalidRequestError(
    "unauthorized",
    'Expected "Authorization: Bearer <token>" with the token of this server, got none or another. ' +
      "The token is in the file token of Troupe's home (config key server.token_file).",
  );
}

function hasBody(headers: Headers): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? "0") > 0;
}
