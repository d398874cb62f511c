import { describe, expect, test } from "vitest";
import { CompletionWriter, errorBody, generationFrom } from "../../src/simulator/openai-wire.ts";
import { model, NEVER, smallBox } from "./fixtures.ts";

const { box } = smallBox({ models: [model("a"), model("t", { thinking: true })] });
const read = (more: object) =>
  generationFrom({ model: "a", messages: [{ role: "user", content: "x" }], ...more }, box, NEVER);

describe("requests", () => {
  test("messages of every form are read", () => {
    const messages = [
      { role: "developer", content: "rules" },
      {
        role: "user",
        content: [{ type: "text", text: "a" }, { type: "image_url" }, { type: "text", text: "b" }],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "1", function: { name: "f", arguments: '{"x":1}' } }],
      },
      { role: "tool", content: "ok", tool_call_id: "1" },
    ];
    expect(read({ messages }).messages).toMatchObject([
      { role: "system", content: "rules" },
      { role: "user", content: "ab" },
      { role: "assistant", content: "", calls: [{ id: "1", name: "f", arguments: { x: 1 } }] },
      { role: "tool", callId: "1" },
    ]);
  });

  test.each([
    [{}, { maxTokens: null, format: null, contextTokens: null, keepAliveMs: null }],
    [{ max_tokens: 5 }, { maxTokens: 5 }],
    [{ max_tokens: 5, max_completion_tokens: 6 }, { maxTokens: 6 }],
    [{ response_format: { type: "json_object" } }, { format: "json" }],
    [
      { response_format: { type: "json_schema", json_schema: { schema: { type: "object" } } } },
      { format: { type: "object" } },
    ],
    [{ response_format: { type: "text" } }, { format: null }],
    [{ model: "t", reasoning_effort: "none" }, { think: false }],
    [{ model: "t" }, { think: true }],
  ])("%j", (more, expected) => {
    expect(read(more)).toMatchObject(expected);
  });

  test.each([
    [{ messages: [] }, "too short"],
    [{ messages: [{ role: "bot" }] }, "invalid role"],
    [
      { messages: [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: "{" } }] }] },
      "invalid tool call",
    ],
    [{ messages: [{ role: "assistant", tool_calls: [{}] }] }, "function with a name"],
  ])("%j is refused", (more, text) => {
    expect(() => read(more)).toThrow(text);
  });
});

describe("answers", () => {
  const figures = {
    totalMs: 3,
    loadMs: 1,
    waitMs: 0,
    promptTokens: 4,
    cachedTokens: 0,
    promptMs: 1,
    outputTokens: 2,
    outputMs: 1,
  };
  const frame = { id: "chatcmpl-1", created: 7, model: "a" };
  const chunks = [
    { type: "thinking", text: "hm" },
    { type: "text", text: "hi" },
    { type: "call", index: 0, call: { name: "f", arguments: { x: 1 } } },
    { type: "done", reason: "stop", figures },
  ] as const;

  test("a stream ends with the reason, tool calls among them", () => {
    const writer = new CompletionWriter(frame, () => "call_1");
    const choices = chunks.map((chunk) => writer.delta(chunk)["choices"]);
    expect(choices).toMatchObject([
      [{ delta: { reasoning: "hm" }, finish_reason: null }],
      [{ delta: { content: "hi" }, finish_reason: null }],
      [
        {
          delta: { tool_calls: [{ index: 0, id: "call_1", function: { name: "f", arguments: '{"x":1}' } }] },
        },
      ],
      [{ finish_reason: "tool_calls" }],
    ]);
    expect(writer.usage(figures)).toMatchObject({ choices: [], usage: { total_tokens: 6 } });
  });

  test("a whole answer joins them, and a cut one says so", () => {
    const writer = new CompletionWriter(frame, () => "call_1");
    expect(writer.whole(chunks)).toMatchObject({
      object: "chat.completion",
      choices: [
        {
          message: { content: "hi", reasoning: "hm", tool_calls: [{ id: "call_1" }] },
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 4, completion_tokens: 2 },
    });
    const cut = new CompletionWriter(frame, () => "call_1").whole([
      { type: "done", reason: "length", figures },
    ]);
    expect(cut["choices"]).toMatchObject([{ finish_reason: "length" }]);
  });

  test("errors have the types that Ollama gives them", () => {
    expect([400, 404, 503].map((status) => errorBody("x", status)["error"])).toMatchObject([
      { type: "invalid_request_error" },
      { type: "not_found_error" },
      { type: "api_error", param: null, code: null },
    ]);
  });
});
