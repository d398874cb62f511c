// A transcript as lines for reading: who said what, and what tools were asked for and answered. Pure.

import type { MessagePart, TranscriptRow } from "../../core/message.ts";

/** Characters of one part that are shown; the file has all of it. */
const MOST_PART_CHARS = 4_000;
const MOST_CALL_CHARS = 300;

const NAMES: Readonly<Record<string, string>> = {
  goal: "goal",
  person: "person",
  steer: "steer",
  completion: "child",
  question: "child",
  correction: "troupe",
  summary: "summary",
};

/** The lines, oldest first; what was sent to the model stands after a `>`, what it wrote stands alone. */
export function transcriptLines(rows: readonly TranscriptRow[]): readonly string[] {
  return rows.flatMap(({ message }) => {
    const { role, origin, parts, interrupted } = message;
    // Instructions are the same for every task of an agent, and long.
    if (role === "system") return [];
    const name = role === "assistant" ? "" : `${NAMES[origin] ?? role}> `;
    const lines = parts.flatMap((part) =>
      partText(part)
        .split("\n")
        .map((line, at) => (at === 0 ? `${headOf(part, name)}${line}` : line)),
    );
    return interrupted === true ? [...lines, "(broken off here)"] : lines;
  });
}

/** A tool's own marks say what it is. */
function headOf({ type }: MessagePart, name: string): string {
  return type === "tool_result" || type === "tool_call" ? "" : name;
}

function partText(part: MessagePart): string {
  switch (part.type) {
    case "text":
      return cut(part.text, MOST_PART_CHARS);
    case "thinking":
      return `(thinking) ${cut(part.text, MOST_PART_CHARS)}`;
    case "tool_call":
      return `→ ${part.call.name} ${cut(JSON.stringify(part.call.arguments ?? {}), MOST_CALL_CHARS)}`;
    case "tool_result":
      return `← ${part.name}${part.isError ? " failed" : ""}: ${cut(part.text, MOST_CALL_CHARS)}`;
  }
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}
