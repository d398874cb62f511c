// What the output of a task shows of its turns, one line for each call and each result: while it runs, and again from
// its transcript after a restart.

import type { ToolCall, TranscriptRow } from "../core/message.ts";
import type { PendingWait } from "../../machines/agent.ts";
import { RING_LINE_CHARS } from "../core/limits.ts";
import type { OutputRing } from "./output-ring.ts";

const LONGEST = 160;
/** Pieces that the output ring keeps without cutting them. */
const WHOLE_LINE = new RegExp(`[^]{1,${RING_LINE_CHARS}}`, "gu");

export function callLine(call: ToolCall): string {
  return `→ ${call.name} ${JSON.stringify(call.arguments ?? {})}`;
}

export function resultLine(result: {
  readonly name: string;
  readonly text: string;
  readonly isError: boolean;
}): string {
  return `${result.isError ? "✗" : "✓"} ${result.name}: ${firstLine(result.text)}`;
}

/** What these waits ask a person, each question once and whole: a line that is too long becomes several. */
export function questionLines(waits: readonly PendingWait[]): readonly string[] {
  const asked = waits.flatMap(({ wait, end }) =>
    wait.for === "input" && end === null ? [`? ${wait.prompt}`] : [],
  );
  return [...new Set(asked)].flatMap((text) =>
    text.split("\n").flatMap((line) => line.match(WHOLE_LINE) ?? [line]),
  );
}

/** Shows the rows as they were shown when they were written. */
export function showRows(ring: OutputRing, rows: readonly TranscriptRow[]): void {
  for (const { message } of rows) {
    for (const part of message.parts) {
      if (part.type === "tool_call") ring.line(callLine(part.call));
      else if (part.type === "tool_result") ring.line(resultLine(part));
      else if (part.type === "text" && message.role === "assistant") ring.line(part.text);
    }
  }
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  const line = end < 0 ? text : text.slice(0, end);
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
