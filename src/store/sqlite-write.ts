// What the writes of the SQLite store do inside their transaction: check first, with the decisions that every store
// shares, then write rows. It opens no transaction and answers nobody; sqlite-group.ts does.
//
// W1. A write reads nothing of memory but who owns a task; what it tells memory, it tells after COMMIT.

import type { NewEvent } from "../core/event.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import { boxOf, checkCommit, firstRecord, recordAfter } from "./commit.ts";
import type { CommitAttempt, CommitPoint } from "./commit.ts";
import { alreadyReleased, keyReused, notEnded } from "./refusals.ts";
import type { Value } from "./sqlite-connection.ts";
import { writeEvents } from "./sqlite-events.ts";
import type { Written } from "./sqlite-group.ts";
import { checkOutbox, deliver, lastPosition, postMail } from "./sqlite-inbox.ts";
import { headValues, idHash, jsonOrNull, rowKey, specHeadOf } from "./sqlite-rows.ts";
import { readRecord } from "./sqlite-read.ts";
import { messageText } from "./sqlite-texts.ts";
import { OpenTask } from "./sqlite-tasks.ts";
import type { TaskHead, Tasks } from "./sqlite-tasks.ts";
import { KIND_WORDS } from "./sqlite-words.ts";
import type { CommitReceipt, CommitWrite, SubmitReceipt } from "./store.ts";

const HEAD_COLUMNS = `state, phase, seq, epoch, run, turn, prompt_tokens, output_tokens, cost_micros, gpu_ms, tool_calls,
  generations, started_at, finished_at, released_at, read_at, inbox_cursor, compacted_to, last_index`;
const PLACES = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";
const INSERT_TASK =
  "INSERT INTO tasks (num, id, id_hash, kind, parent, root, box, spec) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_HEAD = `INSERT INTO heads (${HEAD_COLUMNS}, num) VALUES (${PLACES}, ?)`;
const UPDATE_HEAD = `UPDATE heads SET (${HEAD_COLUMNS}) = (${PLACES}) WHERE num = ?`;
const JOIN_TREE = `INSERT INTO trees (tree, living, last_end) VALUES (?, 1, 0)
  ON CONFLICT (tree) DO UPDATE SET living = living + 1`;
const LEAVE_TREE = "UPDATE trees SET living = living - 1, last_end = max(last_end, ?) WHERE tree = ?";
const INSERT_MESSAGE = "INSERT INTO transcript (at, seq, run, turn, time, message) VALUES (?, ?, ?, ?, ?, ?)";
const PUT_SNAPSHOT = `INSERT INTO snapshots (num, snapshot) VALUES (?, ?)
  ON CONFLICT (num) DO UPDATE SET snapshot = excluded.snapshot`;
const PUT_TIMERS = `INSERT INTO snapshots (num, timers) VALUES (?, ?)
  ON CONFLICT (num) DO UPDATE SET timers = excluded.timers`;
const PUT_PROGRESS = `INSERT INTO outcomes (num, progress) VALUES (?, ?)
  ON CONFLICT (num) DO UPDATE SET progress = excluded.progress`;
const PUT_END = `INSERT INTO outcomes (num, ending) VALUES (?, ?)
  ON CONFLICT (num) DO UPDATE SET ending = excluded.ending`;
const MARK_RELEASED = "UPDATE heads SET seq = seq + 1, released_at = ? WHERE num = ?";
const MARK_READ = "UPDATE heads SET read_at = ? WHERE num = ?";

interface Submission {
  readonly spec: TaskSpec;
  readonly event: NewEvent;
}

/** Throws InvalidRequestError `bad_workspace` and ConflictError `idempotency_key_reused`. */
export function submitAll(
  tasks: Tasks,
  submissions: readonly Submission[],
): Written<readonly SubmitReceipt[]> {
  const hashes = new Map<string, string>();
  const known = new Map<string, TaskRecord>();
  for (const { spec } of submissions) {
    boxOf(spec.workspace);
    const num = tasks.numOf(spec.id);
    const record = num === null ? null : readRecord(tasks, num);
    if (record !== null) known.set(spec.id, record);
    const hash = record?.spec.requestHash ?? hashes.get(spec.id);
    if (hash !== undefined && hash !== spec.requestHash) throw keyReused(spec);
    hashes.set(spec.id, spec.requestHash);
  }
  const opened: OpenTask[] = [];
  const parts = submissions.map(({ spec, event }) => {
    const record = known.get(spec.id);
    if (record !== undefined) return { receipt: { record, created: false }, events: [] };
    const first = firstRecord(spec);
    known.set(spec.id, first);
    const head = insertTask(tasks, first);
    opened.push(new OpenTask(spec.id, head.num, boxOf(spec.workspace)));
    const time = tasks.clock.now();
    const events = writeEvents(tasks, head, { events: [event], time });
    return { receipt: { record: first, created: true }, events };
  });
  const apply = (): void => {
    for (const task of opened) {
      tasks.opened(task);
      tasks.moved(null, "spawned");
    }
  };
  return { value: parts.map(({ receipt }) => receipt), events: parts.flatMap(({ events }) => events), apply };
}

function insertTask(tasks: Tasks, record: TaskRecord): TaskHead {
  const { connection } = tasks;
  const { spec } = record;
  const text = JSON.stringify(spec);
  tasks.newestTask += 1;
  const num = tasks.newestTask;
  if (tasks.strangers.has(spec.id)) adopt(tasks, spec.id, num);
  const root = spec.rootId === spec.id ? null : nameOf(tasks, spec.rootId);
  const parent = spec.parentId === null ? null : nameOf(tasks, spec.parentId);
  const kind = KIND_WORDS.toStored(spec.kind);
  const box = boxOf(spec.workspace);
  connection.run(INSERT_TASK, num, spec.id, idHash(spec.id), kind, parent, root, box, text);
  const places = { inboxCursor: 0, compactedTo: 0, lastIndex: 0 };
  connection.run(INSERT_HEAD, ...headValues(record, places), num);
  connection.run(JOIN_TREE, root ?? num);
  const head = { num, root, record: { ...record, spec: specHeadOf(spec) }, ...places };
  tasks.stage(head);
  return head;
}

/** How a row names another task: by its number, or by its id when it is not there. */
function nameOf(tasks: Tasks, taskId: string): Value {
  const num = tasks.numOf(taskId);
  if (num === null) tasks.strangers.add(taskId);
  return num ?? `~${taskId}`;
}

/** A task has come that others named before. */
function adopt(tasks: Tasks, taskId: string, num: number): void {
  for (const column of ["tasks SET root", "tasks SET parent", "events SET root", "trees SET tree"]) {
    const name = column.slice(column.indexOf(" SET ") + 5);
    tasks.connection.run(`UPDATE ${column} = ? WHERE ${name} = ?`, num, `~${taskId}`);
  }
  tasks.forgetHeadsBelow(`~${taskId}`);
}

/** Throws what `Store.commit` throws. */
export function commit(tasks: Tasks, taskId: string, attempt: CommitAttempt): Written<CommitReceipt> {
  const before = tasks.require(taskId);
  const { write } = attempt;
  checkCommit(pointOf(tasks, before, taskId), attempt);
  const mail = checkOutbox(tasks, taskId, write.outbox);
  const time = tasks.clock.now();
  const written = recordAfter(before.record, write, time);
  // What a task reported is in its row; the heads that writes go by have none.
  const record = written.progress === null ? written : { ...written, progress: null };
  const after: TaskHead = {
    ...before,
    record,
    inboxCursor: write.inboxCursor ?? before.inboxCursor,
    compactedTo: write.compactedTo ?? before.compactedTo,
    lastIndex: before.lastIndex + (write.messages?.length ?? 0),
  };
  writeMessages(tasks, { before, after, write, time });
  writeRows(tasks, { before, after, write, time });
  tasks.stage(after);
  const events = writeEvents(tasks, after, { events: write.events ?? [], time });
  postMail(tasks, mail);
  const apply = (): void => {
    tasks.moved(before.record.state, record.state);
    if (record.end !== null) tasks.ended(taskId);
  };
  return { value: { seq: record.seq, events, lastIndex: after.lastIndex }, events, apply };
}

function pointOf(tasks: Tasks, head: TaskHead, taskId: string): CommitPoint {
  return {
    ...head,
    owned: (tasks.open.get(taskId)?.holding ?? null) !== null,
    // Read when a write asks for it.
    get inboxLast() {
      return lastPosition(tasks, head.num);
    },
  };
}

interface Step {
  readonly before: TaskHead;
  readonly after: TaskHead;
  readonly write: CommitWrite;
  readonly time: number;
}

function writeRows(tasks: Tasks, { before, after, write, time }: Step): void {
  const { connection } = tasks;
  const { num, root, record } = after;
  connection.run(UPDATE_HEAD, ...headValues(record, after), num);
  if (write.snapshot !== undefined) connection.run(PUT_SNAPSHOT, num, jsonOrNull(write.snapshot));
  if (write.timers !== undefined) connection.run(PUT_TIMERS, num, jsonOrNull(write.timers));
  if (write.progress !== undefined) connection.run(PUT_PROGRESS, num, jsonOrNull(write.progress));
  if (after.inboxCursor > before.inboxCursor) {
    deliver(tasks, num, { from: before.inboxCursor, to: after.inboxCursor, turn: record.turn });
  }
  if (record.end === null) return;
  connection.run(PUT_END, num, jsonOrNull(record.end));
  connection.run(LEAVE_TREE, time, root ?? num);
}

/** Appends to the transcript. */
function writeMessages(tasks: Tasks, { before, after, write, time }: Step): void {
  if (write.messages === undefined) return;
  const { seq, run, turn } = after.record;
  for (const [at, message] of write.messages.entries()) {
    const key = rowKey(before.num, before.lastIndex + at + 1);
    tasks.connection.run(INSERT_MESSAGE, key, seq, run, turn, time, messageText(message));
  }
}

/** Throws StoreError `task_not_found`, `not_ended` or `ended`. */
export function markReleased(
  tasks: Tasks,
  taskId: string,
  { time, event }: { readonly time: number; readonly event: NewEvent },
): Written<void> {
  const before = tasks.require(taskId);
  const { num, record } = before;
  if (!isTerminal(record.state)) throw notEnded(record);
  if (record.releasedAt !== null) throw alreadyReleased(record);
  tasks.connection.run(MARK_RELEASED, time, num);
  const after = { ...before, record: { ...record, seq: record.seq + 1, releasedAt: time } };
  tasks.stage(after);
  const now = tasks.clock.now();
  return { value: undefined, events: writeEvents(tasks, after, { events: [event], time: now }) };
}

/** Throws StoreError `task_not_found`. */
export function markRead(tasks: Tasks, taskId: string, time: number): Written<void> {
  const before = tasks.require(taskId);
  const { num, record } = before;
  if (!isTerminal(record.state) || record.readAt !== null) return { value: undefined };
  tasks.connection.run(MARK_READ, time, num);
  tasks.stage({ ...before, record: { ...record, readAt: time } });
  return { value: undefined };
}
