// How the runtime tells a model of things that no person wrote: the end of a child, its question, and a steer folded in
// while it works. All are user-role texts that begin with a mark. This file writes and reads them, and nobody else does.

import { STATES, type State } from "./lifecycle.ts";

/** Begins the text that announces a child's end: `[task finished] <task_id> <state>: <goal>`, newline, the result. */
export const COMPLETION_MARK = "[task finished]";

/** Begins the text of a steer: `[steer] <message>`. */
export const STEER_MARK = "[steer]";

/** Characters of the goal that an announcement repeats; the parent wrote the goal and needs only to know it again. */
export const COMPLETION_GOAL_CHARS = 200;

export interface CompletionNote {
  readonly taskId: string;
  readonly state: State;
  readonly goal: string;
  readonly result: string;
}

/** The announcement of one ended task. The goal is put on one line and cut; the result follows whole. */
export function completionText(note: CompletionNote): string {
  const goal = note.goal.replace(/\s+/g, " ").trim();
  const shown = goal.length > COMPLETION_GOAL_CHARS ? `${goal.slice(0, COMPLETION_GOAL_CHARS)}…` : goal;
  return `${COMPLETION_MARK} ${note.taskId} ${note.state}: ${shown}\n${note.result}`;
}

/**
 * Reads an announcement back.
 * Contract: never throws; `null` for any other text. One text announces one task: marks further down are the
 * child's own words and are never read, so that a result cannot announce another task's end.
 */
export function parseCompletion(text: string): CompletionNote | null {
  if (!text.startsWith(COMPLETION_MARK)) return null;
  const newline = text.indexOf("\n");
  const head = text.slice(COMPLETION_MARK.length, newline < 0 ? undefined : newline);
  const match = /^\s+(\S+)\s+(\w+):\s?(.*)$/.exec(head);
  const state = STATES.find((word) => word === match?.[2]);
  if (!match || state === undefined) return null;
  return {
    taskId: match[1] ?? "",
    state,
    goal: match[3] ?? "",
    result: newline < 0 ? "" : text.slice(newline + 1),
  };
}

/** Begins the text of a child's question: `[question] <task_id> <question_id> …:`, newline, the child's words. */
export const QUESTION_MARK = "[question]";

export interface QuestionNote {
  readonly taskId: string;
  readonly questionId: string;
  readonly text: string;
}

/** The text by which a child's question reaches its parent's model. */
export function questionText({ taskId, questionId, text }: QuestionNote): string {
  return `${QUESTION_MARK} ${taskId} ${questionId} waits for your answer (answer_task):\n${text}`;
}

/**
 * Reads a question back.
 * Contract: never throws; `null` for any other text. As of `parseCompletion`, marks further down are the child's words.
 */
export function parseQuestion(text: string): QuestionNote | null {
  const match = /^\[question\] (\S+) (\S+) waits for your answer \(answer_task\):\n([^]*)$/.exec(text);
  return match === null ? null : { taskId: match[1] ?? "", questionId: match[2] ?? "", text: match[3] ?? "" };
}

/** The text by which a steer reaches the model. */
export function steerText(message: string): string {
  return `${STEER_MARK} ${message}`;
}

/** The message of a steer's text; `null` for any other text. Never throws. */
export function parseSteer(text: string): string | null {
  return text.startsWith(STEER_MARK) ? text.slice(STEER_MARK.length).trim() : null;
}
