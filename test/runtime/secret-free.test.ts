import { describe, expect, test } from "vitest";
import type { ToolCall } from "../../src/core/message.ts";
import { redactor } from "../../src/credentials/redact.ts";
import type { Generation } from "../../src/runtime/generation.ts";
import { withoutSecrets } from "../../src/runtime/secret-free.ts";

const KEY = 'sk-live/"9\\xyz';
const redact = redactor([KEY]);

function generation(...calls: readonly ToolCall[]): Generation {
  const usage = { promptTokens: 0, outputTokens: 0, loadMs: 0, promptMs: 0, outputMs: 0, totalMs: 0 };
  return { text: "", thinking: "", calls, reason: "tool_calls", usage };
}

const freed = (call: ToolCall) => withoutSecrets(generation(call), redact).calls[0];

describe("withoutSecrets", () => {
  test("gives back the very generation when no call holds a secret", () => {
    const clean = generation({
      id: "1",
      name: "read_file",
      arguments: { path: "a.txt", lines: [1, null, true] },
    });
    expect(withoutSecrets(clean, redact)).toBe(clean);
  });

  test("takes secrets out of values and keys at every depth, and leaves the rest as it was", () => {
    const args = { path: KEY, deep: [{ [KEY]: `a ${KEY} b` }, 7, null], other: "x" };
    expect(freed({ id: "1", name: "n", arguments: args })).toEqual({
      id: "1",
      name: "n",
      arguments: { path: "[redacted]", deep: [{ "[redacted]": "a [redacted] b" }, 7, null], other: "x" },
    });
  });

  test("takes secrets out of arguments that were no JSON, and out of JSON in a string", () => {
    const call = { id: "1", name: "n", arguments: JSON.stringify({ key: KEY }), malformed: `{"key": ${KEY}` };
    const { arguments: args, malformed } = freed(call) as ToolCall;
    expect(args).toBe('{"key":"[redacted]"}');
    expect(malformed).toBe('{"key": [redacted]');
  });

  test("survives arguments that are absent", () => {
    expect(freed({ id: "1", name: "n", arguments: undefined, malformed: KEY })?.malformed).toBe("[redacted]");
  });
});
