// A child's question to its parent: the mail that carries it, who may answer it, and how it is told. Pure.

import type { PendingWait } from "../../machines/agent.ts";
import { ConflictError } from "../base/errors.ts";
import type { ToolWait } from "../core/tool.ts";
import type { InboxMessage } from "../store/store.ts";

/** A wait for an answer in words, and the call that waits. */
export type OpenQuestion = Extract<ToolWait, { readonly for: "input" }> & { readonly callId: string };

/** The question of this call; `null` when it waits for something else. */
export function questionIn({ callId, wait }: Pick<PendingWait, "callId" | "wait">): OpenQuestion | null {
  return wait.for === "input" ? { ...wait, callId } : null;
}

/** What the parent gets. The id is the child's and its call's, which is unique in the child. */
export function questionMail(childId: string, { callId, prompt }: OpenQuestion): InboxMessage {
  return {
    kind: "question",
    id: `${childId}/${callId}`,
    from: `agent:${childId}`,
    childId,
    questionId: callId,
    text: prompt,
  };
}

/** Which question an answer is for: the oldest, where neither says. */
export interface QuestionSought {
  readonly isAgent: boolean;
  /** The call that asks. */
  readonly questionId: string | undefined;
  /** The words as they were read. */
  readonly asked: string | undefined;
}

export function isSought(question: OpenQuestion, { isAgent, questionId, asked }: QuestionSought): boolean {
  if (isAgent && !mayAgentAnswer(question)) return false;
  return (
    (questionId ?? question.callId) === question.callId && (asked ?? question.prompt) === question.prompt
  );
}

/** Whether an agent's answer counts: whether a call may act is for a person to say. */
export function mayAgentAnswer({ approval }: Pick<OpenQuestion, "approval">): boolean {
  return approval !== true;
}

/** Who is asked, and what, as surfaces show it. */
export function askedWords({ prompt, asks }: Pick<OpenQuestion, "prompt" | "asks">): string {
  return asks === "parent" ? `its parent or a person: ${prompt}` : `a person: ${prompt}`;
}

/** Why an answer is refused; `open` says what the task asks all the same, of whom. */
export function nothingAsked(taskId: string, open: string | null): ConflictError {
  const why =
    open === null
      ? "asks nothing now: somebody has answered, or its time was over"
      : "does not wait for this answer: it asks something else now, or wants a person to allow a call";
  return new ConflictError(
    "nothing_asked",
    `The task ${taskId} ${why}. check_task shows how it stands; steer_task sends it a message.`,
    { details: { task_id: taskId } },
  );
}
