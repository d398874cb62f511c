import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import type { Message } from "../../src/core/message.ts";
import {
  chatRequest,
  listedModel,
  loadedModel,
  OllamaDecoder,
  preloadRequest,
  sameModel,
  shownModel,
  unloadRequest,
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

/** What Ollama compares to see whether a loaded model must be loaded anew (api/types.go Runner; sched.go needsReload). */
const RELOADS = [
  "num_ctx",
  "num_batch",
  "num_gpu",
  "main_gpu",
  "use_mmap",
  "num_thread",
  "draft_num_predict",
];
const reloadKeysOf = (body: { readonly options?: object; readonly shift?: boolean }): string =>
  JSON.stringify([
    body.shift,
    Object.entries(body.options ?? {}).filter(([option]) => RELOADS.includes(option)),
  ]);

describe("the options for which Ollama loads a model anew", () => {
  const runner = fc.constantFrom({}, { contextTokens: 512 }, { contextTokens: 16_384 });
  const rest = fc.record(
    {
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      seed: fc.nat(),
      think: fc.boolean(),
      maxOutputTokens: fc.integer({ min: 1, max: 9_999 }),
      outputSchema: fc.constant({ type: "object" }),
    },
    { requiredKeys: [] },
  );

  it("G15 are the profile's, byte for byte, in a preload and in every turn, whatever else is asked", () => {
    fc.assert(
      fc.property(runner, rest, rest, (profile, first, second) => {
        const preload = reloadKeysOf(preloadRequest("m", profile));
        const asked = Object.entries(profile).map(([, tokens]) => ["num_ctx", tokens]);
        expect(preload).toBe(JSON.stringify([false, asked]));
        for (const turn of [first, second]) {
          expect(reloadKeysOf(chatRequest(requestFor("m", { ...turn, ...profile })))).toBe(preload);
        }
      }),
    );
  });

  it("sends how long a model stays with a preload and an unload alone: on a turn it undoes an eviction", () => {
    expect(chatRequest(requestFor("m"))).not.toHaveProperty("keep_alive");
    expect(preloadRequest("m")).toHaveProperty("keep_alive");
    expect(unloadRequest("m")).toEqual({ model: "m", stream: false, messages: [], keep_alive: 0 });
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
    expect(shownModel("m", { capabilities: ["completion", "vision"] }).vision).toBe(true);
    expect(shownModel("m", { capabilities: ["completion"] })).not.toHaveProperty("vision");
    expect(listedModel({ name: "m", capabilities: ["embedding", "completion"] }).embeddingOnly).toBe(false);
  });

  it("tells of a loaded model what it takes, its digest and when it goes", () => {
    const entry = { name: "m:latest", size: 9, size_vram: 8, context_length: 512, digest: "d1" };
    const expires_at = "2026-11-21T06:00:00.5+01:00";
    expect(loadedModel({ ...entry, expires_at })).toEqual({
      name: "m:latest",
      sizeBytes: 9,
      vramBytes: 8,
      contextTokens: 512,
      digest: "d1",
      expiresAt: Date.parse("2026-11-21T05:00:00.500Z"),
    });
    expect(loadedModel({ model: "m", expires_at: "soon" })).toMatchObject({
      name: "m",
      vramBytes: 0,
      contextTokens: null,
      digest: null,
      expiresAt: null,
    });
    expect(listedModel({ name: "m", digest: "d1" }).digest).toBe("d1");
    expect(listedModel({ name: "m" })).not.toHaveProperty("digest");
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
