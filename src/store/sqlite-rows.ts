// Rows of the SQLite store to what the contract hands out, and back. Pure: it reads no table.
//
// Free text is written as JSON, also where it is a key: a runtime may cut plain text at a NUL, and none can write half
// of a surrogate pair.

import { EVENT_VERSION } from "../core/event.ts";
import type { StoredEvent } from "../core/event.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { State } from "../core/lifecycle.ts";
import type { Message, TranscriptRow } from "../core/message.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import type { RecordHead, SpecHead } from "./commit.ts";
import { keyOf } from "./memory-inbox.ts";
import type { Value } from "./sqlite-connection.ts";
import { ROWS_PER_TASK } from "./sqlite-schema.ts";
import { dataOf, messageOf } from "./sqlite-texts.ts";
import { EVENT_WORDS, FIRST_ENDED, PHASE_WORDS, STATE_WORDS } from "./sqlite-words.ts";
import type { InboxEntry, InboxMessage, TimerRow } from "./store.ts";

/** The columns of `heads`, in their order. */
export interface HeadRow {
  readonly num: number;
  readonly state: number;
  readonly phase: number | string | null;
  readonly seq: number;
  readonly epoch: number;
  readonly run: number;
  readonly turn: number;
  readonly prompt_tokens: number;
  readonly output_tokens: number;
  readonly cost_micros: number;
  readonly gpu_ms: number;
  readonly tool_calls: number;
  readonly generations: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly released_at: number | null;
  readonly read_at: number | null;
  readonly inbox_cursor: number;
  readonly compacted_to: number;
  readonly last_index: number;
}

/** What else a whole record needs. */
export interface RecordRow extends HeadRow {
  readonly spec: string;
  readonly progress: string | null;
  readonly ending: string | null;
}

export interface EventRow {
  readonly cursor: number;
  readonly task: number;
  readonly seq: number;
  readonly run: number;
  readonly turn: number;
  readonly state: number;
  readonly phase: number | string | null;
  readonly type: number | string;
  readonly version: number;
  readonly time: number;
  readonly data: string | null;
}

export interface MessageRow {
  readonly at: number;
  readonly seq: number;
  readonly run: number;
  readonly turn: number;
  readonly time: number;
  readonly message: string;
}

export interface InboxRow {
  readonly at: number;
  readonly time: number;
  readonly turn: number | null;
  readonly message: string;
}

/** Where a task's rows begin: their keys are above it. */
export const rowsBefore = (num: number): number => num * ROWS_PER_TASK;
/** Throws RangeError for a place that would be another task's. */
export function rowKey(num: number, place: number): number {
  if (place < ROWS_PER_TASK) return num * ROWS_PER_TASK + place;
  throw new RangeError(`A task has at most ${ROWS_PER_TASK - 1} rows of a kind, got number ${place}.`);
}
export const placeOf = (at: number): number => at % ROWS_PER_TASK;
/** The highest key of a task's rows. */
export const rowsEnd = (num: number): number => (num + 1) * ROWS_PER_TASK - 1;

/** 32 bits of an id, for its index (FNV-1a); rows with the same hash are told apart by the id itself. */
export function idHash(id: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01_00_01_93);
  return hash;
}

export function jsonOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

export function parsedOrNull(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

/** The parts of a record that `heads` has; without a look at `outcomes`, progress and end are not known. */
export function headOf(row: HeadRow, spec: SpecHead, outcome: Partial<RecordRow> = {}): RecordHead {
  return {
    spec,
    state: STATE_WORDS.fromStored(row.state),
    phase: row.phase === null ? null : PHASE_WORDS.fromStored(row.phase),
    seq: row.seq,
    epoch: row.epoch,
    run: row.run,
    turn: row.turn,
    usage: {
      promptTokens: row.prompt_tokens,
      outputTokens: row.output_tokens,
      costMicros: row.cost_micros,
      gpuMs: row.gpu_ms,
      toolCalls: row.tool_calls,
      generations: row.generations,
    },
    progress: parsedOrNull(outcome.progress ?? null) as RecordHead["progress"],
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    releasedAt: row.released_at,
    readAt: row.read_at,
    end: parsedOrNull(outcome.ending ?? null) as RecordHead["end"],
  };
}

export function recordOf(row: RecordRow): TaskRecord {
  const spec = JSON.parse(row.spec) as TaskSpec;
  return Object.freeze({ ...headOf(row, spec, row), spec });
}

export const isEnded = (row: Pick<HeadRow, "state">): boolean => row.state >= FIRST_ENDED;

/** The values of `heads` behind `num`, in their order. */
export function headValues(
  record: RecordHead,
  places: { readonly inboxCursor: number; readonly compactedTo: number; readonly lastIndex: number },
): readonly Value[] {
  const { usage } = record;
  return [
    STATE_WORDS.toStored(record.state),
    record.phase === null ? null : PHASE_WORDS.toStored(record.phase),
    record.seq,
    record.epoch,
    record.run,
    record.turn,
    usage.promptTokens,
    usage.outputTokens,
    usage.costMicros,
    usage.gpuMs,
    usage.toolCalls,
    usage.generations,
    record.startedAt,
    record.finishedAt,
    record.releasedAt,
    record.readAt,
    places.inboxCursor,
    places.compactedTo,
    places.lastIndex,
  ];
}

/** The part of a spec that every event carries. */
export function specHeadOf({ id, parentId, rootId, sessionId, traceparent }: TaskSpec): SpecHead {
  return { id, parentId, rootId, sessionId, traceparent };
}

/** An event in its envelope again. */
export function eventOf(
  row: EventRow,
  task: { readonly storeId: string; readonly spec: SpecHead; readonly rowAt: (index: number) => Message },
): StoredEvent {
  const { spec } = task;
  const type = EVENT_WORDS.fromStored(row.type);
  return Object.freeze({
    storeId: task.storeId,
    cursor: row.cursor,
    seq: row.seq,
    taskId: spec.id,
    parentId: spec.parentId,
    rootId: spec.rootId,
    sessionId: spec.sessionId,
    run: row.run,
    turn: row.turn,
    state: STATE_WORDS.fromStored(row.state),
    phase: row.phase === null ? null : PHASE_WORDS.fromStored(row.phase),
    type,
    version: row.version,
    time: row.time,
    traceparent: spec.traceparent,
    data: dataOf(type, row.data, task.rowAt) as StoredEvent["data"],
  });
}

/** The values of an event's row, in the order of `events`; `data` is its text. */
export function eventValues(
  event: StoredEvent,
  task: { readonly num: number; readonly root: Value },
  data: string | null,
): readonly Value[] {
  return [
    event.cursor,
    task.num,
    task.root,
    event.seq,
    event.run,
    event.turn,
    STATE_WORDS.toStored(event.state),
    event.phase === null ? null : PHASE_WORDS.toStored(event.phase),
    EVENT_WORDS.toStored(event.type),
    EVENT_VERSION,
    event.time,
    data,
  ];
}

export function transcriptRowOf(row: MessageRow, taskId: string): TranscriptRow {
  const { seq, run, turn, time } = row;
  const message = messageOf(row.message);
  return Object.freeze({ taskId, index: placeOf(row.at), seq, run, turn, time, message });
}

/** An entry of a task that is in `state`: what its end found waiting is undelivered, and the row need not say so. */
export function inboxEntryOf(
  row: InboxRow & { readonly body: InboxMessage },
  task: { readonly id: string; readonly state: State },
): InboxEntry {
  const { turn } = row;
  const left = turn === null && isTerminal(task.state);
  return Object.freeze({
    taskId: task.id,
    position: placeOf(row.at),
    time: row.time,
    message: row.body,
    state: turn !== null ? "delivered" : left ? "undelivered" : "queued",
    turn,
    reason: left ? `task_${task.state}` : null,
  });
}

/** The key that deduplicates a message in an inbox. */
export function messageKey(message: Pick<InboxMessage, "kind" | "id">): string {
  return JSON.stringify(keyOf(message)).slice(1, -1);
}

export function timersOf(text: string | null): readonly TimerRow[] {
  const timers = (parsedOrNull(text) ?? []) as TimerRow[];
  return Object.freeze(timers.map((timer) => Object.freeze(timer)));
}
