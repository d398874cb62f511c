// Events: recorded facts in the past tense. One envelope for everything (design.md §10.1), versioned per type.
// Token deltas are not events: they are ephemeral frames that share a stream with them (design.md §6).

import type { Phase, State } from "./lifecycle.ts";

/** The data of each event type. Adding a type is one line here; changing one raises EVENT_VERSION. */
export interface EventData {
  "task.spawned": {
    readonly goal: string;
    readonly agent: string;
    readonly model: string;
    readonly depth: number;
  };
  "task.admitted": { readonly waitedMs: number };
  "task.started": Record<string, never>;
  /** Taken up again after a restart; `resumes` counts how often the server died with it at work since its last turn. */
  "task.resumed": { readonly policy: string; readonly was: string; readonly resumes: number };
  /** Nothing came from what it waits for; `what` names that. */
  "task.stalled": { readonly what: string; readonly silentMs: number };
  /**
   * It goes on with another model of its route, or with the same on another backend (`freer_backend`). Models are written
   * as `provider/model`, with ` on backend` where that alone differs.
   */
  "task.rerouted": {
    readonly from: string;
    readonly to: string;
    readonly code: string;
    readonly reason: string;
  };
  "task.done": { readonly resultChars: number; readonly truncated: boolean };
  "task.failed": { readonly code: string; readonly message: string };
  "task.cancelled": { readonly reason: string; readonly resultKept: boolean };
  "task.released": Record<string, never>;
  "task.progressed": {
    readonly percent: number | null;
    readonly note: string | null;
    readonly partial: unknown;
  };
  "run.failed": { readonly code: string; readonly message: string; readonly retryInMs: number | null };
  "run.started": Record<string, never>;
  "turn.started": { readonly messages: number };
  "turn.finished": {
    readonly reason: string;
    readonly toolCalls: number;
    readonly promptTokens: number;
    readonly outputTokens: number;
  };
  "lease.requested": { readonly backend: string; readonly class: string };
  "lease.granted": { readonly leaseId: string; readonly backend: string; readonly waitedMs: number };
  "lease.released": { readonly leaseId: string; readonly heldMs: number };
  /** A key was refused before the first token, and the generation goes on with another; keys by fingerprint. */
  "credential.rotated": {
    readonly provider: string;
    readonly model: string;
    readonly from: string;
    readonly code: string;
    readonly message: string;
    readonly to: string;
  };
  "generation.preempted": { readonly by: string };
  "generation.retried": {
    readonly code: string;
    readonly message: string;
    /** Tries of the turn that have failed; a wait for what others hold, or for a server that is away, is none. */
    readonly attempt: number;
    readonly retryInMs: number;
  };
  "tool.requested": { readonly callId: string; readonly tool: string; readonly input: unknown };
  "tool.finished": {
    readonly callId: string;
    readonly tool: string;
    readonly isError: boolean;
    readonly chars: number;
    readonly ms: number;
  };
  /** A suspended call goes on: recorded before it acts, like `tool.requested`. */
  "tool.resumed": { readonly callId: string; readonly tool: string; readonly cause: string };
  /** An agent's runs failed too often in a while: told once, and no further run is begun until it is quiet. */
  "agent.escalated": { readonly agent: string; readonly failures: number; readonly periodMs: number };
  "tool.suspended": {
    readonly callId: string;
    readonly tool: string;
    readonly waitsFor: string;
    readonly taskIds: readonly string[];
    /** What a person is asked, where one is. */
    readonly prompt?: string;
    /** The task's parent is asked too. */
    readonly asks?: "parent";
  };
  "steer.queued": { readonly steerId: string; readonly interrupt: boolean };
  "steer.delivered": { readonly steerId: string };
  "steer.undelivered": { readonly steerId: string; readonly reason: string };
  "message.received": { readonly messageId: string };
  "answer.finished": { readonly text: string };
  "child.completed": { readonly childId: string; readonly state: string };
  "transcript.compacted": {
    readonly droppedRows: number;
    readonly beforeTokens: number;
    readonly afterTokens: number;
  };
  /** Most of a limit is used: told once for each limit, by the task whose use it was. `kind` is a key of `budget`. */
  "budget.warned": {
    /** The task whose subtree the budget is for. */
    readonly budgetOf: string;
    readonly kind: string;
    readonly used: number;
    readonly limit: number;
  };
  "cancel.requested": { readonly reason: string; readonly force: boolean };
}

export type EventType = keyof EventData;
export const EVENT_VERSION = 1;

/** An event before the store numbers it. */
export type NewEvent = { [T in EventType]: { readonly type: T; readonly data: EventData[T] } }[EventType];

/** An event as stored and shown. */
export interface StoredEvent {
  /** The store that numbered it; a cursor of another store is refused. */
  readonly storeId: string;
  /** Position in the whole store, increasing; the `Last-Event-ID` of a stream. */
  readonly cursor: number;
  /** Position in the task: gapless from 1. */
  readonly seq: number;
  readonly taskId: string;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly sessionId: string | null;
  readonly run: number;
  readonly turn: number;
  readonly state: State;
  readonly phase: Phase | null;
  readonly type: EventType;
  readonly version: number;
  readonly time: number;
  readonly traceparent: string | null;
  readonly data: EventData[EventType];
}

/** What a stream of events carries: facts, deltas for what is being written now, and honest gaps. */
export type EventFrame =
  | { readonly kind: "event"; readonly event: StoredEvent }
  | {
      readonly kind: "delta";
      readonly taskId: string;
      readonly channel: "text" | "thinking";
      readonly text: string;
    }
  /** Events were dropped for this reader: everything after `after` and before `before` must be fetched again. */
  | { readonly kind: "gap"; readonly after: number; readonly before: number | null };

/** Of which tasks a stream carries what their models are writing. */
export type DeltasOf = boolean | { has(taskId: string): boolean };

export function carriesDeltas(deltas: DeltasOf | undefined, taskId: string): boolean {
  return typeof deltas === "object" ? deltas.has(taskId) : deltas === true;
}
