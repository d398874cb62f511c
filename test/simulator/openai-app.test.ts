import { describe, expect, test } from "vitest";
import OpenAI from "openai";
import { BUSY_MESSAGE } from "../../src/simulator/pending.ts";
import { call, say } from "../../src/simulator/policy.ts";
import { model, served, until, type Served } from "./fixtures.ts";

const client = (server: Served): OpenAI =>
  new OpenAI({ apiKey: "none", baseURL: `${server.url}/v1`, maxRetries: 0 });
const messages = [{ role: "user" as const, content: "hello" }];
const CALL = { name: "list_dir", arguments: { path: "src" } };
const TOOLS = [{ type: "function" as const, function: { name: "list_dir", parameters: { type: "object" } } }];

describe("the openai client over a real socket", () => {
  test("gets a streamed answer with usage at its end", async () => {
    await using server = await served();
    const read = async () => {
      const chunks = [];
      const options = {
        model: "a",
        messages,
        stream: true as const,
        stream_options: { include_usage: true },
      };
      for await (const chunk of await client(server).chat.completions.create(options)) chunks.push(chunk);
      return chunks;
    };
    const chunks = await server.finish(read());
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
      "one two three four five",
    );
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: 5 });
  });

  test("gets tool calls, streamed and whole, and sends their results by id", async () => {
    const policy = model("a", {
      policy: ({ messages: seen }) => {
        const results = seen.filter((message) => message.role === "tool");
        return results.length === 0
          ? call([CALL, CALL])
          : say(results.map((found) => found.content).join("+"));
      },
    });
    await using server = await served({ models: [policy] });
    const openai = client(server);
    const whole = await server.finish(openai.chat.completions.create({ model: "a", messages, tools: TOOLS }));
    const [choice] = whole.choices;
    expect(choice?.finish_reason).toBe("tool_calls");
    const calls = choice?.message.tool_calls ?? [];
    expect(calls.map((made) => made.type === "function" && JSON.parse(made.function.arguments))).toEqual([
      CALL.arguments,
      CALL.arguments,
    ]);
    expect(new Set(calls.map((made) => made.id)).size).toBe(2);
    const results = calls.map((made, at) => ({
      role: "tool" as const,
      tool_call_id: made.id,
      content: `r${at}`,
    }));
    const answered = [...messages, { role: "assistant" as const, tool_calls: calls }, ...results];
    const next = await server.finish(
      openai.chat.completions.create({ model: "a", messages: answered, tools: TOOLS }),
    );
    expect(next.choices[0]?.message.content).toBe("r0+r1");
    const stream = openai.chat.completions.stream({ model: "a", messages, tools: TOOLS });
    const final = await server.finish(stream.finalChatCompletion());
    expect(final.choices[0]?.message.tool_calls).toHaveLength(2);
  });

  test("lists models whose owner says that they are simulated", async () => {
    await using server = await served();
    const { data } = await client(server).models.list();
    expect(data.map((listed) => [listed.id, listed.owned_by])).toEqual(
      ["a", "b", "c"].map((name) => [`${name}:latest`, "troupe-simulator"]),
    );
  });

  test("gets typed errors", async () => {
    await using server = await served({ models: [model("a", { tools: false }), model("b")], maxQueue: 0 });
    const { completions } = client(server).chat;
    await expect(completions.create({ model: "x", messages })).rejects.toMatchObject({
      status: 404,
      type: "not_found_error",
      error: { message: "model 'x' not found" },
    });
    await expect(completions.create({ model: "a", messages, tools: TOOLS })).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
    });
    const waiting = completions.create({ model: "a", messages }).catch(() => null);
    await until(() => server.clock.pending > 0);
    await expect(completions.create({ model: "b", messages })).rejects.toMatchObject({
      status: 503,
      type: "api_error",
      error: { message: BUSY_MESSAGE },
    });
    await server.finish(waiting);
  });

  test("H2 an abort before and after the headers frees the slot", async () => {
    const long = model("a", { policy: () => say("word ".repeat(500)) });
    await using server = await served({ models: [long] });
    const { completions } = client(server).chat;
    const early = new AbortController();
    const waiting = completions
      .create({ model: "a", messages, stream: true }, { signal: early.signal })
      .catch(() => null);
    await until(() => server.clock.pending > 0);
    await server.clock.advance(1_001);
    expect(server.stats().generating).toBe(1);
    early.abort();
    await waiting;
    await until(() => server.stats().generating === 0);
    const late = new AbortController();
    const options = { signal: late.signal };
    const stream = await server.finish(completions.create({ model: "a", messages, stream: true }, options));
    expect(server.stats().generating).toBe(1);
    late.abort();
    for await (const _ of stream) late.signal.throwIfAborted();
    await until(() => server.stats().generating === 0);
  });
});
