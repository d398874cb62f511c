// The doors of a server that is stopping: new tasks and conversations are refused, everything else goes on. A child that a
// task delegates meanwhile is no new work of a person's: it is kept in the store and begins at the next start.

import { StoreError } from "./base/errors.ts";
import type { TroupeApi } from "./core/api.ts";

/** Clients come again after this time: by then a server that is started again is there. */
const RETRY_AFTER_MS = 5_000;

/** The calls that bring new work. */
export const ADMITTING: ReadonlySet<PropertyKey> = new Set<keyof TroupeApi>([
  "delegate",
  "delegateBatch",
  "createSession",
]);

export function drainingError(): StoreError {
  return new StoreError(
    "draining",
    "Expected a server that takes new tasks, but this one is stopping; what it has is kept. Try again once it has " +
      "started again.",
    { details: { retry_after_ms: RETRY_AFTER_MS } },
  );
}

/** The same API without new tasks. Contract: those calls reject with StoreError `draining` and change nothing. */
export function withoutNewTasks(api: TroupeApi): TroupeApi {
  return new Proxy(api, {
    get: (target, key) => {
      if (ADMITTING.has(key)) return () => Promise.reject(drainingError());
      const value: unknown = Reflect.get(target, key);
      // Its methods reach private fields, which a proxy has not.
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
