// What the SQLite store reads for those who ask: records, lists, transcripts, timers, usage. Between two events of the
// loop no transaction is open, so everything here sees committed rows only. It writes nothing.

import type { Page } from "../core/api.ts";
import type { Usage } from "../core/limits.ts";
import type { TranscriptRow } from "../core/message.ts";
import type { TaskRecord } from "../core/task.ts";
import { troubleOf } from "./sqlite-errors.ts";
import { decodeCursor, encodeCursor, pageLimit, rowLimit, rowsAfter } from "./paging.ts";
import type { Value } from "./sqlite-connection.ts";
import {
  parsedOrNull,
  recordOf,
  rowsBefore,
  rowsEnd,
  specHeadOf,
  timersOf,
  transcriptRowOf,
} from "./sqlite-rows.ts";
import type { MessageRow, RecordRow } from "./sqlite-rows.ts";
import type { TaskHead, Tasks } from "./sqlite-tasks.ts";
import { KIND_WORDS, STATE_WORDS } from "./sqlite-words.ts";
import type { ResumePoint, Store, StoreListQuery, TimerRow } from "./store.ts";

const RECORD = `SELECT h.*, t.spec, o.progress, o.ending FROM heads h CROSS JOIN tasks t ON t.num = h.num
  LEFT JOIN outcomes o ON o.num = h.num`;
const SNAPSHOT = "SELECT snapshot, timers FROM snapshots WHERE num = ?";
const ROWS = `SELECT at, seq, run, turn, time, message FROM transcript WHERE at > ? AND at <= ?
  ORDER BY at LIMIT ?`;
const COMPACTED = "SELECT compacted_to FROM heads WHERE num = ?";

interface SnapshotRow {
  readonly snapshot: string | null;
  readonly timers: string | null;
}

export function readRecord(tasks: Tasks, num: number): TaskRecord | null {
  const row = tasks.connection.get<RecordRow>(`${RECORD} WHERE h.num = ?`, num);
  return row === undefined ? null : recordOf(row);
}

function snapshotRow(tasks: Tasks, num: number): SnapshotRow {
  return tasks.connection.get<SnapshotRow>(SNAPSHOT, num) ?? { snapshot: null, timers: null };
}

export function readSnapshot(tasks: Tasks, taskId: string): unknown {
  const num = tasks.numOf(taskId);
  return num === null ? null : parsedOrNull(snapshotRow(tasks, num).snapshot);
}

export function readTimers(tasks: Tasks, taskId: string): readonly TimerRow[] {
  const num = tasks.numOf(taskId);
  return num === null ? [] : timersOf(snapshotRow(tasks, num).timers);
}

type ResumeRow = RecordRow & SnapshotRow & { readonly root: Value };

const RESUME = `SELECT h.*, t.spec, t.root, o.progress, o.ending, s.snapshot, s.timers
  FROM heads h CROSS JOIN tasks t ON t.num = h.num LEFT JOIN outcomes o ON o.num = h.num
  LEFT JOIN snapshots s ON s.num = h.num WHERE h.num = ?`;

/** A task with all that it needs to go on. */
export interface Resumable {
  readonly record: TaskRecord;
  readonly resume: ResumePoint;
  readonly head: TaskHead;
}

/** Reads it in one statement. */
export function readResume(tasks: Tasks, num: number): Resumable | null {
  const row = tasks.connection.get<ResumeRow>(RESUME, num);
  if (row === undefined) return null;
  const places = { inboxCursor: row.inbox_cursor, lastIndex: row.last_index };
  const resume = { snapshot: parsedOrNull(row.snapshot), timers: timersOf(row.timers), ...places };
  const record = recordOf(row);
  const lean = { ...record, spec: specHeadOf(record.spec), progress: null };
  const head = { num, root: row.root, record: lean, compactedTo: row.compacted_to, ...places };
  return { record, resume, head };
}

/** Throws InvalidRequestError `bad_after` or `bad_limit`. */
export function readTranscript(
  tasks: Tasks,
  taskId: string,
  query: Parameters<Store["transcript"]>[1],
): readonly TranscriptRow[] {
  const after = rowsAfter(query.after);
  const limit = rowLimit(query.limit);
  const num = tasks.numOf(taskId);
  if (num === null) return [];
  const { connection } = tasks;
  const compactedTo =
    query.live === true ? (connection.get<{ compacted_to: number }>(COMPACTED, num)?.compacted_to ?? 0) : 0;
  const from = Math.min(rowsBefore(num) + Math.max(after, compactedTo), rowsEnd(num));
  const rows = connection.all<MessageRow>(ROWS, from, rowsEnd(num), Number.isFinite(limit) ? limit : -1);
  return rows.map((row) => transcriptRowOf(row, taskId));
}

// As fractions, which have no end where SQLite gives up; and no larger than what was written of one task.
const SUMS = [
  "prompt_tokens AS promptTokens",
  "output_tokens AS outputTokens",
  "cost_micros AS costMicros",
  "gpu_ms AS gpuMs",
  "tool_calls AS toolCalls",
  "generations AS generations",
].map((column) => `min(total(${column.replace(" AS", `), ${Number.MAX_SAFE_INTEGER}.0) AS`)}`);
const TREE = `SELECT ${SUMS.join()}
  FROM (SELECT num FROM tasks WHERE num = ? AND root IS NULL UNION ALL SELECT num FROM tasks WHERE root = ?) tree
  CROSS JOIN heads h ON h.num = tree.num`;
const SUBTREE = `WITH RECURSIVE below(num) AS (SELECT ? UNION SELECT t.num FROM below CROSS JOIN tasks t ON t.parent = below.num)
  SELECT ${SUMS.join()} FROM below CROSS JOIN heads h ON h.num = below.num`;
const IS_BELOW = "SELECT 1 AS found FROM tasks WHERE num = ? AND root IS NOT NULL";

/** What a task and all below it have used together. */
export function readTreeUsage(tasks: Tasks, taskId: string): Usage {
  const { connection } = tasks;
  const num = tasks.numOf(taskId);
  const isBelow = num !== null && connection.get(IS_BELOW, num) !== undefined;
  const sums = isBelow
    ? connection.get<Record<keyof Usage, number | null>>(SUBTREE, num)
    : connection.get<Record<keyof Usage, number | null>>(TREE, num, num ?? `~${taskId}`);
  return {
    promptTokens: sums?.promptTokens ?? 0,
    outputTokens: sums?.outputTokens ?? 0,
    costMicros: sums?.costMicros ?? 0,
    gpuMs: sums?.gpuMs ?? 0,
    toolCalls: sums?.toolCalls ?? 0,
    generations: sums?.generations ?? 0,
  };
}

interface Filter {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** The filters of a query; the first of them decides which index is read. */
function filtersOf(tasks: Tasks, query: StoreListQuery): readonly Filter[] {
  const filters: Filter[] = [];
  const { parentId, rootId, state, kind } = query;
  if (parentId !== undefined) {
    filters.push({ sql: "t.parent = ?", values: [tasks.numOf(parentId) ?? `~${parentId}`] });
  }
  if (rootId !== undefined) {
    const num = tasks.numOf(rootId);
    const tree =
      "SELECT num FROM tasks WHERE num = ? AND root IS NULL UNION ALL SELECT num FROM tasks WHERE root = ?";
    filters.push({ sql: `t.num IN (${tree})`, values: [num, num ?? `~${rootId}`] });
  }
  if (state !== undefined) filters.push({ sql: "h.state = ?", values: [STATE_WORDS.toStored(state)] });
  if (query.unreleased === true)
    filters.push({ sql: "h.released_at IS NULL AND h.finished_at IS NOT NULL", values: [] });
  if (kind !== undefined) filters.push({ sql: "t.kind = ?", values: [KIND_WORDS.toStored(kind)] });
  return filters;
}

/** Throws InvalidRequestError `bad_cursor` or `bad_limit`. */
export function readPage(tasks: Tasks, query: StoreListQuery): Page<TaskRecord> {
  const limit = pageLimit(query.limit);
  const after = decodeCursor(query.cursor);
  const filters = filtersOf(tasks, query);
  // A list of one state alone reads the index of states; everything else begins with the tasks themselves.
  const byState = query.state !== undefined && query.parentId === undefined && query.rootId === undefined;
  const [first, second, key] = byState ? ["heads h", "tasks t", "h.num"] : ["tasks t", "heads h", "t.num"];
  const where = [`${key} > ?`, ...filters.map((filter) => filter.sql)].join(" AND ");
  const sql = (
    columns: string,
  ): string => `SELECT ${columns} FROM ${first} CROSS JOIN ${second} ON t.num = h.num
    LEFT JOIN outcomes o ON o.num = h.num WHERE ${where} ORDER BY ${key} LIMIT ?`;
  const values = [after, ...filters.flatMap((filter) => filter.values), limit + 1];
  const { connection } = tasks;
  try {
    const rows = connection.all<RecordRow>(sql("h.*, t.spec, o.progress, o.ending"), ...values);
    const items = rows.slice(0, limit).map(recordOf);
    return pageOf(items, rows, limit);
  } catch (thrown) {
    if (troubleOf(thrown) !== null) throw thrown;
    // A row of it cannot be read, and is left out: `troupe db check` names it.
    const rows = connection.all<{ num: number }>(sql("h.num AS num"), ...values);
    const items = rows.slice(0, limit).flatMap(({ num }) => readableRecord(tasks, num));
    return pageOf(items, rows, limit);
  }
}

function pageOf(
  items: readonly TaskRecord[],
  rows: readonly { readonly num: number }[],
  limit: number,
): Page<TaskRecord> {
  const last = rows[limit - 1]?.num ?? 0;
  return { items, nextCursor: rows.length > limit ? encodeCursor(last) : null };
}

function readableRecord(tasks: Tasks, num: number): readonly TaskRecord[] {
  try {
    const record = readRecord(tasks, num);
    return record === null ? [] : [record];
  } catch (thrown) {
    if (troubleOf(thrown) !== null) throw thrown;
    return [];
  }
}
