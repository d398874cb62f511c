import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import type { Message } from "../../src/core/message.ts";
import { CallIds, decodedCall, sentArguments } from "../../providers/tool-calls.ts";

const called = (id: string): Message => ({
  role: "assistant",
  origin: "model",
  parts: [{ type: "tool_call", call: { id, name: "x", arguments: {} } }],
});

describe("ids of tool calls", () => {
  it("keeps a server's id that is long and new", () => {
    expect(new CallIds([], seededRandom(1)).take("call_abc123")).toBe("call_abc123");
  });

  it.for(["", "0", "call_0", "call_12"])(
    "replaces the counter %j, which comes again with each answer",
    (id) => {
      expect(new CallIds([], seededRandom(1)).take(id)).toMatch(/^call_[0-9a-f]{32}$/);
    },
  );

  it("replaces an id that the conversation or this answer has already", () => {
    const ids = new CallIds([called("call_abc123")], seededRandom(1));
    const taken = ["call_abc123", "call_def456", "call_def456"].map((id) => ids.take(id));
    expect(taken[1]).toBe("call_def456");
    expect(new Set([...taken, "call_abc123"]).size).toBe(4);
  });

  it("repeats itself with the same seed", () => {
    const take = (): string => new CallIds([], seededRandom(7)).take("");
    expect(take()).toBe(take());
  });
});

describe("arguments of tool calls", () => {
  it("decodes JSON, takes an empty text for none, and keeps the rest as it came", () => {
    expect(decodedCall("i", "n", '{"a":[1]}')).toEqual({ id: "i", name: "n", arguments: { a: [1] } });
    expect(decodedCall("i", "n", "  ")).toEqual({ id: "i", name: "n", arguments: {} });
    expect(decodedCall("i", "n", "oops")).toEqual({ id: "i", name: "n", arguments: {}, malformed: "oops" });
    expect(decodedCall("i", "n", "x".repeat(9999)).malformed).toHaveLength(2000);
  });

  it("shows the model what it wrote when it was no JSON", () => {
    expect(sentArguments({ id: "i", name: "n", arguments: {}, malformed: "oops" })).toEqual({
      malformed_arguments: "oops",
    });
    expect(sentArguments({ id: "i", name: "n", arguments: undefined })).toEqual({});
    expect(sentArguments({ id: "i", name: "n", arguments: [1] })).toEqual([1]);
  });
});
