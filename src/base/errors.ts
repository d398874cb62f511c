// The errors of Troupe: a class per reaction of the caller, a `code` per cause (design.md §9).
// Every message says what was expected, what came, and what to do. No message ever holds a secret.

/** Which surface decides what from an error: HTTP status and exit code are tables keyed by this word. */
export type ErrorKind =
  | "config"
  | "invalid_request"
  | "not_found"
  | "conflict"
  | "limit"
  | "provider"
  | "tool"
  | "store"
  | "cancelled"
  | "internal";

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Facts that a program can use (ids, limits, the config key to raise). JSON values only, never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The base of everything that Troupe throws on purpose. */
export abstract class TroupeError extends Error {
  abstract readonly kind: ErrorKind;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The configuration or the environment is wrong: a person must mend it before anything can run. */
export class ConfigError extends TroupeError {
  override readonly kind = "config";
}

/** The caller sent something that can never work as sent. */
export class InvalidRequestError extends TroupeError {
  override readonly kind = "invalid_request";
}

/** The thing named does not exist, or this caller may not know that it does. */
export class NotFoundError extends TroupeError {
  override readonly kind = "not_found";
}

/** The request is well formed, but the present state refuses it (a task that has ended, a reused key). */
export class ConflictError extends TroupeError {
  override readonly kind = "conflict";
}

/** A limit was reached; `details.config_key` names the key that would raise it, where one exists. */
export class LimitError extends TroupeError {
  override readonly kind = "limit";
}

/** What went wrong between us and a model server (design.md §5). */
export type ProviderErrorKind =
  | "auth"
  | "rate_limited"
  | "quota"
  | "overloaded"
  | "timeout"
  | "network"
  | "context_length"
  | "refused"
  | "malformed";

/** Kinds that a second try with the same request may survive. */
const TRANSIENT_KINDS: ReadonlySet<ProviderErrorKind> = new Set([
  "rate_limited",
  "overloaded",
  "timeout",
  "network",
  "malformed",
]);

/**
 * Whom a refusal for too many requests was counted for: the model under this key, everything under the key, or the
 * model whoever asks.
 */
export type LimitScope = "key_model" | "key" | "model";

export interface ProviderErrorOptions extends ErrorOptions {
  /** HTTP status, when a response came at all. */
  readonly status?: number;
  /** How long the server asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** For `rate_limited`, where the server told; the model under the key when absent. */
  readonly limitScope?: LimitScope;
}

/** A model server refused, failed or broke off; `providerKind` is the reaction, `code` the cause. */
export class ProviderError extends TroupeError {
  override readonly kind = "provider";
  readonly providerKind: ProviderErrorKind;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly limitScope: LimitScope;

  constructor(
    what: { readonly kind: ProviderErrorKind; readonly code: string },
    message: string,
    options: ProviderErrorOptions = {},
  ) {
    super(what.code, message, options);
    this.providerKind = what.kind;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.limitScope = options.limitScope ?? "key_model";
  }

  /** Whether the same request may succeed later. Derived from the kind, in this one place. */
  get transient(): boolean {
    return TRANSIENT_KINDS.has(this.providerKind);
  }
}

/** A tool could not do what it was asked; it becomes a tool result and never ends a run. */
export class ToolError extends TroupeError {
  override readonly kind = "tool";
}

/** The store refused or failed a write: `fenced`, `sequence`, `full`, `busy`, `closed`. Nothing was acknowledged. */
export class StoreError extends TroupeError {
  override readonly kind = "store";
}

/** The work was called off by its owner; not a failure. */
export class CancelledError extends TroupeError {
  override readonly kind = "cancelled";

  constructor(message = "The operation was cancelled.", options?: ErrorOptions) {
    super("cancelled", message, options);
  }
}

/** A defect of Troupe itself. */
export class InternalError extends TroupeError {
  override readonly kind = "internal";
}

/** The text of anything thrown; never throws itself. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === "string" ? thrown : String(thrown);
}

/** What was thrown as a TroupeError: itself, or an InternalError with code `unexpected` that keeps it as its cause. */
export function toTroupeError(thrown: unknown): TroupeError {
  if (thrown instanceof TroupeError) return thrown;
  return new InternalError("unexpected", `Unexpected failure: ${messageOf(thrown)}`, { cause: thrown });
}
