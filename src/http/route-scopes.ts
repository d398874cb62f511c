// The one table of who may call what: each operation of the API by its id, with the scope that a token needs for it.
// `route.ts` asks here for every route, and a route that does not stand here does not compile. Each scope has those
// before it: what may control may read, and an admin may do everything.

import type { Scope } from "../core/api.ts";

export const ROUTE_SCOPES = {
  openapi: "read",
  listTasks: "read",
  checkTask: "read",
  readTranscript: "read",
  collectTask: "read",
  showTree: "read",
  listGpus: "read",
  listProviders: "read",
  showMachine: "read",
  showStatus: "read",
  streamEvents: "read",
  readHistory: "read",
  delegateTask: "control",
  delegateBatch: "control",
  steerTask: "control",
  cancelTask: "control",
  answerTask: "control",
  reportProgress: "control",
  createSession: "control",
  sendMessage: "control",
  stopSession: "control",
  closeSession: "control",
  pause: "admin",
  switchKey: "admin",
} as const satisfies Readonly<Record<string, Scope>>;

export type OperationId = keyof typeof ROUTE_SCOPES;

/** For every WebSocket: what it shows is what the routes that read show. */
export const SOCKET_SCOPE: Scope = "read";

/** From the least to the most. */
export const SCOPES: readonly Scope[] = ["read", "control", "admin"];

/** What a token of this scope may do: the scope, and those below it. */
export function scopesUpTo(scope: Scope): readonly Scope[] {
  return SCOPES.slice(0, SCOPES.indexOf(scope) + 1);
}
