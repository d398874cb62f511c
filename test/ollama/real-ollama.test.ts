// The ollama provider against a real Ollama. With TROUPE_TEST_OLLAMA=1 a server of our own is started from the
// program at OLLAMA_BIN or on PATH; else the one at OLLAMA_HOST or 127.0.0.1:11434 is used if it answers and has the
// two tiny models; else everything here is skipped, with the reason printed.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settle, systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { textMessage } from "../../src/core/message.ts";
import { detectOllama } from "../../providers/detect-ollama.ts";
import { ollama } from "../../providers/ollama.ts";
import { openaiCompatible } from "../../providers/openai-compatible.ts";
import type { GenerateRequest, Provider } from "../../providers/provider.ts";
import { collect, never, requestFor } from "../providers/collect.ts";
import type { RealOllama } from "./setup.ts";
import { findOllama, startOllama } from "./setup.ts";
import { PLAIN_MODEL, TOOLS_MODEL } from "./tiny-models.ts";

type Found = { readonly baseUrl: string } | { readonly reason: string };

/** A server that somebody runs and that has our models, or why there is none. */
async function running(): Promise<Found> {
  const host = process.env["OLLAMA_HOST"] || "127.0.0.1:11434";
  const baseUrl = host.includes("://") ? host : `http://${host}`;
  const provider = ollama({ baseUrl, fetch: runtimeFetch(), clock: systemClock });
  try {
    const names = (await provider.models(AbortSignal.timeout(2000))).map((model) => model.name);
    const missing = [TOOLS_MODEL, PLAIN_MODEL].filter((name) => !names.includes(`${name}:latest`));
    return missing.length === 0
      ? { baseUrl }
      : {
          reason: `the Ollama at ${baseUrl} lacks ${missing.join(", ")}; npm run test:ollama brings its own`,
        };
  } catch {
    return { reason: `no Ollama answers at ${baseUrl}; npm run test:ollama starts one if it is installed` };
  }
}

const own = process.env["TROUPE_TEST_OLLAMA"] === "1";
const program = own ? await findOllama() : null;
const found: Found = own
  ? program === null
    ? { reason: "no ollama program at OLLAMA_BIN or on PATH" }
    : { baseUrl: "" }
  : await running();
const skipped = "reason" in found;
if (skipped) process.stderr.write(`real Ollama: skipped, ${found.reason}\n`);

let server: RealOllama | undefined;
let baseUrl = skipped ? "" : found.baseUrl;
let provider: Provider;
let openai: Provider;

const ask = (model: string, overrides: Partial<GenerateRequest> = {}): GenerateRequest =>
  requestFor(model, { contextTokens: 512, maxOutputTokens: 16, temperature: 1, seed: 1, ...overrides });
const generate = (request: GenerateRequest) => collect(provider.generate(request, { signal: never() }));
const long = (model: string): GenerateRequest =>
  ask(model, { maxOutputTokens: 1_000_000, contextTokens: 2048 });
const tool = {
  name: "read_file",
  description: "Reads a file.",
  parameters: { type: "object", properties: {} },
};

describe.skipIf(skipped)("the ollama provider on a real Ollama", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    if (program !== null) {
      server = await startOllama(program);
      baseUrl = server.baseUrl;
    }
    provider = ollama({ baseUrl, fetch: runtimeFetch(), clock: systemClock });
    openai = openaiCompatible({ baseUrl: `${baseUrl}/v1`, fetch: runtimeFetch(), clock: systemClock });
  }, 60_000);

  afterAll(async () => {
    await server?.stop();
  });

  it("tells its version, and that it is no simulator", async () => {
    const { version, simulated } = await provider.server(never());
    expect(version).toMatch(/^\d+\.\d+/);
    expect(simulated).toBe(false);
    const detected = await detectOllama(`${baseUrl}/v1`, {
      fetch: runtimeFetch(),
      clock: systemClock,
      signal: never(),
    });
    expect(detected).toEqual({ answer: "ollama", baseUrl });
  });

  it("lists its models and tells which can be given tools", async () => {
    const names = (await provider.models(never())).map((model) => model.name);
    expect(names).toEqual(expect.arrayContaining([`${TOOLS_MODEL}:latest`, `${PLAIN_MODEL}:latest`]));
    const described = await provider.describe(TOOLS_MODEL, never());
    expect(described).toMatchObject({ tools: true, thinking: false, contextTokens: 2048 });
    expect(described.sizeBytes).toBeGreaterThan(100_000);
    expect(await provider.describe(PLAIN_MODEL, never())).toMatchObject({ tools: false });
  });

  it("preloads with the context that was asked for, and shows what is loaded", async () => {
    await provider.preload(PLAIN_MODEL, { contextTokens: 512, signal: never() });
    const loaded = await provider.loaded(never());
    expect(loaded.find((model) => model.name === `${PLAIN_MODEL}:latest`)).toMatchObject({
      contextTokens: 512,
    });
  });

  it("P2 streams an answer with usage and timings", async () => {
    const { events, error } = await generate(ask(PLAIN_MODEL));
    expect(error).toBeUndefined();
    expect(events[0]).toEqual({ type: "started" });
    const last = events.at(-1);
    expect(last).toMatchObject({ type: "finished" });
    const usage = last?.type === "finished" ? last.usage : undefined;
    expect(usage?.promptTokens).toBeGreaterThan(0);
    expect(usage?.outputTokens).toBeGreaterThan(0);
    expect(usage?.outputTokens).toBeLessThanOrEqual(16);
    expect(usage?.totalMs).toBeGreaterThan(usage?.outputMs ?? 0);
  });

  it("takes tools, calls of earlier turns and their results", async () => {
    const call = { id: "call_0123456789", name: "read_file", arguments: { path: "a.txt" } };
    const messages = [
      textMessage("user", "goal", "Read it."),
      { role: "assistant", origin: "model", parts: [{ type: "tool_call", call }] },
      {
        role: "tool",
        origin: "tool",
        parts: [{ type: "tool_result", callId: call.id, name: call.name, text: "A", isError: false }],
      },
    ] as const;
    expect((await generate(ask(TOOLS_MODEL, { tools: [tool], messages }))).error).toBeUndefined();
  });

  it("holds the answer to a JSON Schema", async () => {
    const outputSchema = {
      type: "object",
      properties: { ok: { type: "boolean" }, word: { enum: ["a", "b"] } },
      required: ["ok", "word"],
    };
    const { text, error, events } = await generate(ask(PLAIN_MODEL, { outputSchema, maxOutputTokens: 400 }));
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ reason: "stop" });
    expect(JSON.parse(text)).toMatchObject({ word: expect.stringMatching(/^[ab]$/) as string });
  });

  it.for([
    { what: "a model that is not there", request: ask("nope"), kind: "refused", code: "model_not_found" },
    {
      what: "tools for a model without",
      request: ask(PLAIN_MODEL, { tools: [tool] }),
      kind: "refused",
      code: "tools_unsupported",
    },
    {
      what: "thinking of a model without",
      request: ask(PLAIN_MODEL, { think: true }),
      kind: "refused",
      code: "thinking_unsupported",
    },
    {
      what: "a prompt beyond the context, which is not cut silently",
      request: ask(PLAIN_MODEL, { messages: [textMessage("user", "goal", "long ".repeat(2000))] }),
      kind: "context_length",
      code: "context_length",
    },
  ] as const)("P3 refuses $what", async ({ request, kind, code }) => {
    const { error } = await generate(request);
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ providerKind: kind, code });
  });

  it("ends by length when the answer has filled the context, instead of forgetting the oldest turns", async () => {
    const { events, error } = await generate(ask(PLAIN_MODEL, { maxOutputTokens: 5000 }));
    expect(error).toBeUndefined();
    const last = events.at(-1);
    expect(last).toMatchObject({ type: "finished", reason: "length" });
    const usage = last?.type === "finished" ? last.usage : undefined;
    expect((usage?.promptTokens ?? 0) + (usage?.outputTokens ?? 0)).toBeLessThanOrEqual(513);
  });

  it("tells an answer that ended by itself", async () => {
    const { events } = await generate(ask(TOOLS_MODEL, { maxOutputTokens: 500 }));
    expect(events.at(-1)).toMatchObject({ type: "finished", reason: "stop" });
  });

  it("takes `think: false` for a model that cannot think", async () => {
    expect((await generate(ask(PLAIN_MODEL, { think: false }))).error).toBeUndefined();
  });

  it("P1 an abort in mid-stream frees the only slot at once", async () => {
    const control = new AbortController();
    const reason = new Error("steered");
    const stopped = await collect(
      provider.generate(long(PLAIN_MODEL), { signal: control.signal }),
      (event) => event.type === "text" && control.abort(reason),
    );
    expect(stopped.error).toBe(reason);
    // OLLAMA_NUM_PARALLEL is 1: this one begins only when the other has let go.
    expect((await generate(ask(PLAIN_MODEL, { contextTokens: 2048 }))).error).toBeUndefined();
  });

  it("P5 aborting the generation that waits for the slot leaves the one that has it alone", async () => {
    const first = new AbortController();
    const second = new AbortController();
    let begun = false;
    let texts = 0;
    const holder = collect(provider.generate(long(PLAIN_MODEL), { signal: first.signal }), (event) => {
      begun ||= event.type === "started";
      if (event.type === "text") texts++;
    });
    while (!begun) await settle();
    const waiting = collect(provider.generate(long(PLAIN_MODEL), { signal: second.signal }));
    second.abort(new Error("queued no more"));
    expect((await waiting).error).toEqual(new Error("queued no more"));
    const before = texts;
    while (texts === before) await settle();
    first.abort(new Error("done"));
    expect((await holder).error).toEqual(new Error("done"));
  });

  it("speaks OpenAI's protocol to the openai-compatible provider", async () => {
    const got = await collect(
      openai.generate(requestFor(PLAIN_MODEL, { maxOutputTokens: 8 }), { signal: never() }),
    );
    expect(got.error).toBeUndefined();
    expect(got.events.at(-1)).toMatchObject({
      type: "finished",
      reason: "length",
      usage: { outputTokens: 8 },
    });
    expect((await openai.models(never())).map((model) => model.name)).toContain(`${PLAIN_MODEL}:latest`);
    const gone = await collect(openai.generate(requestFor("nope"), { signal: never() }));
    expect(gone.error).toMatchObject({ providerKind: "refused", code: "model_not_found" });
  });
});
