// A second, naive store to compare the real ones with: plain arrays, everything by scanning, nothing shared with
// src/store but the words. One function, `step`, takes an operation and answers what a store must answer.

import { MAX_INBOX } from "../../src/core/limits.ts";

export interface ModelEntry {
  readonly id: string;
  readonly text: string;
  readonly kind: "steer" | "completion";
  state: "queued" | "delivered" | "undelivered";
  turn: number | null;
  reason: string | null;
}

export interface ModelTask {
  readonly id: string;
  readonly boxId: string;
  readonly hash: string;
  state: string;
  seq: number;
  epoch: number;
  turn: number;
  rows: number;
  compactedTo: number;
  cursor: number;
  released: boolean;
  read: boolean;
  hasResult: boolean;
  endedAt: number;
  owner: string | null;
  expiresAt: number;
  readonly inbox: ModelEntry[];
}

export interface ModelEvent {
  readonly cursor: number;
  readonly taskId: string;
  readonly seq: number;
  readonly type: string;
  readonly state: string;
  readonly turn: number;
}

export interface Model {
  now: number;
  readonly maxEvents: number;
  tasks: ModelTask[];
  events: ModelEvent[];
  /** The newest cursor that was given. */
  newest: number;
  /** How far the one reader has come, if it is registered. */
  reader: number | null;
  readonly lost: { owner: string; taskId: string }[];
}

export interface CommitOp {
  readonly op: "commit";
  readonly task: string;
  /** Off the right ones by this much; both are 0 for a write that should pass. */
  readonly epochOff: number;
  readonly seqOff: number;
  readonly events: number;
  readonly rows: number;
  readonly compact: boolean;
  /** Inbox entries to take beyond the cursor; may be more than there are. */
  readonly take: number;
  readonly turn: number;
  readonly mailTo: string | null;
  readonly end: "done" | "failed" | null;
}

export type Op =
  | { readonly op: "submit"; readonly task: string; readonly box: string; readonly hash: string }
  | { readonly op: "claim"; readonly owner: string; readonly box: string; readonly max: number }
  | { readonly op: "heartbeat"; readonly owner: string }
  | { readonly op: "release"; readonly owner: string }
  | { readonly op: "send"; readonly task: string; readonly id: string; readonly text: string }
  | { readonly op: "released"; readonly task: string }
  | { readonly op: "read"; readonly task: string }
  | { readonly op: "reader"; readonly cursor: number | null }
  | { readonly op: "prune"; readonly ageMs: number; readonly bySize: boolean }
  | { readonly op: "advance"; readonly ms: number }
  | CommitOp;

export const TTL_MS = 1_000;
/** The one kinship there is; all other tasks are roots. */
export const PARENTS: Readonly<Record<string, string>> = { t1: "t0" };

export const emptyModel = (maxEvents: number): Model => ({
  now: 0,
  maxEvents,
  tasks: [],
  events: [],
  newest: 0,
  reader: null,
  lost: [],
});

const refused = (code: string): { readonly refused: string } => ({ refused: code });
const ended = (task: ModelTask): boolean => task.state === "done" || task.state === "failed";

/** Applies one operation to the model (in place) and returns the answer that a store must give. */
export function step(model: Model, op: Op): unknown {
  if (op.op === "advance") return void (model.now += op.ms);
  if (op.op === "submit") return submit(model, op);
  if (op.op === "claim") return claim(model, op);
  if (op.op === "heartbeat") return heartbeat(model, op.owner);
  if (op.op === "release") return release(model, op.owner);
  if (op.op === "reader") return moveReader(model, op.cursor);
  if (op.op === "prune") return prune(model, op);
  const task = model.tasks.find((each) => each.id === op.task);
  if (task === undefined) return refused("task_not_found");
  if (op.op === "send") return send(task, op);
  if (op.op === "read") return void (task.read ||= ended(task));
  if (op.op === "released") return markReleased(model, task);
  return commit(model, task, op);
}

function log(model: Model, task: ModelTask, type: string): void {
  task.seq += 1;
  model.newest += 1;
  const cursor = model.newest;
  const { id: taskId, seq, state, turn } = task;
  model.events.push({ cursor, taskId, seq, type, state, turn });
  if (model.events.length > model.maxEvents) model.events.shift();
}

function submit(model: Model, op: Extract<Op, { op: "submit" }>): unknown {
  const known = model.tasks.find((task) => task.id === op.task);
  if (known !== undefined) {
    return known.hash === op.hash ? { created: false } : refused("idempotency_key_reused");
  }
  const counters = { seq: 0, epoch: 0, turn: 0, rows: 0, compactedTo: 0, cursor: 0 };
  const times = { expiresAt: 0, endedAt: 0 };
  const blank = { state: "spawned", released: false, read: false, hasResult: false, owner: null };
  const { task: id, box: boxId, hash } = op;
  const task: ModelTask = { id, boxId, hash, ...blank, ...counters, ...times, inbox: [] };
  model.tasks.push(task);
  log(model, task, "task.spawned");
  return { created: true };
}

function claim(model: Model, op: Extract<Op, { op: "claim" }>): unknown {
  const free = model.tasks.filter(
    (task) => task.boxId === op.box && !ended(task) && (task.owner === null || task.expiresAt <= model.now),
  );
  return free.slice(0, op.max).map((task) => {
    if (task.owner !== null && task.owner !== op.owner)
      model.lost.push({ owner: task.owner, taskId: task.id });
    task.owner = op.owner;
    task.expiresAt = model.now + TTL_MS;
    task.epoch += 1;
    return { taskId: task.id, epoch: task.epoch, seq: task.seq };
  });
}

function heartbeat(model: Model, owner: string): unknown {
  for (const task of model.tasks) if (task.owner === owner) task.expiresAt = model.now + TTL_MS;
  return forgetLost(model, owner);
}

function forgetLost(model: Model, owner: string): readonly string[] {
  const ids = model.lost.filter((each) => each.owner === owner).map((each) => each.taskId);
  model.lost.splice(0, model.lost.length, ...model.lost.filter((each) => each.owner !== owner));
  return ids.toSorted();
}

function release(model: Model, owner: string): unknown {
  forgetLost(model, owner);
  const held = model.tasks.filter((task) => task.owner === owner);
  for (const task of held) task.owner = null;
  return held.map((task) => task.id).toSorted();
}

function send(task: ModelTask, op: Extract<Op, { op: "send" }>): unknown {
  const at = task.inbox.findIndex((entry) => entry.id === op.id && entry.kind === "steer");
  const first = task.inbox[at];
  if (first !== undefined) {
    return first.text === op.text
      ? { accepted: true, duplicate: true, position: at + 1 }
      : refused("message_reused");
  }
  if (ended(task)) return { accepted: false, duplicate: false, position: null };
  const waiting = task.inbox.filter((entry) => entry.state === "queued" && entry.kind === "steer");
  if (waiting.length >= MAX_INBOX) return refused("inbox_full");
  push(task, { kind: "steer", id: op.id, text: op.text });
  return { accepted: true, duplicate: false, position: task.inbox.length };
}

function push(task: ModelTask, message: Pick<ModelEntry, "kind" | "id" | "text">): void {
  task.inbox.push({ ...message, state: "queued", turn: null, reason: null });
}

function markReleased(model: Model, task: ModelTask): unknown {
  if (!ended(task)) return refused("not_ended");
  if (task.released) return refused("ended");
  task.released = true;
  log(model, task, "task.released");
  return "released";
}

function commit(model: Model, task: ModelTask, op: CommitOp): unknown {
  if (ended(task)) return refused("ended");
  if (task.owner === null || op.epochOff !== 0) return refused("fenced");
  if (op.seqOff !== 0) return refused("sequence");
  if (task.cursor + op.take > task.inbox.length) return refused("invalid_write");
  const addressee = model.tasks.find((each) => each.id === op.mailTo);
  if (op.mailTo !== null && addressee === undefined) return refused("task_not_found");
  task.turn = op.turn;
  task.rows += op.rows;
  if (op.compact) task.compactedTo = task.rows;
  for (const entry of task.inbox.slice(task.cursor, task.cursor + op.take)) {
    Object.assign(entry, { state: "delivered", turn: op.turn });
  }
  task.cursor += op.take;
  if (op.end !== null) {
    task.state = op.end;
    task.endedAt = model.now;
    task.hasResult = op.end === "done";
    task.owner = null;
    for (const entry of task.inbox.slice(task.cursor)) {
      Object.assign(entry, { state: "undelivered", reason: `task_${op.end}` });
    }
  }
  for (let at = 0; at < op.events; at += 1) log(model, task, "task.started");
  if (
    addressee !== undefined &&
    !ended(addressee) &&
    !addressee.inbox.some((entry) => entry.id === task.id && entry.kind === "completion")
  ) {
    push(addressee, { kind: "completion", id: task.id, text: "" });
  }
  return { seq: task.seq, lastIndex: task.rows };
}

function moveReader(model: Model, cursor: number | null): unknown {
  model.reader = cursor === null ? null : Math.max(cursor, model.reader ?? 0);
  return model.reader ?? 0;
}

const rootOf = (taskId: string): string => PARENTS[taskId] ?? taskId;

function prune(model: Model, op: Extract<Op, { op: "prune" }>): unknown {
  const before = model.tasks.length;
  let unread = 0;
  for (const rootId of new Set(model.tasks.map((task) => rootOf(task.id)))) {
    const tree = model.tasks.filter((task) => rootOf(task.id) === rootId);
    const lastEnd = Math.max(...tree.map((task) => task.endedAt));
    if (!tree.every(ended) || !(op.bySize || lastEnd < model.now - op.ageMs)) continue;
    const events = model.events.filter((event) => rootOf(event.taskId) === rootId);
    const unseen = events.some((event) => model.reader !== null && event.cursor > model.reader);
    if (unseen || tree.some((task) => isUnread(model, task))) {
      unread += 1;
      continue;
    }
    model.tasks = model.tasks.filter((task) => !tree.includes(task));
    model.events = model.events.filter((event) => !events.includes(event));
  }
  return { tasks: before - model.tasks.length, unread };
}

function isUnread(model: Model, task: ModelTask): boolean {
  const parentId = PARENTS[task.id];
  if (task.read) return false;
  if (parentId === undefined) return true;
  const inbox = model.tasks.find((each) => each.id === parentId)?.inbox ?? [];
  const taken = inbox.some(
    ({ id, kind, state }) => id === task.id && kind === "completion" && state === "delivered",
  );
  return task.hasResult && !taken;
}
