// The provider for OpenAI's protocol: the suite over all providers, the suite over the wire, and what only it has.

import { describe, expect, it } from "vitest";
import { textMessage } from "../../src/core/message.ts";
import type { ToolCall } from "../../src/core/message.ts";
import { collect, never, requestFor } from "./collect.ts";
import type { Collected } from "./collect.ts";
import { providerConformance } from "./conformance.ts";
import { OPENAI, providerAt, wireSubject } from "./dialect.ts";
import { wireConformance } from "./wire-conformance.ts";
import type { WireExchange } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

providerConformance(wireSubject(OPENAI));
wireConformance(OPENAI);

const chunk = (choice: object, rest: object = {}): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }], ...rest })}\n\n`;
const callDelta = (call: object): string => chunk({ delta: { tool_calls: [call] } });
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

async function generate(body: string): Promise<Collected> {
  const server = await wireServer((exchange) =>
    exchange.head(200, { "content-type": "text/event-stream" }).end(body),
  );
  const { provider } = providerAt(OPENAI, server.url);
  const got = await collect(provider.generate(requestFor("m"), { signal: never() }));
  await server.close();
  return got;
}

function callsIn(got: Collected): readonly ToolCall[] {
  return got.events.flatMap((event) => (event.type === "tool_call" ? [event.call] : []));
}

describe("the openai-compatible provider", () => {
  it("sends what was asked, with usage included", async () => {
    const server = await wireServer((exchange) =>
      exchange.head(200, { "content-type": "text/event-stream" }).end(END),
    );
    const { provider } = providerAt(OPENAI, server.url);
    const tool = { name: "read_file", description: "Reads.", parameters: { type: "object" } };
    const request = requestFor("m", {
      tools: [tool],
      contextTokens: 2048,
      think: false,
      temperature: 0.5,
      seed: 7,
      outputSchema: { type: "object" },
      messages: [
        textMessage("user", "goal", "Go."),
        {
          role: "assistant",
          origin: "model",
          parts: [
            { type: "thinking", text: "not sent back" },
            { type: "text", text: "Reading." },
            { type: "tool_call", call: { id: "call_1", name: "read_file", arguments: { path: "a" } } },
            { type: "tool_call", call: { id: "call_2", name: "x", arguments: {}, malformed: "{oops" } },
          ],
        },
        {
          role: "tool",
          origin: "tool",
          parts: [
            { type: "tool_result", callId: "call_1", name: "read_file", text: "A", isError: false },
            { type: "tool_result", callId: "call_2", name: "x", text: "no JSON", isError: true },
          ],
        },
      ],
    });
    await collect(provider.generate(request, { signal: never() }));
    expect((await server.nth(0)).path).toBe("/v1/chat/completions");
    expect((await server.nth(0)).body).toEqual({
      model: "m",
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 64,
      temperature: 0.5,
      seed: 7,
      tools: [{ type: "function", function: tool }],
      response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
      messages: [
        { role: "user", content: "Go." },
        {
          role: "assistant",
          content: "Reading.",
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "read_file", arguments: '{"path":"a"}' } },
            {
              id: "call_2",
              type: "function",
              function: { name: "x", arguments: '{"malformed_arguments":"{oops"}' },
            },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "A" },
        { role: "tool", tool_call_id: "call_2", content: "no JSON" },
      ],
    });
    await server.close();
  });

  it("keeps arguments that are no JSON as text, cut to 2,000 characters", async () => {
    const text = `{"path": ${"x".repeat(3000)}`;
    const got = await generate(
      callDelta({ index: 0, id: "call_abcdefgh", function: { name: "f", arguments: text } }) + END,
    );
    expect(got.error).toBeUndefined();
    expect(callsIn(got)).toEqual([
      { id: "call_abcdefgh", name: "f", arguments: {}, malformed: text.slice(0, 2000) },
    ]);
  });

  it("tells calls without an index apart by their ids, and reads empty arguments as none", async () => {
    const got = await generate(
      callDelta({ id: "call_aaaaaaaa", function: { name: "f", arguments: '{"a"' } }) +
        callDelta({ function: { arguments: ":1}" } }) +
        callDelta({ id: "call_bbbbbbbb", function: { name: "g", arguments: "" } }) +
        END,
    );
    expect(callsIn(got)).toEqual([
      { id: "call_aaaaaaaa", name: "f", arguments: { a: 1 } },
      { id: "call_bbbbbbbb", name: "g", arguments: {} },
    ]);
    expect(got.events.at(-1)).toMatchObject({ reason: "tool_calls" });
  });

  it("takes thinking under both of its names", async () => {
    const got = await generate(
      chunk({ delta: { reasoning_content: "a" } }) + chunk({ delta: { reasoning: "b" } }) + END,
    );
    expect(got.thinking).toBe("ab");
  });

  it("passes keep-alive comments by", async () => {
    const got = await generate(
      `: PROCESSING\n\n${chunk({ delta: { content: "hi" } })}: PROCESSING\n\n${END}`,
    );
    expect(got.text).toBe("hi");
    expect(got.error).toBeUndefined();
  });

  it.for([
    { name: "a finish reason without the closing mark", body: END.replace("data: [DONE]\n\n", ""), ok: true },
    { name: "the closing mark without a finish reason", body: "data: [DONE]\n\n", ok: true },
    { name: "neither", body: chunk({ delta: { content: "x" } }), ok: false },
  ])("ends well or not with $name", async ({ body, ok }) => {
    const got = await generate(body);
    expect(got.events.some((event) => event.type === "finished")).toBe(ok);
    expect(ok ? got.error : (got.error as { code: string }).code).toBe(ok ? undefined : "truncated");
  });

  it("tells an answer that the content filter stopped", async () => {
    const got = await generate(chunk({ delta: { content: "par" }, finish_reason: "content_filter" }));
    expect(got.error).toMatchObject({ providerKind: "refused", code: "content_filter" });
    expect(got.text).toBe("par");
  });

  it.for([
    { error: { message: "slow down", type: "rate_limit_error" }, kind: "rate_limited" },
    { error: { message: "slow down", code: 429 }, kind: "rate_limited" },
    { error: { message: "You exceeded your current quota", code: "insufficient_quota" }, kind: "quota" },
    { error: { message: "too long", code: "context_length_exceeded" }, kind: "context_length" },
    { error: { message: "Overloaded", type: "overloaded_error" }, kind: "overloaded" },
    { error: { message: "no", code: "invalid_api_key" }, kind: "auth" },
    { error: "something broke", kind: "network" },
  ])("tells an error inside the stream: $kind", async ({ error, kind }) => {
    const got = await generate(
      chunk({ delta: { content: "par" } }) + `data: ${JSON.stringify({ error })}\n\n`,
    );
    expect(got.error).toMatchObject({ providerKind: kind });
    expect(got.text).toBe("par");
  });

  it("lists models with what the server tells, and finds one of them", async () => {
    const data = [
      { id: "qwen", max_model_len: 32_768 },
      { id: "text-embedding-3", context_length: 8192 },
    ];
    const server = await wireServer((exchange: WireExchange) => {
      const headers = { "content-type": "application/json", "x-troupe-simulated": "1" };
      exchange.head(200, headers).end(JSON.stringify({ object: "list", data }));
    });
    const { provider } = providerAt(OPENAI, server.url);
    expect(await provider.server(never())).toEqual({ version: null, simulated: true });
    expect(await provider.models(never())).toMatchObject([
      { name: "qwen", contextTokens: 32_768, tools: true, embeddingOnly: false },
      { name: "text-embedding-3", contextTokens: 8192, tools: false, embeddingOnly: true },
    ]);
    expect(await provider.describe("qwen", never())).toMatchObject({ name: "qwen" });
    await expect(provider.describe("gone", never())).rejects.toMatchObject({ code: "model_not_found" });
    expect(await provider.loaded(never())).toEqual([]);
    await provider.preload("qwen", { signal: never() });
    expect(server.exchanges.every((exchange) => exchange.path === "/v1/models")).toBe(true);
    await server.close();
  });
});
