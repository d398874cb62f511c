// What a model server's refusal says of the key that it was sent with: whom it holds for, and whether another key may
// be tried at once. The table of the pool's design (docs/adr/0020) as one pure function; it keeps no state.

import type { LimitScope, ProviderError } from "../base/errors.ts";

/** How long the server asked to wait, in milliseconds; `null` where it did not say. */
type Hint = number | null;

export type KeySignal =
  /** Says nothing of the key: the request itself was refused, or the caller went away. */
  | { readonly about: "nothing" }
  /** The key was not accepted; `final` when the server says that it never will be again. */
  | { readonly about: "auth"; readonly final: boolean }
  /** The key's money or quota is used up. */
  | { readonly about: "money"; readonly hintMs: Hint }
  | {
      readonly about: "rate";
      readonly hintMs: Hint;
      readonly scope: LimitScope;
      readonly concurrency: boolean;
    }
  /** This model is not for this key. */
  | { readonly about: "model" }
  /** Everybody who asks this server has to wait. */
  | { readonly about: "overload"; readonly hintMs: Hint }
  /** The server or the way to it is sick, whatever the key. */
  | { readonly about: "backend" };

/** Whether the same request may go out at once with another key: whenever it helps, once, or not at all. */
export type Rotation = "next" | "once" | "never";

export interface Judgement {
  readonly signal: KeySignal;
  readonly rotation: Rotation;
}

const NOTHING: Judgement = { signal: { about: "nothing" }, rotation: "never" };

/** `protocol` is how the server is spoken to: an Ollama's 503 is its full queue, and a cloud's is its overload. */
export function judgementOf(error: ProviderError, protocol: string): Judgement {
  const hintMs = error.retryAfterMs ?? null;
  switch (error.providerKind) {
    case "auth":
      return { signal: { about: "auth", final: error.code === "key_revoked" }, rotation: "next" };
    case "quota":
      return { signal: { about: "money", hintMs }, rotation: "next" };
    case "rate_limited": {
      const concurrency = error.code === "concurrency_limit";
      return { signal: { about: "rate", hintMs, scope: error.limitScope, concurrency }, rotation: "next" };
    }
    case "overloaded":
      // Out of memory, or a queue that is full: the scheduler asks less of the server, and no key is at fault.
      if (error.code === "out_of_memory" || protocol === "ollama") return NOTHING;
      return { signal: { about: "overload", hintMs }, rotation: "never" };
    case "timeout":
      return { signal: { about: "backend" }, rotation: error.status === 504 ? "once" : "never" };
    case "network":
      return { signal: { about: "backend" }, rotation: error.code === "server_error" ? "once" : "never" };
    case "refused":
      return refused(error);
    default:
      return NOTHING;
  }
}

function refused({ code, status }: ProviderError): Judgement {
  if (code === "permission") return { signal: { about: "model" }, rotation: "next" };
  if (code === "model_not_found")
    return { signal: { about: "model" }, rotation: status === 403 ? "next" : "never" };
  return NOTHING;
}
