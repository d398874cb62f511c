// Errors on the wire: RFC 9457 problem documents. One table says which kind of error has which status; the same
// document gives the same error back on the other side. Imports nothing of the server, for clients anywhere.
//
// H1. An internal error says nothing of the inside: no message, no details, no stack; only a request id to ask for.

import {
  CancelledError,
  ConfigError,
  ConflictError,
  type ErrorKind,
  InternalError,
  InvalidRequestError,
  LimitError,
  NotFoundError,
  ProviderError,
  type ProviderErrorKind,
  StoreError,
  ToolError,
  TroupeError,
} from "../base/errors.ts";

export const PROBLEM_TYPE = "application/problem+json";

interface KindRow {
  readonly status: number;
  readonly title: string;
  /** Seconds for `Retry-After` when the error itself names no time; absent: no such header. */
  readonly retryAfterS?: number;
}

/** The one table: kind of error → status. */
export const KIND_TABLE: Readonly<Record<ErrorKind, KindRow>> = {
  invalid_request: { status: 400, title: "The request cannot work as sent" },
  not_found: { status: 404, title: "There is no such thing" },
  conflict: { status: 409, title: "The present state refuses this" },
  limit: { status: 429, title: "A limit was reached", retryAfterS: 1 },
  // A person has to mend the server's configuration; trying again will not help, so this is no 503.
  config: { status: 500, title: "The server's configuration is wrong" },
  provider: { status: 502, title: "A model server failed" },
  tool: { status: 500, title: "A tool failed" },
  store: { status: 503, title: "The store refused or failed", retryAfterS: 1 },
  cancelled: { status: 503, title: "The operation was called off", retryAfterS: 1 },
  internal: { status: 500, title: "Something went wrong inside Troupe" },
};

/** Providers fail in several ways: ours to relay (502), busy for a while (503), too slow (504). */
export const PROVIDER_STATUS: Readonly<Record<ProviderErrorKind, number>> = {
  auth: 502,
  rate_limited: 503,
  quota: 503,
  overloaded: 503,
  timeout: 504,
  network: 502,
  context_length: 502,
  refused: 502,
  malformed: 502,
};

/** Refusals that HTTP has statuses of its own for: of the transport, and of an input that cannot be served. */
export const CODE_STATUS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  forbidden_host: 403,
  forbidden_origin: 403,
  insufficient_scope: 403,
  method_not_allowed: 405,
  body_too_large: 413,
  unsupported_media_type: 415,
  // What is asked for can never be served as it is: waiting for room, as after a 429, would not help.
  model_without_tools: 422,
  no_candidate: 422,
  toolset_not_inherited: 422,
  capability_conflict: 422,
};

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

const URN = "urn:troupe:problem";

/** The status that an error has on the wire. */
export function statusOf(error: TroupeError): number {
  const special = CODE_STATUS[error.code];
  if (special !== undefined && (error.kind === "invalid_request" || error.kind === "limit")) return special;
  if (error instanceof ProviderError) return PROVIDER_STATUS[error.providerKind];
  return KIND_TABLE[error.kind].status;
}

/** Seconds that the caller should wait, or `null` where waiting does not help. */
export function retryAfterOf(error: TroupeError): number | null {
  const own = error instanceof ProviderError ? error.retryAfterMs : error.details["retry_after_ms"];
  if (typeof own === "number" && own >= 0) return Math.max(1, Math.ceil(own / 1000));
  if (error instanceof ProviderError) return PROVIDER_STATUS[error.providerKind] === 503 ? 1 : null;
  if (statusOf(error) !== KIND_TABLE[error.kind].status) return null;
  return KIND_TABLE[error.kind].retryAfterS ?? null;
}

/** The document of an error. `requestId` is where a person finds an internal error in the log. */
export function toProblem(error: TroupeError, requestId: string): Problem {
  const { status, title } = { ...KIND_TABLE[error.kind], status: statusOf(error) };
  if (error.kind === "internal") {
    return {
      type: `${URN}:internal:internal`,
      title,
      status,
      code: "internal",
      detail: `Something went wrong inside Troupe. The server's log says more under ${requestId}.`,
      request_id: requestId,
    };
  }
  const provider =
    error instanceof ProviderError
      ? {
          provider_kind: error.providerKind,
          ...(error.status === undefined ? {} : { upstream_status: error.status }),
          ...(error.retryAfterMs === undefined ? {} : { retry_after_ms: error.retryAfterMs }),
        }
      : {};
  // The members of RFC 9457 come last: no detail can take their place.
  return {
    ...error.details,
    ...provider,
    type: `${URN}:${error.kind}:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
  };
}

/** The document as a response, with the headers that belong to its status. */
export function problemResponse(error: TroupeError, requestId: string): Response {
  const problem = toProblem(error, requestId);
  const headers = new Headers({ "content-type": PROBLEM_TYPE });
  const retryAfter = retryAfterOf(error);
  if (retryAfter !== null) headers.set("retry-after", String(retryAfter));
  if (problem.status === 401) headers.set("www-authenticate", 'Bearer realm="troupe"');
  if (problem.status === 405) headers.set("allow", String(error.details["allow"]));
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

/** What a server says before it is ready. A client has it back as a StoreError `starting`: nothing was taken, try again. */
export function startingResponse(): Response {
  const message = "Expected a server that is ready, but this one is still starting. Try again in a second.";
  return problemResponse(new StoreError("starting", message, { details: { retry_after_ms: 1_000 } }), "");
}

/** Whether a parsed body is a problem document of ours. */
export function isProblem(body: unknown): body is Problem {
  if (typeof body !== "object" || body === null) return false;
  const { type, code, detail } = body as Partial<Problem>;
  return (
    typeof type === "string" &&
    type.startsWith(`${URN}:`) &&
    typeof code === "string" &&
    typeof detail === "string"
  );
}

/** The error that a problem document was made from: same class, same code, same message, same details. */
export function fromProblem(problem: Problem): TroupeError {
  const { type, title: _title, status: _status, code, detail, ...details } = problem;
  const kind = type.split(":")[3] as ErrorKind;
  if (kind === "provider") return providerError(code, detail, details);
  const make = CONSTRUCTORS[kind] ?? CONSTRUCTORS.internal;
  return make(code, detail, details);
}

type Details = Readonly<Record<string, unknown>>;

const CONSTRUCTORS: Readonly<
  Record<Exclude<ErrorKind, "provider">, (code: string, message: string, details: Details) => TroupeError>
> = {
  config: (code, message, details) => new ConfigError(code, message, { details }),
  invalid_request: (code, message, details) => new InvalidRequestError(code, message, { details }),
  not_found: (code, message, details) => new NotFoundError(code, message, { details }),
  conflict: (code, message, details) => new ConflictError(code, message, { details }),
  limit: (code, message, details) => new LimitError(code, message, { details }),
  tool: (code, message, details) => new ToolError(code, message, { details }),
  store: (code, message, details) => new StoreError(code, message, { details }),
  cancelled: (_code, message, details) => new CancelledError(message, { details }),
  internal: (code, message, details) => new InternalError(code, message, { details }),
};

function providerError(code: string, message: string, extensions: Details): ProviderError {
  const {
    provider_kind: kind,
    upstream_status: status,
    retry_after_ms: retryAfterMs,
    ...details
  } = extensions;
  const known =
    typeof kind === "string" && kind in PROVIDER_STATUS ? (kind as ProviderErrorKind) : "malformed";
  return new ProviderError({ kind: known, code }, message, {
    details,
    ...(typeof status === "number" ? { status } : {}),
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
  });
}
