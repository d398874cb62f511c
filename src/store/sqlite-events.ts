// The event log in SQLite: events numbered and written inside a transaction, and read back in their envelopes.
//
// L1. Cursors are gapless from 1 and never given twice (D4); a tree that is removed takes its events with it, and may
//     leave holes.
// L2. A row that cannot be read costs its own event alone, and is said.

import type { NewEvent, StoredEvent } from "../core/event.ts";
import type { Message } from "../core/message.ts";
import { stampEvent } from "./commit.ts";
import { rowLimit, rowsAfter } from "./paging.ts";
import type { Value } from "./sqlite-connection.ts";
import { troubleOf } from "./sqlite-errors.ts";
import { eventOf, eventValues, placeOf, rowKey, rowsBefore, rowsEnd } from "./sqlite-rows.ts";
import type { EventRow } from "./sqlite-rows.ts";
import type { TaskHead, Tasks } from "./sqlite-tasks.ts";
import { dataText, mayPoint, messageOf } from "./sqlite-texts.ts";
import type { Pointed } from "./sqlite-texts.ts";
import { EVENT_WORDS } from "./sqlite-words.ts";
import type { WatchQuery } from "./store.ts";

const INSERT = `INSERT INTO events (cursor, task, root, seq, run, turn, state, phase, type, version, time, data)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/**
 * Numbers events and writes them; `task` is the task after the write, and they are the newest of its sequence.
 * Contract: to be called within a transaction, after the transcript rows of the write; throws what SQLite throws.
 */
export function writeEvents(
  tasks: Tasks,
  task: TaskHead,
  { events, time }: { readonly events: readonly NewEvent[]; readonly time: number },
): readonly StoredEvent[] {
  const before = task.record.seq - events.length;
  // Read once: an answer with many calls is announced by as many events, and each of them has the whole answer to look at.
  let rows: readonly Pointed[] | null = null;
  const stamped = events.map((event, at) => {
    if (mayPoint(event)) rows ??= lastRows(tasks, task);
    const data = dataText(event, rows ?? []);
    const cursor = tasks.newestCursor + 1;
    const stored = stampEvent(event, task.record, {
      storeId: tasks.storeId,
      cursor,
      seq: before + at + 1,
      time,
    });
    tasks.connection.run(INSERT, ...eventValues(stored, task, data));
    tasks.newestCursor = cursor;
    return stored;
  });
  return Object.freeze(stamped);
}

/** Rows of the transcript that an event may repeat: a call is announced soon after its message. */
const POINTED_ROWS = 8;
const LAST_ROWS = `SELECT at, message FROM transcript WHERE at > ? AND at <= ? ORDER BY at DESC LIMIT ${POINTED_ROWS}`;
const ROW = "SELECT message FROM transcript WHERE at = ?";

function lastRows(tasks: Tasks, { num }: TaskHead): readonly Pointed[] {
  return tasks.connection
    .all<{ at: number; message: string }>(LAST_ROWS, rowsBefore(num), rowsEnd(num))
    .map(({ at, message }) => ({ index: placeOf(at), message: messageOf(message) }));
}

/** Throws RangeError when the row is gone, which only a damaged file comes to. */
function messageAt(tasks: Tasks, num: number, index: number): Message {
  const row = tasks.connection.get<{ message: string }>(ROW, rowKey(num, index));
  if (row === undefined)
    throw new RangeError(`An event of task number ${num} points at row ${index}, which is gone.`);
  return messageOf(row.message);
}

const COLUMNS = "cursor, task, seq, run, turn, state, phase, type, version, time, data";
const TYPES = "AND type IN (SELECT value FROM json_each(?))";

/** Which rows a query reads, without its types and its limit. */
interface Source {
  readonly sql: readonly string[];
  readonly values: readonly (readonly Value[])[];
}

function sourceOf(tasks: Tasks, query: WatchQuery): Source | null {
  const { taskId, rootId, afterSeq = 0 } = query;
  const after = rowsAfter(query.after);
  if (taskId !== undefined) {
    const num = tasks.numOf(taskId);
    if (num === null || (rootId !== undefined && tasks.specHead(num).rootId !== rootId)) return null;
    return { sql: ["task = ? AND cursor > ? AND seq > ?"], values: [[num, after, afterSeq]] };
  }
  if (rootId === undefined) return { sql: ["cursor > ? AND seq > ?"], values: [[after, afterSeq]] };
  const num = tasks.numOf(rootId);
  const below = {
    sql: "root = ? AND cursor > ? AND seq > ?",
    values: [num ?? `~${rootId}`, after, afterSeq],
  };
  if (num === null) return { sql: [below.sql], values: [below.values] };
  return {
    sql: ["task = ? AND root IS NULL AND cursor > ? AND seq > ?", below.sql],
    values: [[num, after, afterSeq], below.values],
  };
}

/**
 * An event whose row cannot be read is left out and said, and those behind it are read all the same (L2).
 * Throws InvalidRequestError `bad_after` or `bad_limit`, and what SQLite throws.
 */
export function readEvents(tasks: Tasks, query: WatchQuery): readonly StoredEvent[] {
  const limit = rowLimit(query.limit);
  const source = sourceOf(tasks, query);
  if (source === null) return [];
  const { types } = query;
  const typed: readonly Value[] =
    types === undefined ? [] : [JSON.stringify(types.map((type) => EVENT_WORDS.toStored(type)))];
  const parts = source.sql.map(
    (where) => `SELECT ${COLUMNS} FROM events WHERE ${where} ${types === undefined ? "" : TYPES}`,
  );
  const sql = `${parts.join(" UNION ALL ")} ORDER BY cursor LIMIT ?`;
  const values = source.values.flatMap((each) => [...each, ...typed]);
  const rows = tasks.connection.all<EventRow>(sql, ...values, Number.isFinite(limit) ? limit : -1);
  const events = readable(tasks, rows);
  // A page of nothing else would be taken for the end.
  const last = rows.at(-1);
  return events.length > 0 || last === undefined
    ? events
    : readEvents(tasks, { ...query, after: last.cursor });
}

/** Keeps L2. */
function readable(tasks: Tasks, rows: readonly EventRow[]): readonly StoredEvent[] {
  // Events that point at a row come one after the other.
  let last: { readonly key: number; readonly message: Message } | null = null;
  const rowOf = (num: number, index: number): Message => {
    const key = rowKey(num, index);
    if (last?.key !== key) last = { key, message: messageAt(tasks, num, index) };
    return last.message;
  };
  return rows.flatMap((row) => {
    const rowAt = (index: number): Message => rowOf(row.task, index);
    try {
      return [eventOf(row, { storeId: tasks.storeId, spec: tasks.specHead(row.task), rowAt })];
    } catch (thrown) {
      if (troubleOf(thrown) !== null) throw thrown;
      tasks.logger.error("an event cannot be read and is left out; run `troupe db check`", {
        cursor: row.cursor,
      });
      return [];
    }
  });
}

/** With nothing kept, `oldest` is the cursor that comes next: nobody has missed anything. */
export function readBounds(tasks: Tasks): { readonly oldest: number; readonly newest: number } {
  const first = tasks.connection.get<{ n: number | null }>("SELECT min(cursor) AS n FROM events");
  return { oldest: first?.n ?? tasks.newestCursor + 1, newest: tasks.newestCursor };
}
