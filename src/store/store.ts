// The seam between the runtime and what outlives it (design.md §6). Memory is the reference implementation.
//
// D1. `submit` is idempotent by id; an acknowledged task is never lost while the store's medium lives.
// D2. `commit` is one atomic step: all of it, or none of it and a StoreError.
// D3. Every write of a claimed task carries (epoch, expected sequence): a stale epoch is `fenced`, another
//     sequence is `sequence`. Neither changes anything.
// D4. Events of one task are gapless from 1; cursors of the whole store only increase.
// D5. An inbox entry is taken exactly once: the cursor moves inside `commit`. Entries are ordered per task and
//     deduplicated by message id. A task that has ended accepts no steer.
// D6. Exactly one terminal commit per task; afterwards every commit is refused as `ended`.
// D7. Outbox messages of a commit are in their addressees' inboxes when the commit is acknowledged. One that an
//     ended addressee cannot take is dropped, never an error.
// D8. `prune` removes whole trees, and none that somebody has yet to read: a tree stays while a task of it lives, while
//     its root's end was not read, while a task of it has a result that neither its parent took nor anybody read, and
//     while one of its events lies beyond the cursor of a reader. A session that has ended counts as read.
// D9. What the box keeps by name beside its tasks is replaced as a whole and belongs to no task: `prune` leaves it.

import type { EventType, NewEvent, StoredEvent } from "../core/event.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import type { Usage } from "../core/limits.ts";
import type { Message, TranscriptRow } from "../core/message.ts";
import type { Progress, TaskEnd, TaskKind, TaskRecord, TaskSpec } from "../core/task.ts";
import type { Page, SteerState } from "../core/api.ts";

/** What can lie in a task's inbox. `id` deduplicates. */
export type InboxMessage =
  | {
      readonly kind: "steer";
      readonly id: string;
      readonly from: string;
      readonly text: string;
      readonly interrupt: boolean;
    }
  | { readonly kind: "message"; readonly id: string; readonly from: string; readonly text: string }
  | {
      readonly kind: "answer";
      readonly id: string;
      readonly from: string;
      readonly text: string;
      /** The call that it answers, where whoever answers named one. */
      readonly questionId?: string;
    }
  | {
      /** A child's question to its parent, in the commit with which the child begins to wait. */
      readonly kind: "question";
      readonly id: string;
      readonly from: string;
      readonly childId: string;
      /** The call that asks. */
      readonly questionId: string;
      readonly text: string;
    }
  | {
      readonly kind: "completion";
      /** The child's task id, so that each child completes once. */
      readonly id: string;
      readonly end: TaskEnd;
      readonly goal: string;
    }
  | {
      readonly kind: "cancel";
      readonly id: string;
      readonly from: string;
      readonly reason: string;
      readonly force: boolean;
    };

/** An inbox message with its place and what became of it. */
export interface InboxEntry {
  readonly taskId: string;
  /** Gapless per task from 1. */
  readonly position: number;
  readonly time: number;
  readonly message: InboxMessage;
  readonly state: SteerState;
  /** The turn that took it. */
  readonly turn: number | null;
  readonly reason: string | null;
}

export interface SendReceipt {
  readonly accepted: boolean;
  /** The same id was sent before: nothing was added. */
  readonly duplicate: boolean;
  /** The entry as it stands (of the first sending, for a duplicate); `null` when refused. */
  readonly entry: InboxEntry | null;
  /** The state of the task when the message was taken or refused. */
  readonly state: State;
}

/** A durable timer of a task; the runtime arms it again after a restart. */
export interface TimerRow {
  readonly name: string;
  /** Wall-clock milliseconds. */
  readonly dueAt: number;
}

/** What a task that was claimed before needs to go on, read in the step that claims it. */
export interface ResumePoint {
  /** The last snapshot committed, or `null`. */
  readonly snapshot: unknown;
  readonly timers: readonly TimerRow[];
  /** Inbox entries up to this position were taken. */
  readonly inboxCursor: number;
  /** Index of the last transcript row, 0 when the task has none. */
  readonly lastIndex: number;
}

/** Ownership of one task by one box for a while. `epoch` rises with every claim. */
export interface Claim {
  readonly taskId: string;
  readonly owner: string;
  readonly epoch: number;
  /** The task's sequence when it was claimed: the first `expectedSeq`. */
  readonly seq: number;
  readonly record: TaskRecord;
  /** `null` on a task's first claim, when there is nothing to go on from. */
  readonly resume: ResumePoint | null;
}

/** One atomic step of a task. Absent parts stay as they are. */
export interface CommitWrite {
  readonly events?: readonly NewEvent[];
  /** Appended to the transcript. */
  readonly messages?: readonly Message[];
  /** Rows with an index up to this one are no longer part of the conversation (compaction); they stay readable. */
  readonly compactedTo?: number;
  /** The machine's persisted snapshot: small, JSON. */
  readonly snapshot?: unknown;
  /** Replaces the task's timers. */
  readonly timers?: readonly TimerRow[];
  /** Inbox entries up to this position are taken. */
  readonly inboxCursor?: number;
  readonly state?: State;
  readonly phase?: Phase | null;
  readonly run?: number;
  readonly turn?: number;
  readonly usage?: Usage;
  readonly progress?: Progress;
  readonly startedAt?: number;
  readonly releasedAt?: number;
  /** Messages for other tasks' inboxes. */
  readonly outbox?: readonly { readonly to: string; readonly message: InboxMessage }[];
  /** The end of the task. Entries still queued become `undelivered`. */
  readonly terminal?: TaskEnd;
}

export interface CommitReceipt {
  readonly seq: number;
  /** The events as stored, in order. */
  readonly events: readonly StoredEvent[];
  /** Transcript index of the last row written, 0 when the task has none. */
  readonly lastIndex: number;
}

export interface StoreListQuery {
  readonly state?: State;
  readonly parentId?: string;
  readonly rootId?: string;
  readonly kind?: TaskKind;
  /** Only tasks that have ended and were never marked released. */
  readonly unreleased?: true;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface WatchQuery {
  /** Only events after this cursor. */
  readonly after: number;
  readonly taskId?: string;
  /** With `taskId`: only events of a higher sequence than this. */
  readonly afterSeq?: number;
  readonly rootId?: string;
  readonly types?: readonly EventType[];
  readonly limit?: number;
}

export interface SubmitReceipt {
  readonly record: TaskRecord;
  readonly created: boolean;
}

/** What may go: whole trees, all of whose tasks ended before a time, oldest end first. */
export interface PruneQuery {
  /** Wall-clock milliseconds; only trees whose last end is older go by age. */
  readonly endedBefore: number;
  /** The medium may take at most so many bytes; while it takes more, younger trees go too. No bound when absent. */
  readonly maxBytes?: number;
}

export interface PruneReceipt {
  /** Tasks that were removed with all their rows. */
  readonly tasks: number;
  /** Ended trees that `endedBefore` or `maxBytes` would have taken, and that stay because somebody has not read them. */
  readonly unread: number;
  /** What the medium takes now. */
  readonly bytes: number;
}

/** What an acknowledgement means: lost with the process, survives `kill -9`, survives power loss. */
export type Durability = "none" | "normal" | "full";

export interface Store {
  /** Names this store's cursors. */
  readonly storeId: string;
  readonly durability: Durability;

  /** Accepts a task and writes its first event. A second submit of the id returns the first record, `created: false`. */
  submit(spec: TaskSpec, event: NewEvent): Promise<SubmitReceipt>;
  /** The same for several tasks in one atomic step: all are accepted, or none and it throws. */
  submitAll(
    tasks: readonly { readonly spec: TaskSpec; readonly event: NewEvent }[],
  ): Promise<readonly SubmitReceipt[]>;
  /**
   * Takes up to `max` unowned tasks that have not ended, oldest submission first, for tasks of this box's workspaces.
   * A claim lasts `ttlMs` unless renewed; each one raises the task's epoch. One that has expired may be taken by
   * others; until somebody does, its owner may still renew it and write.
   * With `request`, an owner that repeats its last request gets the same claims again and takes no others, so that
   * an answer that was lost loses no task.
   */
  claim(options: {
    readonly owner: string;
    readonly request?: string;
    readonly boxId: string;
    readonly ttlMs: number;
    readonly max: number;
  }): Promise<readonly Claim[]>;
  /** Renews all claims of the owner; returns the ids that were lost. */
  heartbeat(owner: string, ttlMs: number): Promise<readonly string[]>;
  /** Gives up all claims of the owner, so that others may take them now. Returns their ids. */
  release(owner: string): Promise<readonly string[]>;

  commit(
    claim: Pick<Claim, "taskId" | "epoch">,
    expectedSeq: number,
    write: CommitWrite,
  ): Promise<CommitReceipt>;
  /**
   * Notes when the task's last lease, place and slot were given back, with its event; the one write that an
   * ended task accepts, once.
   */
  markReleased(taskId: string, time: number, event: NewEvent): Promise<void>;
  /** Notes when somebody was first told the task's end; later calls, and calls for a task that lives, do nothing. */
  markRead(taskId: string, time: number): Promise<void>;

  send(taskId: string, message: InboxMessage): Promise<SendReceipt>;
  /** Entries after `after`, oldest first, taken or not. */
  inbox(taskId: string, after: number): Promise<readonly InboxEntry[]>;

  get(taskId: string): Promise<TaskRecord | null>;
  list(query: StoreListQuery): Promise<Page<TaskRecord>>;
  /** How many tasks are in each state; cheap, whatever their number. */
  counts(): Promise<Readonly<Record<State, number>>>;
  /** The last snapshot committed, or `null`. */
  snapshot(taskId: string): Promise<unknown>;
  timers(taskId: string): Promise<readonly TimerRow[]>;
  /** What a task and all below it have used together, ended ones included; of a root, its whole tree. */
  treeUsage(taskId: string): Promise<Usage>;
  /** Transcript rows after index `after`; `live: true` leaves out what compaction dropped from the conversation. */
  transcript(
    taskId: string,
    query: { readonly after?: number; readonly limit?: number; readonly live?: boolean },
  ): Promise<readonly TranscriptRow[]>;
  /** Events after a cursor, oldest first. */
  events(query: WatchQuery): Promise<readonly StoredEvent[]>;
  /** The newest cursor, and the oldest one still kept (for honest gaps). */
  bounds(): Promise<{ readonly oldest: number; readonly newest: number }>;
  /**
   * Calls `wake` after each acknowledged write that made events; returns the unsubscriber.
   * A hint only: it may be late or doubled, and the rows are the truth.
   */
  onWrite(wake: (events: readonly StoredEvent[]) => void): () => void;

  /** How far a reader of the whole event log has come, 0 for one that is new; see D8. */
  readerCursor(reader: string): Promise<number>;
  /** Everybody who reads the whole event log, in the order of their names. */
  readers(): Promise<readonly string[]>;
  /** Notes how far it has come; a cursor never goes back. `null` forgets the reader. */
  moveReader(reader: string, cursor: number | null): Promise<void>;
  /** What the box keeps under a name: JSON, or `null` where it keeps nothing (D9). */
  boxState(name: string): Promise<unknown>;
  /** Keeps JSON under a name, in place of what was there; `null` forgets it. */
  saveBoxState(name: string, value: unknown): Promise<void>;
  /** Removes what may go (D8). Contract: throws InvalidRequestError `bad_ended_before` or `bad_max_bytes`. */
  prune(query: PruneQuery): Promise<PruneReceipt>;

  close(): Promise<void>;
}
