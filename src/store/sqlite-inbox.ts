// Inboxes and outboxes in SQLite: what is sent, once per id and in order, and what becomes of it.
//
// I1. Positions are gapless from 1 per task, in order of arrival, and a message id has one row (D5).
// I2. A row is given its turn once, by the cursor, which only moves forward. What an end finds without one is
//     undelivered; its row stays as it is.

import { isTerminal } from "../core/lifecycle.ts";
import { MAX_INBOX } from "../core/limits.ts";
import { boundOf, repeats } from "./memory-inbox.ts";
import { inboxFull, invalidWrite, messageReused, taskNotFound } from "./refusals.ts";
import type { Value } from "./sqlite-connection.ts";
import type { Written } from "./sqlite-group.ts";
import { inboxEntryOf, isEnded, messageKey, placeOf, rowKey, rowsBefore, rowsEnd } from "./sqlite-rows.ts";
import type { InboxRow } from "./sqlite-rows.ts";
import { readRecord } from "./sqlite-read.ts";
import type { TaskHead, Tasks } from "./sqlite-tasks.ts";
import { MESSAGE_WORDS, STATE_WORDS } from "./sqlite-words.ts";
import type { CommitWrite, InboxEntry, InboxMessage, SendReceipt } from "./store.ts";

const COLUMNS = "at, time, turn, message";
const BY_KEY = `SELECT ${COLUMNS} FROM inbox WHERE task = ? AND key = ?`;
const AFTER = `SELECT ${COLUMNS} FROM inbox WHERE at > ? AND at <= ? ORDER BY at`;
const LAST = "SELECT at FROM inbox WHERE at > ? AND at <= ? ORDER BY at DESC LIMIT 1";
const INSERT = "INSERT INTO inbox (at, task, key, kind, time, turn, message) VALUES (?, ?, ?, ?, ?, NULL, ?)";
const DELIVER = "UPDATE inbox SET turn = ? WHERE at > ? AND at <= ?";
const WAITING = "SELECT kind, count(*) AS n FROM inbox WHERE at > ? AND at <= ? GROUP BY kind";
const ROOT = "SELECT root FROM tasks WHERE num = ?";
const STATE = "SELECT state FROM heads WHERE num = ?";

/** The position of the newest entry, 0 when there is none. */
export function lastPosition(tasks: Tasks, num: number): number {
  const row = tasks.connection.get<{ at: number }>(LAST, rowsBefore(num), rowsEnd(num));
  return row === undefined ? 0 : placeOf(row.at);
}

/** A row with its message read. */
type Row = InboxRow & { readonly body: InboxMessage };

function find(tasks: Tasks, num: number, message: InboxMessage): Row | null {
  const row = tasks.connection.get<InboxRow>(BY_KEY, num, messageKey(message));
  return row === undefined ? null : withBody(tasks, row);
}

function withBody(tasks: Tasks, row: InboxRow): Row {
  const text = row.message;
  const body = text.startsWith("@")
    ? completionOf(tasks, Number(text.slice(1)))
    : (JSON.parse(text) as InboxMessage);
  return { ...row, body };
}

/** The completion that a child's own rows tell. Throws RangeError when they are gone: only in a damaged file. */
function completionOf(tasks: Tasks, num: number): InboxMessage {
  const child = readRecord(tasks, num);
  if (child === null || child.end === null) throw new RangeError(`The end of task number ${num} is gone.`);
  return { kind: "completion", id: child.spec.id, end: child.end, goal: child.spec.goal };
}

/** A completion is written as a pointer when its child's rows, which go with the same tree, say the same. */
function bodyText(tasks: Tasks, num: number, message: InboxMessage): string {
  const text = JSON.stringify(message);
  if (message.kind !== "completion") return text;
  const child = tasks.numOf(message.id);
  if (child === null || treeOf(tasks, child) !== treeOf(tasks, num)) return text;
  const told = readRecord(tasks, child)?.end === null ? "" : JSON.stringify(completionOf(tasks, child));
  return told === text ? `@${child}` : text;
}

function treeOf(tasks: Tasks, num: number): Value {
  return tasks.connection.get<{ root: Value }>(ROOT, num)?.root ?? num;
}

function append(tasks: Tasks, num: number, body: InboxMessage): Row {
  const at = rowKey(num, lastPosition(tasks, num) + 1);
  const time = tasks.clock.now();
  const message = bodyText(tasks, num, body);
  const kind = MESSAGE_WORDS.toStored(body.kind);
  tasks.connection.run(INSERT, at, num, messageKey(body), kind, time, message);
  return { at, time, turn: null, message, body };
}

/** Contract: within a transaction; throws what `Store.send` throws. */
export function send(tasks: Tasks, taskId: string, message: InboxMessage): Written<SendReceipt> {
  const task = tasks.require(taskId);
  const { state } = task.record;
  const earlier = find(tasks, task.num, message);
  if (earlier !== null) {
    if (!repeats(earlier.body, message)) throw messageReused(taskId, message.id);
    return {
      value: { accepted: true, duplicate: true, entry: inboxEntryOf(earlier, { id: taskId, state }), state },
    };
  }
  if (isTerminal(state)) return { value: { accepted: false, duplicate: false, entry: null, state } };
  checkRoom(tasks, task, message);
  const entry = inboxEntryOf(append(tasks, task.num, message), { id: taskId, state });
  return { value: { accepted: true, duplicate: false, entry, state } };
}

function checkRoom(tasks: Tasks, { num, inboxCursor, record }: TaskHead, message: InboxMessage): void {
  const bound = boundOf(message);
  if (bound === null) return;
  const waiting = tasks.connection
    .all<{ kind: number; n: number }>(WAITING, rowKey(num, inboxCursor), rowsEnd(num))
    .filter(({ kind }) => boundOf({ kind: MESSAGE_WORDS.fromStored(kind) }) === bound)
    .reduce((sum, { n }) => sum + n, 0);
  if (waiting >= MAX_INBOX) throw inboxFull(record.spec.id);
}

/** Moves the cursor: entries up to `to` were taken by `turn`. */
export function deliver(
  tasks: Tasks,
  num: number,
  moved: { readonly from: number; readonly to: number; readonly turn: number },
): void {
  tasks.connection.run(DELIVER, moved.turn, rowKey(num, moved.from), rowKey(num, moved.to));
}

/** Entries after a position, oldest first. */
export function readInbox(tasks: Tasks, taskId: string, after: number): readonly InboxEntry[] {
  const num = tasks.numOf(taskId);
  if (num === null) return [];
  const state = STATE_WORDS.fromStored(storedState(tasks, num));
  const from = Math.min(rowsBefore(num) + after, rowsEnd(num));
  const rows = tasks.connection.all<InboxRow>(AFTER, from, rowsEnd(num));
  return rows.map((row) => inboxEntryOf(withBody(tasks, row), { id: taskId, state }));
}

function storedState(tasks: Tasks, num: number): number {
  return tasks.connection.get<{ state: number }>(STATE, num)?.state ?? 0;
}

/** A message whose addressee was found. */
interface Mail {
  readonly to: number;
  readonly message: InboxMessage;
}

/**
 * The mail of a commit, ready to post (D7).
 * Contract: throws StoreError `task_not_found` for an unknown addressee and `invalid_write` for an id that stands
 * for two contents; writes nothing.
 */
export function checkOutbox(tasks: Tasks, sender: string, outbox: CommitWrite["outbox"]): readonly Mail[] {
  if (outbox === undefined || outbox.length === 0) return [];
  const sent = new Map<string, InboxMessage>();
  return outbox.map(({ to, message }) => {
    const num = tasks.numOf(to);
    if (num === null) throw taskNotFound(to);
    const key = `${num} ${messageKey(message)}`;
    const stored = find(tasks, num, message);
    const first = sent.get(key) ?? stored?.body ?? message;
    // What an ended addressee cannot take is dropped, never an error.
    if (!isEnded({ state: storedState(tasks, num) }) && !repeats(first, message)) {
      throw invalidWrite(sender, `message ${message.id} to ${to} was sent before with another content.`);
    }
    sent.set(key, first);
    return { to: num, message };
  });
}

/** Puts checked mail into its inboxes: an ended task takes none, an id is taken once, no bound holds. */
export function postMail(tasks: Tasks, mail: readonly Mail[]): void {
  for (const { to, message } of mail) {
    if (isEnded({ state: storedState(tasks, to) }) || find(tasks, to, message) !== null) continue;
    append(tasks, to, message);
  }
}
