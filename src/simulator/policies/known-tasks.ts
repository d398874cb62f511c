// Which children a chat has started, what became of them, and which one a person means. Pure; never throws.

import { STATES, TERMINAL_STATES } from "../../core/lifecycle.ts";
import { parseCompletion, type CompletionNote } from "../../core/transcript-marks.ts";
import type { PolicyMessage } from "../policy.ts";
import { exchangesOf, isRecord, listAt, textAt, userTexts, type Exchange } from "./transcript.ts";
import { keywords } from "./words.ts";

/** A child, as far as the transcript tells of it. */
export interface KnownTask {
  readonly taskId: string;
  readonly goal: string;
  /** The announcement of its end; `null` while it is not known to have ended. */
  readonly end: CompletionNote | null;
}

/** The tasks that one answered call started. */
export function startedBy(exchange: Exchange): readonly { readonly taskId: string; readonly goal: string }[] {
  if (!/^delegate_task(_async)?$/.test(exchange.name) || exchange.failed) return [];
  const goals = listAt(exchange.arguments["tasks"])?.map((task) => textAt(task, "goal") ?? "");
  return viewsIn(exchange.value).flatMap((result, index) => {
    const taskId = textAt(result, "task_id");
    const goal = textAt(result, "goal") ?? goals?.[index] ?? textAt(exchange.arguments, "goal") ?? "";
    return taskId === null ? [] : [{ taskId, goal }];
  });
}

function endsIn(exchange: Exchange): readonly CompletionNote[] {
  if (!/_tasks?(_async)?$/.test(exchange.name)) return [];
  return viewsIn(exchange.value).flatMap((view) => {
    const taskId = textAt(view, "task_id");
    const state = TERMINAL_STATES.find((word) => word === textAt(view, "state", "status"));
    if (taskId === null || state === undefined) return [];
    return [{ taskId, state, goal: textAt(view, "goal") ?? "", result: textAt(view, "result") ?? "" }];
  });
}

/** Every child of this chat, in the order in which they were started. */
export function knownTasks(messages: readonly PolicyMessage[]): readonly KnownTask[] {
  const ends = new Map<string, CompletionNote>();
  for (const text of userTexts(messages)) {
    const note = parseCompletion(text);
    if (note) ends.set(note.taskId, note);
  }
  const started = new Map<string, string>();
  for (const exchange of exchangesOf(messages)) {
    for (const { taskId, goal } of startedBy(exchange)) started.set(taskId, goal);
    // A result that tells of an end stands for its announcement, which may never come.
    for (const note of endsIn(exchange)) if (!ends.has(note.taskId)) ends.set(note.taskId, note);
  }
  // A compacted transcript may have lost the call that started a task whose end it announces.
  for (const note of ends.values()) if (!started.has(note.taskId)) started.set(note.taskId, note.goal);
  return [...started].map(([taskId, goal]) => ({ taskId, goal, end: ends.get(taskId) ?? null }));
}

const ORDINALS: Readonly<Record<string, number>> = { first: 1, second: 2, third: 3, fourth: 4, fifth: 5 };

/** The child that a person means by an id, the beginning of one, a number or words of its goal. */
export function taskMeant(reference: string, tasks: readonly KnownTask[]): KnownTask | null {
  const wanted = reference.trim().replace(/^["'`]|["'`]$/g, "");
  const byId = tasks.filter(
    (task) => task.taskId === wanted || (wanted.length >= 6 && task.taskId.startsWith(wanted)),
  );
  if (byId.length === 1) return byId[0] ?? null;
  if (/^task_[0-9a-f]{8,}$/.test(wanted)) return { taskId: wanted, goal: "", end: null };
  const number =
    /(?:^|#|task |child )(\d{1,2})$/i.exec(wanted)?.[1] ?? ORDINALS[wanted.toLowerCase().split(" ")[0] ?? ""];
  if (number !== undefined) return tasks[Number(number) - 1] ?? null;
  const words = [...keywords(wanted)];
  const scored = tasks.map((task) => {
    const own = keywords(task.goal);
    return { task, score: words.filter((word) => own.has(word)).length + (task.end ? 0 : 0.5) };
  });
  const best = scored.toSorted((a, b) => b.score - a.score)[0];
  return best && best.score >= 1 ? best.task : null;
}

/** The tasks that a result tells of; from plain lines, those with an id and what state the line names. */
export function viewsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof value !== "string")
    return (listAt(value, "tasks", "items", "results") ?? [value]).filter(isRecord);
  return value.split("\n").flatMap((line) => {
    const taskId = /\btask_\w+/.exec(line)?.[0];
    const state = STATES.find((word) => new RegExp(`\\b${word}\\b`).test(line));
    return taskId === undefined ? [] : [{ task_id: taskId, ...(state === undefined ? {} : { state }) }];
  });
}
