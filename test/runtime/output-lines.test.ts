import { expect, test } from "vitest";
import { textMessage, type Message, type TranscriptRow } from "../../src/core/message.ts";
import { callLine, questionLines, resultLine, showRows } from "../../src/runtime/output-lines.ts";
import { OutputRing } from "../../src/runtime/output-ring.ts";

test("a result is shown by its first line, cut", () => {
  expect(resultLine({ name: "hit", text: "one\ntwo", isError: false })).toBe("✓ hit: one");
  expect(resultLine({ name: "hit", text: "x".repeat(200), isError: true })).toBe(
    `✗ hit: ${"x".repeat(159)}…`,
  );
});

test("questions that nobody has answered yet are shown in full", () => {
  const waits: Parameters<typeof questionLines>[0] = [
    { callId: "1", tool: "ask", wait: { for: "input", prompt: "Which\none?" }, end: null },
    { callId: "2", tool: "ask", wait: { for: "input", prompt: "?" }, end: { cause: "timeout" } },
    { callId: "3", tool: "nap", wait: { for: "timer", timeoutMs: 1 }, end: null },
  ];
  expect(questionLines(waits)).toEqual(["? Which", "one?"]);
  // Two calls that ask one question, and one that is longer than a line of the output may be.
  const long = `? ${"é".repeat(1_200)}`;
  const [first] = waits;
  const asked = {
    ...(first as (typeof waits)[number]),
    wait: { for: "input", prompt: long.slice(2) } as const,
  };
  const lines = questionLines([asked, asked]);
  expect(lines.join("")).toBe(long);
  expect(lines.every((line) => line.length <= 500)).toBe(true);
});

test("rows are shown as they were when they were written; what others said is not output", () => {
  const call = { id: "a", name: "hit", arguments: { hard: true } };
  const messages: readonly Message[] = [
    textMessage("user", "goal", "dig"),
    { role: "assistant", origin: "model", parts: [{ type: "tool_call", call }] },
    {
      role: "tool",
      origin: "tool",
      parts: [{ type: "tool_result", callId: "a", name: "hit", text: "hit", isError: false }],
    },
    textMessage("assistant", "model", "gold\nat last"),
  ];
  const ring = new OutputRing();
  showRows(
    ring,
    messages.map((message, at): TranscriptRow => ({
      taskId: "t",
      index: at + 1,
      seq: 1,
      run: 1,
      turn: 1,
      time: 0,
      message,
    })),
  );
  expect(ring.tail(9)).toEqual([callLine(call), "✓ hit: hit", "gold", "at last"]);
  expect(callLine(call)).toBe('→ hit {"hard":true}');
});
