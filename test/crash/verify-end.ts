// What must be true once a house was left alone: everything has ended, once, for a reason; every word, completion and
// child is there exactly once. Pure, like `verify.ts`.

import type { TaskView } from "../../src/core/api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { isTerminal, TERMINAL_STATES } from "../../src/core/lifecycle.ts";
import { textOf, type TranscriptRow } from "../../src/core/message.ts";
import { parseCompletion, parseSteer } from "../../src/core/transcript-marks.ts";
import type { Ledger } from "./ledger.ts";
import type { Look } from "./look.ts";
import { planIn } from "./plan.ts";
import { lostAfterRestart } from "./verify.ts";

/** Failures that a kill may cause: too many of them in one turn, or `on_restart: fail`. */
const EXCUSED_FAILURES: ReadonlySet<string> = new Set(["crash_loop", "interrupted"]);
const ENDS: ReadonlySet<string> = new Set(TERMINAL_STATES.map((state) => `task.${state}`));
/** What a task that has ended still records. */
const AFTER_THE_END: ReadonlySet<string> = new Set(["task.released", "steer.undelivered"]);

export function wrongAtTheEnd(look: Look, ledger: Ledger): readonly string[] {
  return [
    ...lostAfterRestart(look.views, ledger),
    ...wrongEvents(look, ledger),
    ...[...look.views.values()].flatMap((view) => [
      ...wrongEnd(view, look, ledger),
      ...wrongTelling(view, look),
      ...wrongChildren(view, look),
    ]),
    ...wrongWords(look, ledger),
    ...wrongResults(look, ledger),
    ...startedAgain(look, ledger),
  ];
}

/** I2, I7: gapless and rising, with one end each and nothing after it. */
function* wrongEvents({ views, events }: Look, ledger: Ledger): Generator<string> {
  const seqs = new Map<string, number>();
  const ends = new Map<string, number>();
  let cursor = 0;
  for (const event of events) {
    const { taskId, seq, type } = event;
    if (event.cursor <= cursor) yield `cursor ${event.cursor} comes after ${cursor}`;
    cursor = event.cursor;
    const before = seqs.get(taskId) ?? 0;
    if (seq !== before + 1) yield `${taskId} has event ${seq} (${type}) after ${before}`;
    seqs.set(taskId, seq);
    const ended = ends.get(taskId) ?? 0;
    if (ended > 0 && !AFTER_THE_END.has(type)) yield `${taskId} has ${type} (event ${seq}) after its end`;
    if (ENDS.has(type)) ends.set(taskId, ended + 1);
  }
  for (const taskId of views.keys()) {
    const count = ends.get(taskId) ?? 0;
    if (count !== 1) yield `${taskId} has ${count} terminal events`;
    const [shown, all] = [ledger.shown.get(taskId) ?? 0, seqs.get(taskId) ?? 0];
    if (shown !== all) yield `the stream showed ${shown} of the ${all} events of ${taskId}`;
  }
}

/** I27, I10: ended, let go of, and for a reason. */
function* wrongEnd(view: TaskView, look: Look, ledger: Ledger): Generator<string> {
  const { taskId, state, failure, releasedAt } = view;
  if (!isTerminal(state)) return yield `${taskId} is ${state} ${view.phase ?? ""}, and nothing makes it end`;
  if (releasedAt === null) yield `${taskId} is ${state} and was never released`;
  if (state === "failed" && !EXCUSED_FAILURES.has(failure?.code ?? ""))
    yield `${taskId} failed: ${failure?.code} ${failure?.message}`;
  if (state === "cancelled" && !hasCause(view, look, ledger))
    yield `${taskId} is cancelled, and nobody asked`;
}

function hasCause(view: TaskView, { views }: Look, ledger: Ledger): boolean {
  if (ledger.askedToStop.has(view.taskId)) return true;
  const parent = view.parentId === null ? undefined : views.get(view.parentId);
  if (!parent) return false;
  // A parent that ends takes its children with it, and one that begins again leaves them behind.
  return parent.state !== "done" || parent.run > 1 || ledger.askedToStop.has(parent.taskId);
}

function lastRun(rows: readonly TranscriptRow[]): number {
  return rows.at(-1)?.run ?? 1;
}

/** I13: the end of each child is told once, in order, and to a parent that came to a good end, at all. */
function* wrongTelling(view: TaskView, { views, transcripts, events }: Look): Generator<string> {
  const rows = transcripts.get(view.taskId) ?? [];
  const run = lastRun(rows);
  const announced = rows.flatMap((row) => announcedIn(row, run));
  for (const id of new Set(announced))
    if (announced.filter((each) => each === id).length > 1)
      yield `${view.taskId} heard twice of the end of ${id}`;
  const order = endOrder(events);
  const times = announced.map((id) => order.get(id) ?? 0);
  if (times.some((time, at) => at > 0 && time < (times[at - 1] ?? 0)))
    yield `${view.taskId} heard of its children in another order than that of their ends: ${announced.join(", ")}`;
  const children = [...views.values()].filter(({ parentId }) => parentId === view.taskId);
  for (const { taskId } of children) {
    const told = rows.findIndex((row) => tells(row, taskId));
    const said = rows.findIndex((row) => announcedIn(row, run).includes(taskId));
    if (told >= 0 && said > told) yield `${view.taskId} heard of ${taskId} after a result had told it`;
    const heardNothing = told < 0 && said < 0 && view.state === "done" && run === 1;
    const endedFirst = (order.get(taskId) ?? 0) < (order.get(view.taskId) ?? 0);
    if (heardNothing && view.kind === "task" && endedFirst)
      yield `${view.taskId} never heard of the end of ${taskId}`;
  }
}

function announcedIn({ run, message }: TranscriptRow, wanted: number): readonly string[] {
  if (run !== wanted || message.origin !== "completion") return [];
  const note = parseCompletion(textOf(message));
  return note ? [note.taskId] : [];
}

function tells({ message }: TranscriptRow, taskId: string): boolean {
  return message.parts.some(
    (part) => part.type === "tool_result" && part.text.includes(`{"task_id":"${taskId}","finished":true`),
  );
}

function endOrder(events: readonly StoredEvent[]): ReadonlyMap<string, number> {
  return new Map(events.filter(({ type }) => ENDS.has(type)).map(({ taskId, cursor }) => [taskId, cursor]));
}

/** I21, I22: a parent that is done has each child of its plans exactly once. */
function* wrongChildren(view: TaskView, { views, transcripts }: Look): Generator<string> {
  const rows = transcripts.get(view.taskId) ?? [];
  if (lastRun(rows) > 1) return;
  const plans = rows.flatMap(({ message }) =>
    message.role === "user" ? (planIn(textOf(message)) ?? []) : [],
  );
  const names = [...views.values()]
    .filter(({ parentId }) => parentId === view.taskId)
    .map(({ goal }) => planIn(goal)?.name ?? "");
  for (const child of plans.flatMap(({ children }) => children)) {
    const count = names.filter((name) => name === child.name).length;
    if (count > 1) yield `${view.taskId} made ${child.name} ${count} times`;
    if (count === 0 && view.state === "done" && view.kind === "task")
      yield `${view.taskId} is done, and never made ${child.name}`;
  }
}

/** I6: every word is read once or said to be undelivered. */
function* wrongWords({ views, transcripts }: Look, ledger: Ledger): Generator<string> {
  for (const { taskId, steerId, text } of ledger.words.values()) {
    const receipt = views.get(taskId)?.steers.find((each) => each.steerId === steerId);
    if (!receipt) continue;
    const rows = transcripts.get(taskId) ?? [];
    const readIn = rows.filter((row) => spoken(row) === text).map(({ run }) => run);
    if (receipt.state === "queued") yield `${steerId} to ${taskId} is still queued`;
    if (receipt.state === "delivered" && readIn.length === 0)
      yield `${steerId} is delivered, and was never read`;
    if (receipt.state === "undelivered" && readIn.length > 0) yield `${steerId} is undelivered, and was read`;
    if (readIn.length > new Set(readIn).size) yield `${taskId} reads ${steerId} twice`;
  }
}

function spoken({ message }: TranscriptRow): string | null {
  if (message.role !== "user") return null;
  const text = textOf(message);
  return parseSteer(text) ?? text;
}

/** I8: the same bytes every time. */
function* wrongResults({ results }: Look, ledger: Ledger): Generator<string> {
  for (const [taskId, bytes] of ledger.results) {
    const now = results.get(taskId);
    if (now !== bytes) yield `the result of ${taskId} was ${bytes}, and is ${now}`;
  }
}

/** I9: after the life in which a cancel was acknowledged, nothing below it generates, and it ends as cancelled. */
function* startedAgain({ views, events }: Look, ledger: Ledger): Generator<string> {
  const names = new Map<string, number>();
  for (const { goal } of views.values()) {
    const name = planIn(goal)?.name ?? "";
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  for (const { receipt, life } of ledger.calledOff) {
    for (const taskId of receipt.cancelled) {
      const view = views.get(taskId);
      if (view?.kind !== "task") continue;
      const name = planIn(view.goal)?.name ?? "";
      // A parent that begins again has its children made again, with other ids.
      const lives = names.get(name) === 1 ? (ledger.generations.get(name) ?? []) : [];
      const later = lives.find((each) => each > life);
      if (later !== undefined)
        yield `${taskId} was cancelled in life ${life}, and generates in life ${later}`;
      if (view.state === "failed")
        yield `${taskId} was cancelled in life ${life}, and ended as failed: ${view.failure?.code}`;
    }
  }
  const called = new Set<string>();
  for (const { taskId, type } of events) {
    if (type === "cancel.requested" && views.get(taskId)?.kind === "task") called.add(taskId);
    if (type === "turn.started" && called.has(taskId)) yield `${taskId} begins a turn after it was cancelled`;
  }
}
