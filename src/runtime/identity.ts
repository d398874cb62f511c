// Who a new task is: drawn by chance, or derived from an idempotency key, so that the same key gives the same task
// however often it is asked for. Pure but for the chance.

import { derivedId, newId, sha256, type Random } from "../base/ids.ts";
import type { Caller, DelegateRequest, SessionRequest } from "../core/api.ts";

export interface Identity {
  readonly id: string;
  /** SHA-256 of the request, to tell another one under the same key; empty without a key. */
  readonly requestHash: string;
}

/** The identity of what a request asks for. Keys of different callers never meet. */
export function identityOf(
  prefix: "task" | "ses",
  request: DelegateRequest | SessionRequest,
  by: { readonly caller: Caller; readonly random: Random },
): Identity {
  const key = request.idempotencyKey;
  if (key === undefined) return { id: newId(prefix, by.random), requestHash: "" };
  const { taskId, name } = by.caller;
  return {
    // As JSON, so that no key can be written to meet another caller's.
    id: derivedId(prefix, JSON.stringify([taskId, taskId === null ? name : null, key])),
    requestHash: sha256(canonical(request)),
  };
}

/** JSON with sorted keys, so that equal requests have equal hashes. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
