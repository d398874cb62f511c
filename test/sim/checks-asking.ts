// What must hold of questions, to parents and to people: who asks holds nothing, a question is in its parent's mail with
// the wait and is read once, an answer ends one question, and what nobody said is never told as said.

import type { LaneView } from "../../src/core/box-api.ts";
import { textOf } from "../../src/core/message.ts";
import { parseQuestion } from "../../src/core/transcript-marks.ts";
import type { InboxMessage } from "../../src/store/store.ts";
import type { Book } from "./book.ts";
import type { Check, Rest, RestTask } from "./check.ts";
import type { FactOf } from "./facts.ts";
import type { ModelTask } from "./model.ts";
import { QUESTION_MS } from "./questions.ts";

const ROUNDING_MS = 2;
type Said = Extract<InboxMessage, { readonly kind: "answer" | "message" }>;

/** What people and agents said to a task that may answer a question of it. */
function saidTo(inbox: readonly { readonly message: InboxMessage }[]): readonly Said[] {
  return inbox.flatMap(({ message }) =>
    message.kind === "answer" || message.kind === "message" ? [message] : [],
  );
}

function isPerson({ from }: Said): boolean {
  return from.startsWith("person");
}

/** Who waits for an answer, and for nothing else, has given everything back. */
function holding(lanes: readonly LaneView[], book: Book): string | null {
  if (!book.diary.exact) return null;
  for (const taskId of book.asking) {
    if (book.task(taskId)?.spec.kind !== "task" || book.side(taskId).generations > 0) continue;
    const holds = lanes.some(
      ({ leases, places }) => places.includes(taskId) || leases.some((lease) => lease.taskId === taskId),
    );
    if (holds) return `${taskId} waits for an answer, and holds a place or a lease`;
  }
  return null;
}

/** The question goes into the parent's mail in the write that begins the wait. */
function mailed({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  // Whoever ends in the same write, for its budget, waits for nothing.
  if (write.terminal) return null;
  const parentId = book.task(taskId)?.spec.parentId ?? null;
  const asked = (write.events ?? []).flatMap(({ type, data }) =>
    type === "tool.suspended" && data.asks === "parent" ? [data.callId] : [],
  );
  const sent = (write.outbox ?? []).flatMap(({ to, message }) =>
    message.kind === "question" ? [`${to} ${message.questionId}`] : [],
  );
  const due = asked.map((callId) => `${parentId} ${callId}`);
  return due.join() === sent.join() ? null : `${taskId} asks ${due.join()}, and mails ${sent.join()}`;
}

/** A wait for an answer ends as over only when its time is. */
function cutShort({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  if (!book.diary.exact) return null;
  for (const { type, data } of write.events ?? []) {
    if (type !== "tool.resumed" || data.cause !== "timeout") continue;
    const { dueAt = null } = book.diary.page(taskId).waits.get(data.callId) ?? {};
    if (dueAt !== null && book.now < dueAt - ROUNDING_MS)
      return `${taskId} waits no longer, ${dueAt - book.now} ms before its time`;
  }
  return null;
}

/** No parent goes on waiting for children beside an unread question of one that waits for it. */
function deaf(book: Book): string | null {
  const { diary, now } = book;
  if (!diary.exact || diary.readyAt === null || now <= diary.readyAt + ROUNDING_MS) return null;
  for (const [taskId, task] of book.model.tasks) {
    const page = diary.page(taskId);
    const waits = task.phase === "waiting_children" && page.waits.size > 0 && !page.isEnding;
    const isCancelled = task.inbox.some(({ message }) => message.kind === "cancel");
    if (!waits || isCancelled || page.stop !== null) continue;
    const asked = task.inbox.find((mail) => mail.state === "queued" && isOpen(mail.message, book));
    if (asked) return `${taskId} waits for its children, and has not read ${asked.message.id}`;
  }
  return null;
}

/** A question of a child that waits for its answer, asked before this moment. */
function isOpen(message: ModelTask["inbox"][number]["message"], { diary, now, model }: Book): boolean {
  if (message.kind !== "question" || model.tasks.get(message.childId)?.end !== null) return false;
  const child = diary.page(message.childId);
  const { dueAt = null } = child.waits.get(message.questionId) ?? {};
  return (
    child.abandonedAt === null && dueAt !== null && now < dueAt && now > dueAt - QUESTION_MS + ROUNDING_MS
  );
}

function wrongReading({ inbox, transcript }: RestTask): string | null {
  const read = transcript.flatMap(({ message }) => {
    const note = message.origin === "question" ? parseQuestion(textOf(message)) : null;
    return note === null ? [] : [`${note.taskId}/${note.questionId}`];
  });
  const odd = read.find((id, at) => read.indexOf(id) !== at);
  if (odd !== undefined) return `the question ${odd} was read twice`;
  const state = new Map(
    inbox.flatMap(({ message, state: is }) => (message.kind === "question" ? [[message.id, is]] : [])),
  );
  const unsent = read.find((id) => state.get(id) !== "delivered");
  return unsent === undefined
    ? null
    : `the question ${unsent} is ${state.get(unsent) ?? "in no mail"}, and was read`;
}

/** What calls that asked came to, with why their wait ended last. */
function asked({ transcript, events }: RestTask): readonly Outcome[] {
  const causes = new Map<string, string>();
  for (const { type, data } of events) {
    const { callId, cause } = data as { readonly callId?: string; readonly cause?: string };
    if (type === "tool.resumed" && callId !== undefined) causes.set(callId, cause ?? "");
  }
  return transcript.flatMap(({ message }) =>
    message.parts.flatMap((part) => {
      const isAsked = part.type === "tool_result" && ["ask_parent", "guarded"].includes(part.name);
      return isAsked ? [{ ...part, cause: causes.get(part.callId) ?? null }] : [];
    }),
  );
}

interface Outcome {
  readonly callId: string;
  readonly name: string;
  readonly text: string;
  readonly cause: string | null;
}

/** What nobody said. */
const NOBODY = /No answer in time|denied by timeout/;
/** What somebody said. */
const SOMEBODY = /"answered":true|A person denied|It was allowed/;

function wrongOutcome(task: RestTask): string | null {
  const said = saidTo(task.inbox);
  for (const { callId, text, cause } of asked(task)) {
    const isSaid = SOMEBODY.test(text);
    if (cause === "timeout" && isSaid) return `${callId} was over, and is told as "${text}"`;
    if (cause === "satisfied" && NOBODY.test(text)) return `${callId} was answered, and is told as "${text}"`;
    if (isSaid && !said.some((each) => isWordFor(text, each)))
      return `${callId} is told as "${text}", and nobody said it`;
  }
  return null;
}

/** Whether this is what the result tells, by one who may say it. */
function isWordFor(text: string, said: Said): boolean {
  const isAllowance = text.includes("It was allowed");
  if (isAllowance) return isPerson(said) && said.text === "yes";
  if (text.includes("A person denied")) return isPerson(said) && text.includes(JSON.stringify(said.text));
  const by = isPerson(said) ? "a person" : "your parent";
  return text.includes(`"by":"${by}"`) && text.includes(`"answer":${JSON.stringify(said.text)}`);
}

/** What a person wants to see first is done only after a yes. */
function unallowed({ taskId, tool }: FactOf<"tool.began">, book: Book): string | null {
  if (tool !== "guarded") return null;
  const said = saidTo(book.task(taskId)?.inbox ?? []);
  return said.some((each) => isPerson(each) && each.text === "yes")
    ? null
    : `${taskId} acts, and nobody has allowed it`;
}

/** No answer is the result of two calls, nor that of a question that it does not name. */
function wrongAnswer(task: RestTask): string | null {
  const outcomes = asked(task);
  for (const said of saidTo(task.inbox)) {
    if (said.text === "yes") continue;
    const told = outcomes.filter(({ text }) => text.includes(JSON.stringify(said.text)));
    // Those that want to be allowed in one turn are answered together.
    const turns = new Set(
      told.map(({ name, callId }) => (name === "guarded" ? callId.replace(/_\d+$/, "") : callId)),
    );
    if (turns.size > 1) return `"${said.text}" is the answer of ${told.map(({ callId }) => callId).join()}`;
    const named = said.kind === "answer" ? said.questionId : undefined;
    const other = told.find(({ callId }) => named !== undefined && callId !== named);
    if (other) return `"${said.text}" answers ${named}, and is told to ${other.callId}`;
  }
  return null;
}

function ofEach(ask: (task: RestTask) => string | null): NonNullable<Check["rest"]> {
  return ({ tasks }: Rest, book) => {
    // A log that lets old events go can show nothing of them.
    if (!book.diary.keepsEvents) return null;
    for (const [id, task] of tasks) {
      const complaint = ask(task);
      if (complaint !== null) return `${id}: ${complaint}`;
    }
    return null;
  };
}

export const ASKING_CHECKS: readonly Check[] = [
  {
    id: "I4",
    name: "who asks holds nothing",
    means: "A task that waits for an answer has neither a place nor a lease.",
    step: ({ lanes }, book) => holding(lanes, book),
  },
  {
    id: "I13",
    name: "a question goes with its wait",
    means:
      "A question to a parent is in the parent's mail in the write that begins the wait, and in no other.",
    on: { committed: mailed },
  },
  {
    id: "I13",
    name: "a question is read once",
    means:
      "Each question stands once in the transcript of the parent that took it, and in none that did not.",
    rest: ofEach(wrongReading),
  },
  {
    id: "I29",
    name: "a question wakes its parent",
    means: "No parent waits for its children beside an unread question of one of them.",
    step: (_, book) => deaf(book),
  },
  {
    id: "I8",
    name: "no wait for an answer is cut short",
    means: "A question is over when its time is, also when the server was restarted meanwhile.",
    on: { committed: cutShort },
  },
  {
    id: "I14",
    name: "nobody is said to have answered who has not",
    means: "What ended by its time is told so; what is told as said was said, by whom it was.",
    rest: ofEach(wrongOutcome),
    on: { "tool.began": unallowed },
  },
  {
    id: "I6",
    name: "an answer ends one question",
    means: "No answer is the result of two questions, nor of one that it does not name.",
    rest: ofEach(wrongAnswer),
  },
];
