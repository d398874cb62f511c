// What covers the tasks: everything of one task, what it writes, and what the keys do. Pure.

import type { TaskView } from "../../core/api.ts";
import { wrap } from "../demo-words.ts";
import { marked } from "../printable.ts";
import type { Line, Span } from "../printer.ts";
import { taskDetails } from "../task-lines.ts";

const HELP: readonly (readonly [string, string])[] = [
  ["↑ ↓ j k", "one task up or down; PgUp, PgDn, Home, End"],
  ["enter", "everything of the task; again, or Esc, goes back"],
  ["space", "fold or unfold what is below it"],
  ["t", "what it writes, as it comes"],
  ["s", "send it a message; a task that waits for a person takes it as the answer"],
  ["c", "cancel it, where nothing lives below it"],
  ["C", "cancel it and everything below it, after a question"],
  ["p", "stop and resume spawning on the whole box"],
  ["r", "go back in time over what happened to it and those below"],
  ["/", "show only what fits some words: of the goal, id, agent, model or state"],
  ["Esc", "close what is open, then forget the filter"],
  ["q, Ctrl-C", "leave; nothing that runs is changed"],
];

export function helpLines(): readonly Line[] {
  const keys = HELP.map(([key, what]): Line => [["cyan", `  ${key.padEnd(11)}`], what]);
  const past =
    "In a recording: ← → one event, [ ] 25 of them, g the first, G the last; t shows the transcript.";
  return [[["bold", "Keys"]], ...keys, "", [["dim", past]]];
}

/** Everything of one task. */
export function detailLines(task: TaskView | null, now: number): readonly Line[] {
  if (task === null) return [[["dim", "…"]]];
  return taskDetails(task, now).map((line) =>
    typeof line === "string"
      ? marked(line)
      : line.map((span): Span => (typeof span === "string" ? marked(span) : [span[0], marked(span[1])])),
  );
}

/** Lines that are shown of an output; what is above them was shown before. */
const MOST_LINES = 2_000;

/** What a task wrote, wrapped to the screen. */
export function outputLines(output: readonly string[], columns: number): readonly Line[] {
  const lines = output.slice(-MOST_LINES).flatMap((line) => wrap(marked(line).replace(/\t/g, "  "), columns));
  return lines.length === 0 ? [[["dim", "It has written nothing yet."]]] : lines;
}
