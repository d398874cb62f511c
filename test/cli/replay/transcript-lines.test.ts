import { expect, test } from "vitest";
import { textMessage, type Message, type TranscriptRow } from "../../../src/core/message.ts";
import { transcriptLines } from "../../../src/cli/replay/transcript-lines.ts";

const rowsOf = (...messages: readonly Message[]): readonly TranscriptRow[] =>
  messages.map((message, at) => ({
    taskId: "task_1",
    index: at + 1,
    seq: 1,
    run: 1,
    turn: 1,
    time: 0,
    message,
  }));

test("says who said what, what tools were asked for and what they answered", () => {
  const call = { id: "1", name: "read_file", arguments: { path: "a" } };
  const rows = rowsOf(
    textMessage("system", "goal", "long instructions"),
    textMessage("user", "person", "look\nthere"),
    {
      role: "assistant",
      origin: "model",
      parts: [
        { type: "thinking", text: "hm" },
        { type: "tool_call", call },
      ],
    },
    {
      role: "tool",
      origin: "tool",
      parts: [{ type: "tool_result", callId: "1", name: "read_file", text: "no", isError: true }],
    },
    { ...textMessage("assistant", "model", "half"), interrupted: true },
  );
  expect(transcriptLines(rows)).toEqual([
    "person> look",
    "there",
    "(thinking) hm",
    '→ read_file {"path":"a"}',
    "← read_file failed: no",
    "half",
    "(broken off here)",
  ]);
});

test("a part without end is cut", () => {
  const [line] = transcriptLines(rowsOf(textMessage("assistant", "model", "x".repeat(1_000_000))));
  expect(line).toHaveLength(4_001);
});
