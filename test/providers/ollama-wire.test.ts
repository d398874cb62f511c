import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import type { Message } from "../../src/core/message.ts";
import {
  chatRequest,
  listedModel,
  OllamaDecoder,
  sameModel,
  shownModel,
} from "../../providers/ollama-wire.ts";
import { CallIds } from "../../providers/tool-calls.ts";
import { requestFor } from "./collect.ts";

const decoder = () => new OllamaDecoder(new CallIds([], seededRandom(1)));

describe("Ollama's request", () => {
  it("sends several results of one message as messages of their own, and text beside them after", () => {
    const result = (callId: string) =>
      ({ type: "tool_result", callId, name: "f", text: callId, isError: false }) as const;
    const messages: readonly Message[] = [
      { role: "user", origin: "tool", parts: [result("a"), result("b"), { type: "text", text: "and this" }] },
    ];
    expect(chatRequest(requestFor("m", { messages })).messages).toEqual([
      { role: "tool", content: "a", tool_name: "f", tool_call_id: "a" },
      { role: "tool", content: "b", tool_name: "f", tool_call_id: "b" },
      { role: "user", content: "and this" },
    ]);
  });

  it("sends arguments as an object always: anything else is a 400 there", () => {
    const calls = [
      { id: "1", name: "f", arguments: { a: 1 } },
      { id: "2", name: "f", arguments: [1] },
      { id: "3", name: "f", arguments: {}, malformed: "{oops" },
      { id: "4", name: "f", arguments: null },
    ];
    const parts = calls.map((call) => ({ type: "tool_call", call }) as const);
    const messages: readonly Message[] = [{ role: "assistant", origin: "model", parts }];
    const sent = chatRequest(requestFor("m", { messages })).messages?.[0]?.tool_calls;
    expect(sent?.map((call) => call.function.arguments)).toEqual([
      { a: 1 },
      { malformed_arguments: [1] },
      { malformed_arguments: "{oops" },
      {},
    ]);
  });
});

describe("Ollama's chunks", () => {
  it("gives thinking, text and calls in this order, and nothing for empty ones", () => {
    const message = {
      thinking: "t",
      content: "c",
      tool_calls: [{ function: { name: "f", arguments: { a: 1 } } }, { function: { name: "g" } }],
    };
    expect(
      decoder()
        .events({ message })
        .map((event) => event.type),
    ).toEqual(["thinking", "text", "tool_call", "tool_call"]);
    expect(decoder().events({ message: { content: "", thinking: "", tool_calls: [] } })).toEqual([]);
    for (const odd of [null, 1, [], {}, { message: 3 }]) expect(decoder().events(odd)).toEqual([]);
  });

  it("reads arguments that came as text, and keeps those that are no JSON", () => {
    const events = decoder().events({
      message: {
        tool_calls: [
          { function: { name: "f", arguments: '{"a":1}' } },
          { function: { name: "f", arguments: "{oops" } },
        ],
      },
    });
    expect(events).toMatchObject([
      { call: { arguments: { a: 1 } } },
      { call: { arguments: {}, malformed: "{oops" } },
    ]);
  });

  it("ends with `length` when it was cut, with `tool_calls` after a call, else with `stop`", () => {
    const call = { message: { tool_calls: [{ function: { name: "f", arguments: {} } }] } };
    const ends = (before: unknown, reason: string): string | undefined => {
      const each = decoder();
      each.events(before);
      return each.finish({ done: true, done_reason: reason })?.reason;
    };
    expect([ends({}, "stop"), ends(call, "stop"), ends({}, "length"), ends({}, "")]).toEqual([
      "stop",
      "tool_calls",
      "length",
      "stop",
    ]);
    expect(decoder().finish({ done: false })).toBeUndefined();
  });

  it("counts what a server leaves out as nothing", () => {
    expect(decoder().finish({ done: true, eval_count: "7" })?.usage).toEqual({
      promptTokens: 0,
      outputTokens: 0,
      loadMs: 0,
      promptMs: 0,
      outputMs: 0,
      totalMs: 0,
    });
  });
});

describe("Ollama's models", () => {
  it("reads abilities from the template where an old server tells none", () => {
    expect(shownModel("m", { template: "{{ if .Tools }}" })).toMatchObject({ tools: true, thinking: false });
    expect(shownModel("m", { template: "{{ .Prompt }}" })).toMatchObject({ tools: false });
    expect(shownModel("m", { capabilities: ["completion"], template: "{{ .Tools }}" }).tools).toBe(false);
  });

  it("tells a model that can only embed", () => {
    expect(shownModel("m", { capabilities: ["embedding"] }).embeddingOnly).toBe(true);
    expect(listedModel({ name: "m", capabilities: ["embedding", "completion"] }).embeddingOnly).toBe(false);
  });

  it("finds the context length under the architecture's name", () => {
    const model_info = {
      "general.architecture": "qwen3",
      "qwen3.context_length": 40_960,
      "x.context_length": 1,
    };
    expect(shownModel("m", { model_info }).contextTokens).toBe(40_960);
    expect(shownModel("m", {}).contextTokens).toBeNull();
  });

  it("takes a name without a tag for the latest", () => {
    expect(sameModel("a", "a:latest")).toBe(true);
    expect(sameModel("a:1b", "a")).toBe(false);
    expect(sameModel("host:5000/a", "host:5000/a:latest")).toBe(true);
  });
});
