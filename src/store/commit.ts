// One commit, decided: whether it is refused (D2, D3, D6) and what the task is afterwards. Pure, so that every
// store decides alike; it reads and writes no rows.

import { EVENT_VERSION } from "../core/event.ts";
import type { NewEvent, StoredEvent } from "../core/event.ts";
import { isTerminal } from "../core/lifecycle.ts";
import { NO_USAGE } from "../core/limits.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import { badWorkspace, fenced, invalidWrite, taskEnded, wrongSequence } from "./refusals.ts";
import type { CommitWrite } from "./store.ts";

/** What the writes of a task and its events need of its spec. */
export type SpecHead = Pick<TaskSpec, "id" | "parentId" | "rootId" | "sessionId" | "traceparent">;
/** A record as far as a write depends on it, so that a store need not read a whole spec for each of them. */
export type RecordHead = Omit<TaskRecord, "spec"> & { readonly spec: SpecHead };

/** Where a task stands, as far as a commit depends on it. */
export interface CommitPoint {
  readonly record: RecordHead;
  /** Whether a claim stands; a released task has none, and every epoch is stale. */
  readonly owned: boolean;
  readonly inboxCursor: number;
  readonly inboxLast: number;
  readonly compactedTo: number;
  readonly lastIndex: number;
}

/** What a commit claims to know. */
export interface CommitAttempt {
  readonly epoch: number;
  readonly expectedSeq: number;
  readonly write: CommitWrite;
}

const isExact = (value: number): boolean => Math.abs(value) <= Number.MAX_SAFE_INTEGER;
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/**
 * Refuses a commit that may not be written.
 * Contract: throws StoreError `ended`, `fenced`, `sequence` or `invalid_write`, in this order; changes nothing.
 * Other tasks (the outbox) are for the store to check.
 */
export function checkCommit(at: CommitPoint, attempt: CommitAttempt): void {
  const { record } = at;
  if (record.end !== null) throw taskEnded(record);
  if (!at.owned || attempt.epoch !== record.epoch) throw fenced(record, attempt.epoch);
  if (attempt.expectedSeq !== record.seq) throw wrongSequence(record, attempt.expectedSeq);
  const problem = problemOf(at, attempt.write);
  if (problem !== null) throw invalidWrite(record.spec.id, problem);
}

function problemOf(at: CommitPoint, write: CommitWrite): string | null {
  const { inboxCursor, compactedTo, terminal, state, timers } = write;
  if (inboxCursor !== undefined && !within(inboxCursor, at.inboxCursor, at.inboxLast)) {
    return `inboxCursor must be ${at.inboxCursor} to ${at.inboxLast}, got ${inboxCursor}.`;
  }
  const lastIndex = at.lastIndex + (write.messages?.length ?? 0);
  if (compactedTo !== undefined && !within(compactedTo, at.compactedTo, lastIndex)) {
    return `compactedTo must be ${at.compactedTo} to ${lastIndex}, got ${compactedTo}.`;
  }
  if (terminal === undefined && state !== undefined && isTerminal(state)) {
    return `state ${state} needs the end itself in terminal.`;
  }
  if (terminal !== undefined && !isTerminal(terminal.state))
    return `${String(terminal.state)} is not an end.`;
  if (terminal !== undefined && state !== undefined && state !== terminal.state) {
    return `state is ${state}, but terminal says ${terminal.state}.`;
  }
  for (const [name, value] of Object.entries({ run: write.run ?? 0, turn: write.turn ?? 0 })) {
    if (!isCount(value)) return `${name} must be a whole number from 0, got ${value}.`;
  }
  for (const [name, value] of numbersOf(write)) {
    if (!isExact(value)) return `${name} must be a number that is exact to one, got ${value}.`;
  }
  if (timers !== undefined && new Set(timers.map((timer) => timer.name)).size < timers.length) {
    return "two timers have the same name.";
  }
  const undated = timers?.find((timer) => !isExact(timer.dueAt));
  return undated === undefined ? null : `timer ${undated.name} needs a finite dueAt, got ${undated.dueAt}.`;
}

/** What rows keep as numbers: a larger one could be written and not be read again. */
function numbersOf({ usage, startedAt, releasedAt }: CommitWrite): readonly (readonly [string, number])[] {
  const times = { startedAt: startedAt ?? 0, releasedAt: releasedAt ?? 0 };
  return [...Object.entries(times), ...(usage === undefined ? [] : Object.entries(usage))];
}

function within(value: number, low: number, high: number): boolean {
  return Number.isSafeInteger(value) && value >= low && value <= high;
}

/** The record of a task that was just accepted, with its first event counted. */
export function firstRecord(spec: TaskSpec): TaskRecord {
  return Object.freeze({
    spec,
    state: "spawned",
    phase: "queued",
    seq: 1,
    epoch: 0,
    run: 1,
    turn: 0,
    usage: NO_USAGE,
    progress: null,
    startedAt: null,
    finishedAt: null,
    releasedAt: null,
    readAt: null,
    end: null,
  });
}

/** The record after an accepted commit; `time` becomes the end's time. */
export function recordAfter<R extends RecordHead>(
  record: R,
  write: CommitWrite,
  time: number,
): RecordHead & { readonly spec: R["spec"] } {
  const end = write.terminal ?? null;
  return Object.freeze({
    spec: record.spec,
    state: end?.state ?? write.state ?? record.state,
    // An ended task has no phase, and `null` is a phase to write: `??` would not do.
    phase: end !== null ? null : write.phase === undefined ? record.phase : write.phase,
    seq: record.seq + (write.events?.length ?? 0),
    epoch: record.epoch,
    run: write.run ?? record.run,
    turn: write.turn ?? record.turn,
    usage: write.usage ?? record.usage,
    progress: write.progress ?? record.progress,
    startedAt: write.startedAt ?? record.startedAt,
    finishedAt: end === null ? record.finishedAt : time,
    releasedAt: write.releasedAt ?? record.releasedAt,
    readAt: record.readAt,
    end,
  });
}

/** What the store adds to an event when it numbers it. */
export interface Stamp {
  readonly storeId: string;
  readonly cursor: number;
  readonly seq: number;
  readonly time: number;
}

/** An event in its envelope; `record` is the task as it is after the write. */
export function stampEvent(event: NewEvent, record: RecordHead, stamp: Stamp): StoredEvent {
  const { spec } = record;
  return Object.freeze({
    storeId: stamp.storeId,
    cursor: stamp.cursor,
    seq: stamp.seq,
    taskId: spec.id,
    parentId: spec.parentId,
    rootId: spec.rootId,
    sessionId: spec.sessionId,
    run: record.run,
    turn: record.turn,
    state: record.state,
    phase: record.phase,
    type: event.type,
    version: EVENT_VERSION,
    time: stamp.time,
    traceparent: spec.traceparent,
    data: event.data,
  });
}

const WORKSPACE = /^box:([^:]+):./;

/** The box that a workspace is bound to. Throws InvalidRequestError `bad_workspace`. */
export function boxOf(workspace: string): string {
  const box = WORKSPACE.exec(workspace)?.[1];
  if (box === undefined) throw badWorkspace(workspace);
  return box;
}
