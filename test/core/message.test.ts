import { expect, test } from "vitest";
import { callsOf, textMessage, textOf, type Message } from "../../src/core/message.ts";

test("a message gives its text without its thinking, and its calls in order", () => {
  const call = (id: string) => ({
    type: "tool_call" as const,
    call: { id, name: "read_file", arguments: {} },
  });
  const message: Message = {
    role: "assistant",
    origin: "model",
    parts: [
      { type: "thinking", text: "hm" },
      { type: "text", text: "a" },
      call("1"),
      { type: "text", text: "b" },
      call("2"),
    ],
  };
  expect(textOf(message)).toBe("ab");
  expect(callsOf(message).map(({ id }) => id)).toEqual(["1", "2"]);
  expect(textOf(textMessage("user", "goal", "dig"))).toBe("dig");
});
