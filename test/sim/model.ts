// The reference model: what the world must look like after a sequence of facts, written as plainly as can be. It shares
// nothing with the product but its words. A fact that could not have happened is answered with a complaint.

import type { Phase, State } from "../../src/core/lifecycle.ts";
import type { TaskEnd, TaskSpec } from "../../src/core/task.ts";
import type { InboxMessage } from "../../src/store/store.ts";
import type { Fact, FactOf } from "./facts.ts";

export interface ModelMail {
  readonly message: InboxMessage;
  state: "queued" | "delivered" | "undelivered";
  turn: number | null;
}

export interface ModelTask {
  readonly spec: TaskSpec;
  /** Order of submission, from 0. */
  readonly order: number;
  state: State;
  phase: Phase | null;
  seq: number;
  epoch: number;
  run: number;
  turn: number;
  cursor: number;
  rows: number;
  released: boolean;
  end: TaskEnd | null;
  /** Place in the order of all ends, from 1. */
  endOrder: number;
  readonly children: string[];
  readonly inbox: ModelMail[];
}

export interface Model {
  readonly tasks: Map<string, ModelTask>;
  ends: number;
}

export function emptyModel(): Model {
  return { tasks: new Map(), ends: 0 };
}

/** Takes one fact into the model; answers what is wrong with it, or `null`. */
export function advance(model: Model, fact: Fact): string | null {
  if (fact.kind === "submitted") return submit(model, fact);
  if (fact.kind === "claimed") return claim(model, fact);
  if (fact.kind === "committed") return commit(model, fact);
  if (fact.kind === "sent") return send(model, fact);
  if (fact.kind === "marked") return mark(model, fact);
  return null;
}

function submit(model: Model, { spec, created }: FactOf<"submitted">): string | null {
  const known = model.tasks.get(spec.id);
  if (known) return created ? `${spec.id} was created a second time` : null;
  if (!created) return `${spec.id} was said to exist before it did`;
  model.tasks.set(spec.id, {
    spec,
    order: model.tasks.size,
    state: "spawned",
    phase: "queued",
    seq: 1,
    epoch: 0,
    run: 1,
    turn: 0,
    cursor: 0,
    rows: 0,
    released: false,
    end: null,
    endOrder: 0,
    children: [],
    inbox: [],
  });
  if (spec.parentId === null) return null;
  const parent = model.tasks.get(spec.parentId);
  if (!parent) return `${spec.id} has a parent that was never submitted`;
  parent.children.push(spec.id);
  return null;
}

function claim(model: Model, { claim: { taskId, epoch, seq } }: FactOf<"claimed">): string | null {
  const task = model.tasks.get(taskId);
  if (!task) return `${taskId} was claimed and never submitted`;
  if (task.end) return `${taskId} was claimed after its end`;
  // A repeated request gets the same answer; a new claim gets the next epoch.
  if (epoch !== task.epoch && epoch !== task.epoch + 1) {
    return `${taskId} was claimed with epoch ${epoch} after ${task.epoch}`;
  }
  if (epoch === task.epoch + 1 && seq !== task.seq) {
    return `${taskId} was claimed at sequence ${seq}, and stands at ${task.seq}`;
  }
  task.epoch = epoch;
  return null;
}

function commit(model: Model, fact: FactOf<"committed">): string | null {
  const { taskId, epoch, expectedSeq, write, receipt } = fact;
  const task = model.tasks.get(taskId);
  if (!task) return `${taskId} was written and never submitted`;
  if (task.end) return `${taskId} was written after its end`;
  if (epoch !== task.epoch) return `${taskId} was written with epoch ${epoch}, and is of ${task.epoch}`;
  if (expectedSeq !== task.seq) return `${taskId} was written at ${expectedSeq}, and stands at ${task.seq}`;
  if (write.run !== undefined && (write.run < task.run || write.run > task.run + 1)) {
    return `${taskId} begins run ${write.run} after ${task.run}`;
  }
  if ((write.turn ?? task.turn) < task.turn) return `${taskId} begins turn ${write.turn} after ${task.turn}`;
  task.seq += write.events?.length ?? 0;
  task.rows += write.messages?.length ?? 0;
  if (receipt.seq !== task.seq) return `${taskId} is told ${receipt.seq}, and stands at ${task.seq}`;
  if (receipt.lastIndex !== task.rows)
    return `${taskId} has ${task.rows} rows, and is told ${receipt.lastIndex}`;
  task.state = write.terminal?.state ?? write.state ?? task.state;
  task.phase = write.terminal ? null : write.phase === undefined ? task.phase : write.phase;
  task.run = write.run ?? task.run;
  task.turn = write.turn ?? task.turn;
  const untaken = take(task, write.inboxCursor);
  if (untaken) return `${taskId} ${untaken}`;
  if (write.terminal) finish(model, task, write.terminal);
  if (write.releasedAt !== undefined) task.released = true;
  for (const { to, message } of write.outbox ?? []) post(model, to, message);
  return null;
}

function take(task: ModelTask, upTo: number | undefined): string | null {
  if (upTo === undefined) return null;
  if (upTo < task.cursor || upTo > task.inbox.length) {
    return `takes mail up to ${upTo}, and has ${task.cursor} to ${task.inbox.length}`;
  }
  for (const mail of task.inbox.slice(task.cursor, upTo)) {
    mail.state = "delivered";
    mail.turn = task.turn;
  }
  task.cursor = upTo;
  return null;
}

function finish(model: Model, task: ModelTask, end: TaskEnd): void {
  task.end = end;
  task.endOrder = ++model.ends;
  for (const mail of task.inbox.slice(task.cursor)) mail.state = "undelivered";
}

function isSame(a: InboxMessage, b: InboxMessage): boolean {
  return a.id === b.id && (a.kind === "completion") === (b.kind === "completion");
}

function post(model: Model, to: string, message: InboxMessage): void {
  const task = model.tasks.get(to);
  if (!task || task.end || task.inbox.some((mail) => isSame(mail.message, message))) return;
  task.inbox.push({ message, state: "queued", turn: null });
}

function send(model: Model, { taskId, message, receipt }: FactOf<"sent">): string | null {
  const task = model.tasks.get(taskId);
  if (!task) return `${taskId} was sent mail and never submitted`;
  const known = task.inbox.some((mail) => isSame(mail.message, message));
  if (known !== receipt.duplicate)
    return `${message.id} was${known ? "" : " not"} sent before, and is told otherwise`;
  if (known) return null;
  if (receipt.accepted !== (task.end === null)) {
    return `${taskId} is ${task.state} and ${receipt.accepted ? "takes" : "refuses"} ${message.id}`;
  }
  if (receipt.accepted) task.inbox.push({ message, state: "queued", turn: null });
  return null;
}

function mark(model: Model, { taskId }: FactOf<"marked">): string | null {
  const task = model.tasks.get(taskId);
  if (!task?.end || task.released)
    return `${taskId} was marked as released ${task?.end ? "twice" : "before its end"}`;
  task.released = true;
  task.seq += 1;
  return null;
}

/** The task and everything below it that was not detached, parents first. */
export function subtreeOf(model: Model, taskId: string): readonly ModelTask[] {
  const found: ModelTask[] = [];
  const queue = [taskId];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const task = model.tasks.get(id);
    if (!task || (id !== taskId && task.spec.detached)) continue;
    found.push(task);
    queue.push(...task.children);
  }
  return found;
}
