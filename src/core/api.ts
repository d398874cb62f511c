// The one API (design.md §1.2). Runtime implements it in process, http/client over fetch; the HTTP server, the
// CLI and the delegation tools consume it and nothing else. An implementation is always bound to one caller.
//
// A1. No call but `collect`, `events` and `closeSession` waits for a model or a tool: the others return when the
//     store has acknowledged.
// A2. A caller bound to a task sees that task and its descendants; everything else is NotFoundError `task_not_found`.

import type { BoxApi } from "./box-api.ts";
import type { DeltasOf, EventFrame, StoredEvent } from "./event.ts";
import type { Phase, SchedulingClass, State } from "./lifecycle.ts";
import type { RestartPolicy, TreeBudget, Usage } from "./limits.ts";
import type { TranscriptRow } from "./message.ts";
import type { Answer } from "./question.ts";
import type { ModelRef, Rerouted, Progress, SkippedModel, TaskFailure, TaskKind, TaskRole } from "./task.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Isolation, WorktreeEnd } from "./worktree.ts";

export type Scope = "read" | "control" | "admin";

/** Who calls. `taskId` binds a model's tools to their own task; `name` is for the log. */
export interface Caller {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly taskId: string | null;
  /** Which of the tokens that people made it came with. */
  readonly tokenId?: string;
}

export interface DelegateRequest {
  readonly goal: string;
  readonly context?: string;
  /** A name under `agents:`; absent means the default child. */
  readonly agent?: string;
  readonly toolsets?: readonly string[];
  readonly role?: TaskRole;
  /** Only for callers that are not tasks: `provider/model` or a model name. */
  readonly model?: string;
  /** The parent; a caller bound to a task may only name itself or a descendant, and defaults to itself. */
  readonly parentId?: string;
  /** Makes the call repeatable: the same key with the same request gives the same task. */
  readonly idempotencyKey?: string;
  readonly schedulingClass?: SchedulingClass;
  readonly detached?: boolean;
  readonly timeoutMs?: number;
  readonly deadlineMs?: number;
  readonly maxTurns?: number;
  readonly retryLimit?: number;
  /** What becomes of it when the server stops while it runs; the agent's definition says when absent. */
  readonly onRestart?: RestartPolicy;
  readonly outputSchema?: JsonSchema;
  /** For it and everything below it together; below a parent never more than what the budgets above allow. */
  readonly budget?: Partial<TreeBudget>;
  /** Absolute path; must lie in the server's workspace root. */
  readonly workspace?: string;
  /** `worktree`: it works in a git worktree of its own of that workspace, as it does anyway where the config says so. */
  readonly isolation?: Isolation;
}

/** What `delegate` returns at once. */
export interface TaskHandle {
  readonly taskId: string;
  readonly state: State;
  readonly phase: Phase | null;
  readonly queuePosition: number | null;
  /** False when the idempotency key had made this task before. */
  readonly created: boolean;
  /** Where a person can watch it; `null` where no server runs. */
  readonly link: string | null;
  /** Whether the agent's definition asks for a call that does not wait (`agents.<name>.async`). */
  readonly async: boolean;
  /** What whoever delegated should know of how the task was made, in words; `null` when there is nothing. */
  readonly note: string | null;
}

export type SteerState = "queued" | "delivered" | "undelivered";

export interface SteerReceipt {
  readonly steerId: string;
  readonly taskId: string;
  readonly state: SteerState;
  readonly interrupt: boolean;
  /** The turn that took it, once delivered. */
  readonly turn: number | null;
  readonly reason: string | null;
  readonly time: number;
}

/** Where a task may run, and where it went. Models are written as `provider/model`. */
export interface RouteView {
  /** All that can serve it, in the order in which they are tried. */
  readonly candidates: readonly string[];
  readonly skipped: readonly SkippedModel[];
  /** Changes of model so far, oldest first. */
  readonly reroutes: readonly Rerouted[];
}

/** What a task and everything below it have used, and what is left to them. */
export interface Spending {
  /** Of the task and everything below it. */
  readonly subtree: Usage;
  /** Its own budget; `null` where only those above it count. */
  readonly budget: TreeBudget | null;
  /** What may still be used, by its own budget and those above (by its own alone once it has ended); `null`: no limit. */
  readonly remaining: TreeBudget;
}

/** Everything a surface shows of one task. Times are milliseconds since the epoch. */
export interface TaskView {
  readonly taskId: string;
  readonly kind: TaskKind;
  readonly parentId: string | null;
  readonly rootId: string;
  readonly sessionId: string | null;
  readonly depth: number;
  readonly role: TaskRole;
  readonly agent: string;
  readonly goal: string;
  /** The model that it runs on now, or ran on last. */
  readonly model: ModelRef;
  /** `null` for a task with a single model. */
  readonly route: RouteView | null;
  readonly toolsets: readonly string[];
  readonly workspace: string;
  readonly state: State;
  readonly phase: Phase | null;
  /** 1 is next; `null` when it waits for nothing. */
  readonly queuePosition: number | null;
  /** Why it waits, in words; `null` when it does not. */
  readonly waitsFor: string | null;
  readonly run: number;
  readonly turn: number;
  readonly usage: Usage;
  readonly spending: Spending;
  readonly progress: Progress | null;
  readonly steers: readonly SteerReceipt[];
  readonly children: readonly string[];
  /** The last lines of output, oldest first. */
  readonly tail: readonly string[];
  readonly failure: TaskFailure | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly releasedAt: number | null;
  readonly lastEvent: number;
  readonly link: string | null;
}

/** The answer of `collect`: the end of the task, or `finished: false` when the wait was over first. */
export interface TaskResult {
  readonly taskId: string;
  readonly finished: boolean;
  readonly state: State;
  readonly phase: Phase | null;
  readonly result: string | null;
  readonly truncated: boolean;
  readonly failure: TaskFailure | null;
  readonly usage: Usage;
  /** What is left of its worktree, once it has ended; absent where it had none. */
  readonly worktree?: WorktreeEnd;
}

export interface CancelReceipt {
  readonly taskId: string;
  /** Tasks of the subtree that this call marked, this one included; empty when all had ended. */
  readonly cancelled: readonly string[];
  /** The state after the call was acknowledged. */
  readonly state: State;
}

export interface ListQuery {
  readonly state?: State;
  readonly parentId?: string;
  readonly rootId?: string;
  readonly kind?: TaskKind;
  /** Opaque; from the page before. */
  readonly cursor?: string;
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface TreeNode {
  readonly taskId: string;
  readonly kind: TaskKind;
  readonly agent: string;
  readonly goal: string;
  readonly model: string;
  readonly state: State;
  readonly phase: Phase | null;
  readonly queuePosition: number | null;
  readonly waitsFor: string | null;
  readonly progress: Progress | null;
  readonly lastLine: string | null;
  /** Why it failed; `null` for one that did not. */
  readonly failure: TaskFailure | null;
  readonly usage: Usage;
  readonly spending: Spending;
  /** Milliseconds since the epoch, as in `TaskView`. */
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** The task sequence of the last event that this shows: what comes later is applied to it. */
  readonly lastEvent: number;
  readonly children: readonly TreeNode[];
}

export interface EventsQuery {
  /** Resume after this cursor; absent starts with what happens now, 0 with all that is kept. */
  readonly after?: number;
  readonly taskId?: string;
  readonly rootId?: string;
  /** Also carry what models are writing: all of them, or those of the tasks that it has at the time. */
  readonly deltas?: DeltasOf;
  readonly signal?: AbortSignal;
}

/** `after` is a cursor; absent or 0 begins with the oldest event that is kept. */
export interface HistoryQuery extends TranscriptQuery {
  readonly taskId?: string;
  readonly rootId?: string;
}

export interface TranscriptQuery {
  readonly after?: number;
  readonly limit?: number;
}

export interface SessionRequest {
  readonly agent?: string;
  readonly model?: string;
  readonly toolsets?: readonly string[];
  readonly workspace?: string;
  readonly budget?: Partial<TreeBudget>;
  readonly idempotencyKey?: string;
}

export interface SteerRequest {
  readonly message: string;
  /** Aborts the generation in flight and folds the message in at once. */
  readonly interrupt?: boolean;
  /** Makes the call repeatable; a new id when absent. */
  readonly steerId?: string;
}

export interface SessionMessage {
  readonly text: string;
  readonly messageId?: string;
}

export interface CancelRequest {
  readonly reason?: string;
  /** Does not wait for the task to let go: ends it at once. */
  readonly force?: boolean;
}

export interface CollectRequest {
  /** Milliseconds to wait; 0 answers at once; absent waits until the end. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Tasks and sessions. Every method throws TroupeErrors only. */
export interface TaskApi {
  delegate(request: DelegateRequest): Promise<TaskHandle>;
  /** Several at once, all or none: when one request is refused, nothing is spawned. Handles in the order asked. */
  delegateBatch(requests: readonly DelegateRequest[]): Promise<readonly TaskHandle[]>;
  check(taskId: string): Promise<TaskView>;
  list(query?: ListQuery): Promise<Page<TaskView>>;
  /** Refuses a task that has ended: ConflictError `task_ended`, with its state. */
  steer(taskId: string, request: SteerRequest): Promise<SteerReceipt>;
  /** Idempotent: the same bytes every time. Never changes the task. */
  collect(taskId: string, request?: CollectRequest): Promise<TaskResult>;
  /** Cancels the whole subtree; idempotent. Returns once it is marked, not once it has let go. */
  cancel(taskId: string, request?: CancelRequest): Promise<CancelReceipt>;
  tree(rootId?: string): Promise<readonly TreeNode[]>;
  events(query?: EventsQuery): AsyncIterable<EventFrame>;
  /** Stored events, oldest first. A page may hold fewer than its limit; `nextCursor` is the `after` of the next, `null` at the end. */
  history(query?: HistoryQuery): Promise<Page<StoredEvent>>;
  transcript(taskId: string, query?: TranscriptQuery): Promise<Page<TranscriptRow>>;
  createSession(request?: SessionRequest): Promise<TaskView>;
  /** A chat message; the same mechanism as a steer. Never waits for children or models. */
  sendMessage(sessionId: string, message: SessionMessage): Promise<SteerReceipt>;
  /** `/stop`: ends what the session's agent is doing and cancels its children; the session stays. */
  stopSession(sessionId: string): Promise<CancelReceipt>;
  /** Ends the session and cancels its children unless they were detached. */
  closeSession(sessionId: string): Promise<CancelReceipt>;
  /** Answers a task that asks. To a question that is over, or by an agent that is not asked: ConflictError `nothing_asked`. */
  answer(taskId: string, answer: Answer): Promise<SteerReceipt>;
  /** Records progress; for the task itself. */
  reportProgress(
    taskId: string,
    progress: { readonly percent?: number; readonly note?: string; readonly partial?: unknown },
  ): Promise<void>;
}

/** Both halves, as one caller has them. */
export interface TroupeApi extends TaskApi, BoxApi {}
