// What somebody answers, as mail to the task that asks: bound to the question that it is for, where that is known, so that
// it reaches no other, however late it comes.

import type { Random } from "../base/ids.ts";
import { newId } from "../base/ids.ts";
import type { Caller } from "../core/api.ts";
import type { Answer } from "../core/question.ts";
import type { InboxMessage, Store } from "../store/store.ts";
import { senderOf } from "./mail.ts";
import { nothingAsked, type QuestionSought } from "./parent-question.ts";
import type { Tasks } from "./tasks.ts";

export type AnswerMail = Extract<InboxMessage, { readonly kind: "answer" }>;

export interface AnsweringOptions {
  readonly tasks: Tasks;
  readonly store: Store;
  readonly random: Random;
  readonly caller: Caller;
}

/**
 * Contract: throws ConflictError `nothing_asked` when the question that it names is over, or when an agent answers what
 * nobody asks it. A call that is made again gives the same mail.
 */
export async function answerMail(
  taskId: string,
  { text, questionId, asked, answerId }: Answer,
  { tasks, store, random, caller }: AnsweringOptions,
): Promise<AnswerMail> {
  const before = answerId === undefined ? null : await sentBefore(store, taskId, answerId);
  if (before?.text === text) return before;
  const isAgent = caller.taskId !== null;
  const mail = {
    kind: "answer",
    id: answerId ?? newId("msg", random),
    from: senderOf(caller),
    text,
  } as const;
  const pauses = tasks.host(taskId)?.pauses;
  const isBound = isAgent || questionId !== undefined || asked !== undefined;
  // One that has ended says so itself.
  if (!isBound || pauses === undefined) return mail;
  const sought: QuestionSought = { isAgent, questionId, asked };
  const question = pauses.questionFor(sought);
  if (question === null) throw nothingAsked(taskId, pauses.question);
  return { ...mail, questionId: question.callId };
}

async function sentBefore(store: Store, taskId: string, id: string): Promise<AnswerMail | null> {
  for (const { message } of await store.inbox(taskId, 0)) {
    if (message.kind === "answer" && message.id === id) return message;
  }
  return null;
}
