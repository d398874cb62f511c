// What lies in an inbox, told to a model: pure functions from entries to messages and events. Which entries are
// folded, and when, is decided by the machine and its host.

import { completionText, questionText, steerText } from "../core/transcript-marks.ts";
import type { NewEvent } from "../core/event.ts";
import { textMessage, type Message } from "../core/message.ts";
import type { TaskEnd } from "../core/task.ts";
import { worktreeLine } from "../core/worktree.ts";
import { cutMiddle } from "./output-ring.ts";
import type { InboxEntry, InboxMessage } from "../store/store.ts";

export interface FoldedMail {
  readonly messages: readonly Message[];
  readonly events: readonly NewEvent[];
  /** Position of the last entry. */
  readonly cursor: number;
}

/**
 * The messages that a model reads for these entries, in their order.
 * `maxChars` is what one child's result may take of the model's context; collect_task gives more of it.
 * `known` names children and answers that a tool result has already told, with what children asked before their end.
 */
export function foldMail(
  entries: readonly InboxEntry[],
  known: ReadonlySet<string>,
  maxChars: number,
): FoldedMail {
  const messages: Message[] = [];
  const events: NewEvent[] = [];
  let cursor = 0;
  for (const entry of entries) {
    cursor = entry.position;
    const { message } = entry;
    if (message.kind === "completion") {
      events.push({ type: "child.completed", data: { childId: message.id, state: message.end.state } });
      if (!known.has(message.id))
        messages.push(textMessage("user", "completion", announce(message, maxChars)));
    } else if (message.kind !== "cancel") {
      if (!known.has(toldAs(message) ?? "")) messages.push(wordsOf(message, maxChars));
      events.push({ type: "steer.delivered", data: { steerId: message.id } });
    }
  }
  return { messages, events, cursor };
}

/** What somebody wrote, as the model reads it. */
function wordsOf(
  message: Exclude<InboxMessage, { kind: "completion" | "cancel" }>,
  maxChars: number,
): Message {
  if (message.kind === "question") {
    const { childId: taskId, questionId, text } = message;
    const note = { taskId, questionId, text: cutMiddle(text, maxChars).text };
    return textMessage("user", "question", questionText(note));
  }
  // An answer that came too late is a word of whoever wrote it.
  const isSteer = message.kind === "steer" || (message.kind === "answer" && !isFromPerson(message));
  if (isSteer) return textMessage("user", "steer", steerText(message.text));
  return textMessage("user", "person", message.text);
}

/** The id under which a tool result may have told what this message would; `null` for what nothing else tells. */
export function toldAs(message: InboxMessage): string | null {
  if (message.kind === "question") return message.childId;
  return message.kind === "completion" || message.kind === "answer" ? message.id : null;
}

const CUT_SHORT = "\n[cut: this is not the whole answer]";

/** How a child's end is announced to its parent's model. */
function announce(
  message: { readonly id: string; readonly end: TaskEnd; readonly goal: string },
  maxChars: number,
): string {
  const { end } = message;
  const failure = end.failure
    ? `It failed (${end.failure.code}): ${end.failure.message}`
    : "It left no result.";
  return completionText({
    taskId: message.id,
    state: end.state,
    goal: message.goal,
    result: `${cutMiddle(end.result ?? failure, maxChars).text}${end.truncated ? CUT_SHORT : ""}${worktreeNote(end)}`,
  });
}

function worktreeNote({ worktree }: TaskEnd): string {
  return worktree === undefined ? "" : `\n[${worktreeLine(worktree)}]`;
}

/** The first message of a run: all that a child knows. */
export function goalMessage(goal: string, context: string | null): Message {
  return textMessage("user", "goal", context ? `${goal}\n\nContext:\n${context}` : goal);
}

/** How a sender is written: a person by name, an agent by its task. */
export function senderOf(caller: { readonly name: string; readonly taskId: string | null }): string {
  return caller.taskId === null ? `${PERSON}${caller.name}` : `agent:${caller.taskId}`;
}

const PERSON = "person:";

/** Whether a person wrote it: such mail goes first, and ends a session's wait. */
export function isFromPerson(message: InboxMessage): boolean {
  return message.kind !== "completion" && message.from.startsWith(PERSON);
}

export interface News {
  /** The fact that it came, where that is recorded. */
  readonly event: NewEvent | null;
  readonly interrupt: boolean;
  readonly person: boolean;
}

/** What the arrival of a message means to the machine. */
export function newsOf(message: InboxMessage): News {
  const interrupt = message.kind === "steer" && message.interrupt;
  const person = isFromPerson(message);
  if (message.kind === "message") {
    return { event: { type: "message.received", data: { messageId: message.id } }, interrupt, person };
  }
  if (message.kind === "steer") {
    return { event: { type: "steer.queued", data: { steerId: message.id, interrupt } }, interrupt, person };
  }
  return { event: null, interrupt, person };
}
