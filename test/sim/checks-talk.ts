// What must hold of words: every steer ends delivered or undelivered and is read once, every end of a child is told to
// its parent once and in order, every call has its result.

import { callsOf, textOf, type TranscriptRow } from "../../src/core/message.ts";
import { parseCompletion, parseSteer } from "../../src/core/transcript-marks.ts";
import type { Book } from "./book.ts";
import type { Check, Rest, RestTask } from "./check.ts";

/** What a person or an agent said, as the transcript has it. */
function spoken({ message }: TranscriptRow): string | null {
  if (message.role !== "user") return null;
  const text = textOf(message);
  return parseSteer(text) ?? text;
}

/**
 * The last run that has begun: a further one begins with the words of those before it. Results do not begin one: those
 * of a call that ended its run are written when the next is due, and bear its number.
 */
function lastRun(transcript: readonly TranscriptRow[]): number {
  return transcript.findLast(({ message }) => message.role !== "tool")?.run ?? 1;
}

function wrongWords({ inbox, transcript }: RestTask): string | null {
  const run = lastRun(transcript);
  for (const { message, state, turn } of inbox) {
    if (message.kind !== "steer" && message.kind !== "message") continue;
    const rows = transcript.filter((row) => spoken(row) === message.text);
    const now = rows.filter((row) => row.run === run).length;
    const twice = rows.length > new Set(rows.map((row) => row.run)).size;
    if (twice) return `"${message.text}" stands twice in one run`;
    if (state !== "delivered" && rows.length > 0) return `"${message.text}" is ${state}, and was read`;
    if (state === "delivered" && rows.length === 0)
      return `"${message.text}" is delivered, and was never read`;
    if (state === "delivered" && turn === null) return `"${message.text}" is delivered in no turn`;
    if (state === "delivered" && now === 0)
      return `"${message.text}" was read, and the last run does not know it`;
  }
  return null;
}

/** Words of one sender are read in the order in which they were sent. */
function wrongOrder({ inbox, transcript }: RestTask): string | null {
  const run = lastRun(transcript);
  const firstAt = new Map<string, number>();
  for (const row of transcript) {
    const text = row.run === run ? spoken(row) : null;
    if (text !== null && !firstAt.has(text)) firstAt.set(text, row.index);
  }
  const last = new Map<string, number>();
  for (const { message, state } of inbox) {
    if ((message.kind !== "steer" && message.kind !== "message") || state !== "delivered") continue;
    const at = firstAt.get(message.text) ?? 0;
    if (at < (last.get(message.from) ?? 0))
      return `"${message.text}" was read before an earlier word of ${message.from}`;
    last.set(message.from, at);
  }
  return null;
}

function announcedIn(transcript: readonly TranscriptRow[], run: number): readonly string[] {
  return transcript.flatMap((row) => {
    const note =
      row.run === run && row.message.origin === "completion" ? parseCompletion(textOf(row.message)) : null;
    return note ? [note.taskId] : [];
  });
}

function toldBy(row: TranscriptRow, taskId: string): boolean {
  return row.message.parts.some(
    (part) => part.type === "tool_result" && part.text.includes(`{"task_id":"${taskId}","finished":true`),
  );
}

/** Each child's end is told once, and to a parent that came to a good end, at all. */
function wrongTelling(taskId: string, { record, transcript }: RestTask, book: Book): string | null {
  const task = book.task(taskId);
  if (!task) return null;
  const run = lastRun(transcript);
  const announced = announcedIn(transcript, run);
  const twice = announced.find((id, at) => announced.indexOf(id) !== at);
  if (twice !== undefined) return `${taskId} heard twice of the end of ${twice}`;
  for (const childId of task.children) {
    const at = transcript.findIndex((each) => each.run === run && toldBy(each, childId));
    const row = transcript[at];
    if (!row || !announced.includes(childId)) continue;
    const again = transcript.findIndex(
      (each) =>
        each.run === run &&
        each.message.origin === "completion" &&
        parseCompletion(textOf(each.message))?.taskId === childId,
    );
    if (again > at) return `${taskId} heard of ${childId} after a result had told it`;
  }
  const orders = announced.map((id) => book.task(id)?.endOrder ?? 0);
  const late = orders.findIndex((order, at) => at > 0 && order < (orders[at - 1] ?? 0));
  if (late > 0)
    return `${taskId} heard of ${announced[late]} after ${announced[late - 1]}, which ended later`;
  // Who has no turn left reads nothing more.
  const mayRead = record.turn < record.spec.limits.maxTurns || record.spec.kind === "session";
  return record.state === "done" && run === 1 && mayRead ? unheard(taskId, transcript, book) : null;
}

function unheard(taskId: string, transcript: readonly TranscriptRow[], book: Book): string | null {
  const task = book.task(taskId);
  const announced = new Set(announcedIn(transcript, 1));
  // A session that was closed reads nothing more.
  if (task?.spec.kind === "session" && !transcript.some((row) => spoken(row) === "bye")) return null;
  const missed = task?.children.find((id) => {
    const isTold = announced.has(id) || transcript.some((row) => toldBy(row, id));
    const child = book.task(id);
    // One that was accepted while its parent ended never began; its parent reads nothing more.
    return !isTold && child?.spec.detached === false && child.turn > 0 && child.endOrder < task.endOrder;
  });
  return missed === undefined ? null : `${taskId} never heard of the end of ${missed}`;
}

function wrongCalls({ record, transcript }: RestTask): string | null {
  const calls = transcript.flatMap((row) => callsOf(row.message).map(({ id }) => id));
  const results = transcript.flatMap((row) =>
    row.message.parts.flatMap((part) => (part.type === "tool_result" ? [part.callId] : [])),
  );
  if (new Set(calls).size !== calls.length) return "two calls have one id";
  const odd = results.find((id, at) => !calls.includes(id) || results.indexOf(id) !== at);
  if (odd !== undefined) return `the result of ${odd} stands twice, or without its call`;
  const isGood = record.state === "done" && record.spec.kind === "task" && lastRun(transcript) === 1;
  return isGood && results.length !== calls.length
    ? `${calls.length} calls have ${results.length} results`
    : null;
}

/** Asks something of each task, and names it. */
function ofEach(
  ask: (task: RestTask, taskId: string, book: Book) => string | null,
): NonNullable<Check["rest"]> {
  return ({ tasks }: Rest, book) => {
    for (const [id, task] of tasks) {
      const complaint = ask(task, id, book);
      if (complaint !== null) return `${id}: ${complaint}`;
    }
    return null;
  };
}

/** Each run begins with the goal, once. */
function wrongGoal({ record, transcript }: RestTask): string | null {
  const { goal } = record.spec;
  if (goal === "") return null;
  const told = transcript.filter((row) => row.message.origin === "goal").map(({ run }) => run);
  const twice = told.find((run, at) => told.indexOf(run) !== at);
  if (twice !== undefined) return `run ${twice} was told its goal twice`;
  const untold = transcript.find((row) => row.message.role === "assistant" && !told.includes(row.run));
  return untold ? `run ${untold.run} answered without a goal` : null;
}

export const TALK_CHECKS: readonly Check[] = [
  {
    id: "I21",
    name: "a run begins with its goal",
    means: "The goal stands in the transcript once for each run that has begun, also after a restart.",
    rest: ofEach((task) => wrongGoal(task)),
  },
  {
    id: "I6",
    name: "every word is read once or said to be undelivered",
    means: "A steer ends delivered in a turn and stands once in the transcript, or undelivered and in none.",
    rest: ofEach((task) => wrongWords(task)),
  },
  {
    id: "I6",
    name: "words are read in order",
    means: "Of one sender's words to one task none is read before an earlier one.",
    rest: ofEach((task) => wrongOrder(task)),
  },
  {
    id: "I6",
    name: "every receipt comes true",
    means: "Each steer whose receipt somebody has ends as delivered or undelivered.",
    rest: ({ tasks }, book) => {
      for (const [steerId, taskId] of book.promises.receipts) {
        const entry = tasks.get(taskId)?.inbox.find(({ message }) => message.id === steerId);
        if (!entry || entry.state === "queued") return `the receipt ${steerId} is not final`;
      }
      return null;
    },
  },
  {
    id: "I7",
    name: "events are gapless",
    means:
      "Events of one task are numbered without gaps, cursors rise, and watchers see every one or are told of a gap.",
    on: {
      event: ({ event }, book) => {
        const { taskId, seq, cursor } = event;
        const before = book.shownSeq.get(taskId) ?? 0;
        if (seq !== before + 1) return `${taskId} shows event ${seq} after ${before}`;
        return cursor > book.shownCursor ? null : `cursor ${cursor} comes after ${book.shownCursor}`;
      },
      watched: ({ cursor, gap }, book) =>
        gap || cursor === book.watchedTo + 1 ? null : `a watcher was shown ${cursor} after ${book.watchedTo}`,
    },
    rest: ({ tasks }, book) => {
      if (book.watchedTo > 0 && book.watchedTo !== book.shownCursor)
        return `a watcher saw ${book.watchedTo} of ${book.shownCursor} events`;
      for (const [id, { record }] of tasks) {
        if (book.shownSeq.get(id) !== record.seq) return `${id} stands at ${record.seq}, and showed less`;
      }
      return null;
    },
  },
  {
    id: "I13",
    name: "every end reaches its parent",
    means: "The inbox of a parent that lived holds each child's end exactly once.",
    on: {
      committed: ({ taskId, write }, book) => {
        const parentId = book.task(taskId)?.spec.parentId ?? null;
        if (!write.terminal || parentId === null) return null;
        const told = (write.outbox ?? []).some(({ to, message }) => to === parentId && message.id === taskId);
        return told ? null : `${taskId} ends, and its parent is not told`;
      },
    },
  },
  {
    id: "I13",
    name: "each end is told once and in order",
    means:
      "A completion is folded into the parent's transcript once or told by a result, in order of completion.",
    rest: ofEach((task, taskId, book) => wrongTelling(taskId, task, book)),
  },
  {
    id: "I21",
    name: "each call has one result",
    means: "No call and no result stands twice, and a task that is done has a result for each of its calls.",
    rest: ofEach((task) => wrongCalls(task)),
  },
  {
    id: "I6",
    name: "the store agrees with the model at rest",
    means: "Records and inboxes are what the reference model makes of all writes.",
    rest: ({ tasks }, book) => {
      for (const [id, { record, inbox }] of tasks) {
        const task = book.task(id);
        if (!task) return `${id} is in the store, and was never submitted`;
        if (task.state !== record.state || task.seq !== record.seq || task.run !== record.run) {
          return `${id} is ${record.state} at ${record.seq}, and should be ${task.state} at ${task.seq}`;
        }
        const states = inbox.map(({ message, state, turn }) => `${message.id} ${state} ${turn}`).join();
        const due = task.inbox.map(({ message, state, turn }) => `${message.id} ${state} ${turn}`).join();
        if (states !== due) return `${id} has mail ${states}, and should have ${due}`;
      }
      return null;
    },
  },
];
