// A task: the durable unit of work. Its spec is frozen when it is submitted; its record is what the store keeps.

import type { Phase, SchedulingClass, State, TerminalState } from "./lifecycle.ts";
import type { TaskLimits, TreeBudget, Usage } from "./limits.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { WorktreeEnd, WorktreeSpec } from "./worktree.ts";

export type TaskKind = "task" | "session";
export type TaskRole = "leaf" | "orchestrator";

/** Which model, where: names of the config, resolved to a backend before the task is submitted. */
export interface ModelRef {
  /** The name of a provider in the config (`ollama`). */
  readonly provider: string;
  /** The model's name on that provider (`qwen3:8b`). */
  readonly model: string;
  /** The backend that serves it: one model server or endpoint, and the unit that generation leases are for. */
  readonly backend: string;
}

/** A model that was passed over, and why, in words. */
export interface SkippedModel {
  /** `provider/model`. */
  readonly model: string;
  readonly reason: string;
}

/** Where a task may run; pinned when it was accepted. A task with a single model and nothing passed over has none. */
export interface TaskRoute {
  /** All that can serve it, in the order in which they are to be tried. */
  readonly candidates: readonly ModelRef[];
  readonly skipped: readonly SkippedModel[];
  /** Whether a failed try is made once more with a stronger candidate. */
  readonly escalate: boolean;
}

/** One change of a task's model while it ran, and why. */
export interface Reroute {
  readonly from: ModelRef;
  readonly to: ModelRef;
  /** The code of the failure that caused it. */
  readonly code: string;
  readonly reason: string;
  readonly time: number;
  /** What the task had cost by then, in micros. */
  readonly costMicros: number;
}

/** The same as surfaces show it, models written as `provider/model`. */
export interface Rerouted extends Pick<Reroute, "code" | "reason" | "time"> {
  readonly from: string;
  readonly to: string;
}

/** The agent definition as the task pinned it: a later change of the config does not change a running task. */
export interface PinnedAgent {
  readonly name: string;
  /** SHA-256 of the definition. */
  readonly hash: string;
  readonly instructions: string;
}

/** Everything that was decided when the task was accepted. Never changes. */
export interface TaskSpec {
  readonly id: string;
  readonly kind: TaskKind;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly sessionId: string | null;
  readonly depth: number;
  readonly role: TaskRole;
  readonly agent: PinnedAgent;
  readonly goal: string;
  readonly context: string | null;
  /** Where it began; a task with a route may go on elsewhere. */
  readonly model: ModelRef;
  readonly route?: TaskRoute;
  readonly toolsets: readonly string[];
  /** `box:<box id>:<absolute path>`: a workspace is bound to a box, and a claim filters by it. */
  readonly workspace: string;
  /** The workspace is a git worktree of its own, made when it starts; absent where it shares one. */
  readonly worktree?: WorktreeSpec;
  readonly limits: TaskLimits;
  /** A root's is its tree's; below a root that of the subtree, within those above, or `null` for none of its own. */
  readonly budget: TreeBudget | null;
  readonly schedulingClass: SchedulingClass;
  /** A detached task outlives its parent's end and cancel. */
  readonly detached: boolean;
  readonly outputSchema: JsonSchema | null;
  readonly machine: { readonly id: "agent"; readonly version: number };
  /** SHA-256 of the request that made it, so that a reused idempotency key with another body is a conflict. */
  readonly requestHash: string;
  readonly createdAt: number;
  readonly traceparent: string | null;
}

/** Why a task failed. `code` is a stable word: `timeout`, `budget`, `max_turns`, `empty_answer`, `tool_loop`, … */
export interface TaskFailure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** The end of a task: exactly one per task, absorbing. */
export interface TaskEnd {
  readonly state: TerminalState;
  /** The final summary; present for `done`, and kept for `cancelled` when something was already produced. */
  readonly result: string | null;
  readonly truncated: boolean;
  readonly failure: TaskFailure | null;
  /** The models that it changed to, oldest first; absent when it stayed where it began. */
  readonly reroutes?: readonly Reroute[];
  /** What is left of its worktree; absent where it had none. */
  readonly worktree?: WorktreeEnd;
}

/** The last report of progress. */
export interface Progress {
  readonly percent: number | null;
  readonly note: string | null;
  readonly partial: unknown;
  readonly time: number;
}

/** What the store keeps of a task beside its rows. `seq` is the number of its last event. */
export interface TaskRecord {
  readonly spec: TaskSpec;
  readonly state: State;
  readonly phase: Phase | null;
  readonly seq: number;
  readonly epoch: number;
  readonly run: number;
  readonly turn: number;
  readonly usage: Usage;
  readonly progress: Progress | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** When the last lease, place and slot of the task were given back: done is not released. */
  readonly releasedAt: number | null;
  /** When somebody was first told its end by asking for it. */
  readonly readAt: number | null;
  readonly end: TaskEnd | null;
}
