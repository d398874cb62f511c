// Ollama's provider: the suite over all providers, the suite over the wire, and what only Ollama has.

import { describe, expect, it } from "vitest";
import { textMessage } from "../../src/core/message.ts";
import { collect, never, requestFor } from "./collect.ts";
import { providerConformance } from "./conformance.ts";
import { OLLAMA, providerAt, wireSubject } from "./dialect.ts";
import { wireConformance } from "./wire-conformance.ts";
import type { WireExchange } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

providerConformance(wireSubject(OLLAMA));
wireConformance(OLLAMA);

const END = { reason: "stop", promptTokens: 4, outputTokens: 2 } as const;

/** Serves these documents by path; anything else is not there. */
function documents(byPath: Readonly<Record<string, unknown>>, headers: Record<string, string> = {}) {
  return wireServer((exchange: WireExchange) => {
    const body = byPath[exchange.path];
    const status = body === undefined ? 404 : 200;
    const type = { "content-type": "application/json", ...headers };
    exchange.head(status, type).end(JSON.stringify(body ?? { error: "model 'x' not found" }));
  });
}

describe("the ollama provider", () => {
  it("sends what was asked, always with num_predict, never with keep_alive", async () => {
    const server = await wireServer((exchange) =>
      exchange.head(200, { "content-type": OLLAMA.contentType }).end(OLLAMA.end(END)),
    );
    const { provider } = providerAt(OLLAMA, server.url);
    const tool = { name: "read_file", description: "Reads.", parameters: { type: "object" } };
    const schema = { type: "object", properties: { ok: { type: "boolean" } } };
    const full = requestFor("m", {
      tools: [tool],
      contextTokens: 2048,
      outputSchema: schema,
      think: false,
      temperature: 0,
      seed: 7,
      messages: [
        textMessage("system", "goal", "Be brief."),
        textMessage("user", "goal", "Go."),
        {
          role: "assistant",
          origin: "model",
          parts: [
            { type: "thinking", text: "hm" },
            { type: "tool_call", call: { id: "call_1", name: "read_file", arguments: { path: "a" } } },
          ],
        },
        {
          role: "tool",
          origin: "tool",
          parts: [
            { type: "tool_result", callId: "call_1", name: "read_file", text: "content", isError: false },
          ],
        },
      ],
    });
    await collect(provider.generate(full, { signal: never() }));
    await collect(provider.generate(requestFor("m"), { signal: never() }));
    expect((await server.nth(0)).path).toBe("/api/chat");
    expect((await server.nth(0)).body).toEqual({
      model: "m",
      stream: true,
      truncate: false,
      shift: false,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Go." },
        {
          role: "assistant",
          content: "",
          thinking: "hm",
          tool_calls: [{ id: "call_1", function: { name: "read_file", arguments: { path: "a" } } }],
        },
        { role: "tool", content: "content", tool_name: "read_file", tool_call_id: "call_1" },
      ],
      tools: [{ type: "function", function: tool }],
      format: schema,
      think: false,
      options: { num_predict: 64, num_ctx: 2048, temperature: 0, seed: 7 },
    });
    expect((await server.nth(1)).body).toEqual({
      model: "m",
      stream: true,
      truncate: false,
      shift: false,
      messages: [{ role: "user", content: "Say something." }],
      options: { num_predict: 64 },
    });
    await server.close();
  });

  it("turns nanoseconds into milliseconds", async () => {
    const server = await wireServer((exchange) =>
      exchange.head(200, { "content-type": OLLAMA.contentType }).end(OLLAMA.end(END)),
    );
    const { provider } = providerAt(OLLAMA, server.url);
    const got = await collect(provider.generate(requestFor("m"), { signal: never() }));
    expect(got.events.at(-1)).toEqual({
      type: "finished",
      reason: "stop",
      usage: {
        promptTokens: 4,
        outputTokens: 2,
        loadMs: 5,
        promptMs: 15,
        outputMs: 30.5,
        totalMs: 50,
      },
    });
    await server.close();
  });

  it("preloads with an empty conversation and a keep_alive", async () => {
    const server = await documents({ "/api/chat": { done: true, done_reason: "load" } });
    const { provider } = providerAt(OLLAMA, server.url);
    await provider.preload("m", { contextTokens: 4096, signal: never() });
    expect((await server.nth(0)).body).toEqual({
      model: "m",
      truncate: false,
      shift: false,
      messages: [],
      keep_alive: "30m",
      stream: false,
      options: { num_ctx: 4096 },
    });
    await server.close();
  });

  it("lets a model go with an empty conversation, naming no option", async () => {
    const server = await documents({ "/api/chat": { done: true, done_reason: "unload" } });
    const { provider } = providerAt(OLLAMA, server.url);
    await provider.unload("m", { signal: never() });
    expect((await server.nth(0)).body).toEqual({ model: "m", messages: [], keep_alive: 0, stream: false });
    await server.close();
  });

  it("tells version, models, one model in full and what is loaded", async () => {
    const tags = [
      { name: "tiny:latest", size: 5, details: { parameter_size: "121K" }, capabilities: ["completion"] },
      { name: "embed:latest", size: 6, capabilities: ["embedding"] },
    ];
    const server = await documents({
      "/api/version": { version: "0.33.0" },
      "/api/tags": { models: tags },
      "/api/show": {
        capabilities: ["completion", "tools", "thinking"],
        details: { parameter_size: "121K" },
        model_info: { "general.architecture": "llama", "llama.context_length": 2048 },
      },
      "/api/ps": { models: [{ name: "tiny:latest", size: 9, size_vram: 8, context_length: 1024 }] },
    });
    const { provider } = providerAt(OLLAMA, server.url);
    expect(await provider.server(never())).toEqual({ version: "0.33.0", simulated: false });
    expect(await provider.models(never())).toMatchObject([
      { name: "tiny:latest", sizeBytes: 5, parameters: "121K", tools: false, embeddingOnly: false },
      { name: "embed:latest", sizeBytes: 6, parameters: null, embeddingOnly: true },
    ]);
    expect(await provider.describe("tiny", never())).toEqual({
      name: "tiny",
      sizeBytes: 5,
      parameters: "121K",
      contextTokens: 2048,
      tools: true,
      thinking: true,
      embeddingOnly: false,
    });
    expect(await provider.loaded(never())).toEqual([
      {
        name: "tiny:latest",
        sizeBytes: 9,
        vramBytes: 8,
        contextTokens: 1024,
        digest: null,
        expiresAt: null,
      },
    ]);
    await server.close();
  });

  it("knows Troupe's simulator by its header", async () => {
    const server = await documents({ "/api/version": { version: "0.1.0" } }, { "x-troupe-simulated": "1" });
    const { provider } = providerAt(OLLAMA, server.url);
    expect((await provider.server(never())).simulated).toBe(true);
    await server.close();
  });

  it("says of a model that is not there that it is not there", async () => {
    const server = await documents({});
    const { provider } = providerAt(OLLAMA, server.url);
    await expect(provider.describe("x", never())).rejects.toMatchObject({
      providerKind: "refused",
      code: "model_not_found",
    });
    await server.close();
  });

  it("survives answers of another shape", async () => {
    const server = await documents({
      "/api/version": [1],
      "/api/tags": { models: [null, 3, { name: 7 }] },
      "/api/ps": {},
    });
    const { provider } = providerAt(OLLAMA, server.url);
    expect(await provider.server(never())).toEqual({ version: null, simulated: false });
    expect(await provider.models(never())).toHaveLength(3);
    expect(await provider.loaded(never())).toEqual([]);
    await server.close();
  });
});
