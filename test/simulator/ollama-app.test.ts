import { describe, expect, test } from "vitest";
import { Ollama, type Message, type Tool } from "ollama";
import { BUSY_MESSAGE } from "../../src/simulator/pending.ts";
import { call, say } from "../../src/simulator/policy.ts";
import { model, post, served, until, type Served } from "./fixtures.ts";

const HELLO: Message[] = [{ role: "user", content: "hello" }];
const client = (server: Served): Ollama => new Ollama({ host: server.url });

const TOOL: Tool = {
  type: "function",
  function: { name: "list_dir", description: "", parameters: { type: "object" } },
};
const CALL = { name: "list_dir", arguments: { path: "src" } };

describe("the ollama client over a real socket", () => {
  test("gets a streamed answer token by token, with figures in nanoseconds", async () => {
    await using server = await served();
    const read = async () => {
      const parts = [];
      for await (const part of await client(server).chat({ model: "a", messages: HELLO, stream: true }))
        parts.push(part);
      return parts;
    };
    const parts = await server.finish(read());
    expect(parts.map((part) => part.message.content)).toEqual([
      "one",
      " two",
      " three",
      " four",
      " five",
      "",
    ]);
    const last = parts.at(-1);
    expect(last).toMatchObject({
      model: "a",
      done: true,
      done_reason: "stop",
      eval_count: 5,
      load_duration: 1e9,
    });
    // The clock moves in steps here, so a token may come late; generation.test.ts has the figures to the millisecond.
    expect(last?.eval_duration).toBeGreaterThanOrEqual(50e6);
    expect(last?.total_duration).toBe(
      (last?.load_duration ?? 0) + (last?.prompt_eval_duration ?? 0) + (last?.eval_duration ?? 0),
    );
  });

  test("gets an answer in one piece", async () => {
    await using server = await served();
    const answer = await server.finish(client(server).chat({ model: "a:latest", messages: HELLO }));
    expect(answer.message).toEqual({ role: "assistant", content: "one two three four five" });
    expect(answer.model).toBe("a:latest");
  });

  test("gets tool calls, and may send them back with their results", async () => {
    const policy = model("a", {
      policy: ({ messages }) => {
        const results = messages.filter((message) => message.role === "tool");
        return results.length === 0
          ? call([CALL, CALL])
          : say(results.map((found) => found.content).join("+"));
      },
    });
    await using server = await served({ models: [policy] });
    const ollama = client(server);
    const first = await server.finish(ollama.chat({ model: "a", messages: HELLO, tools: [TOOL] }));
    expect(first.message.tool_calls?.map((made) => made.function)).toMatchObject([CALL, CALL]);
    const results: Message[] = ["x", "y"].map((content) => ({
      role: "tool",
      tool_name: "list_dir",
      content,
    }));
    const second = await server.finish(
      ollama.chat({ model: "a", messages: [...HELLO, first.message, ...results], tools: [TOOL] }),
    );
    expect(second.message.content).toBe("x+y");
  });

  test("gets thoughts from a thinking model unless it asks for none", async () => {
    await using server = await served({ models: [model("a", { thinking: true })] });
    const ollama = client(server);
    const thinking = await server.finish(ollama.chat({ model: "a", messages: HELLO }));
    expect(thinking.message.thinking).toContain("simulated thought");
    const silent = await server.finish(ollama.chat({ model: "a", messages: HELLO, think: false }));
    expect(silent.message.thinking).toBeUndefined();
  });

  test("gets an answer that fits a schema, and one that is cut at num_predict", async () => {
    await using server = await served();
    const format = { type: "object", properties: { summary: { type: "string" } } };
    const shaped = await server.finish(client(server).chat({ model: "a", messages: HELLO, format }));
    expect(JSON.parse(shaped.message.content)).toEqual({ summary: "one two three four five" });
    const cut = await server.finish(
      client(server).chat({ model: "a", messages: HELLO, options: { num_predict: 2 } }),
    );
    expect([cut.message.content, cut.done_reason]).toEqual(["one two", "length"]);
  });

  test("lists, shows and preloads models", async () => {
    await using server = await served({ models: [model("a"), model("b", { tools: false, thinking: true })] });
    const ollama = client(server);
    const { models } = await ollama.list();
    expect(models.map((listed) => listed.name)).toEqual(["a:latest", "b:latest"]);
    const shown = await ollama.show({ model: "b" });
    expect(shown.capabilities).toEqual(["completion", "thinking"]);
    expect(shown.model_info).toMatchObject({ "simulated.context_length": 32_768 });
    expect((await ollama.ps()).models).toEqual([]);
    const loaded = await server.finish(
      ollama.chat({ model: "a", messages: [], keep_alive: "2m", options: { num_ctx: 8_192 } }),
    );
    expect(loaded.done_reason).toBe("load");
    const { models: running } = await ollama.ps();
    expect(running).toMatchObject([{ name: "a:latest", size: 50, size_vram: 50, context_length: 8_192 }]);
    expect(Date.parse(String(running[0]?.expires_at)) - server.clock.now()).toBeLessThanOrEqual(120_000);
    const unloaded = await ollama.chat({ model: "a", messages: [], keep_alive: 0 });
    expect(unloaded.done_reason).toBe("unload");
    await server.clock.advance(100);
    expect((await ollama.ps()).models).toEqual([]);
  });
});

describe("refusals", () => {
  test("have Ollama's statuses and bodies", async () => {
    await using server = await served({ models: [model("a", { tools: false })] });
    const ollama = client(server);
    await expect(ollama.chat({ model: "x", messages: HELLO })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'x' not found",
    });
    await expect(ollama.show({ model: "x" })).rejects.toMatchObject({ status_code: 404 });
    await expect(ollama.chat({ model: "a", messages: HELLO, tools: [TOOL] })).rejects.toMatchObject({
      status_code: 400,
      error: "registry.ollama.ai/library/a:latest does not support tools",
    });
    await expect(ollama.chat({ model: "a", messages: HELLO, think: true })).rejects.toMatchObject({
      status_code: 400,
      error: '"a" does not support thinking',
    });
    for (const body of ["", "{", "[]"]) expect((await post(server, body)).status).toBe(400);
    expect(server.stats().loads).toBe(0);
  });

  test("a queue that is full is a 503 with Ollama's exact body and no Retry-After", async () => {
    await using server = await served({ maxQueue: 1 });
    const controller = new AbortController();
    const body = { model: "a", messages: HELLO };
    const other = { model: "b", messages: HELLO };
    const waiting = [post(server, body, controller.signal).catch(() => null)];
    await until(() => server.clock.pending > 0);
    waiting.push(post(server, other, controller.signal).catch(() => null));
    await until(() => server.stats().waitingModel === 1);
    const refused = await post(server, other);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({ error: BUSY_MESSAGE });
    expect(refused.headers.get("retry-after")).toBeNull();
    expect(refused.headers.get("x-troupe-simulated")).toBe("1");
    controller.abort();
    await Promise.all(waiting);
  });
});

describe("connections", () => {
  test("N2 no header comes before the first token, however long load and prompt take", async () => {
    await using server = await served();
    let response: Response | undefined;
    const waiting = post(server, { model: "a", messages: HELLO }).then((made) => (response = made));
    await until(() => server.clock.pending > 0);
    await server.clock.advance(1_000 + 5);
    expect([server.stats().generating, response]).toEqual([1, undefined]);
    await server.clock.advance(20);
    await waiting;
    expect(response?.headers.get("content-type")).toBe("application/x-ndjson");
    await server.finish((await waiting).text());
  });

  test("H2 a client that goes before the headers frees its slot, and its place in the queue", async () => {
    await using server = await served();
    const controllers = [1, 2, 3].map(() => new AbortController());
    const waiting = controllers.map(({ signal }) => post(server, { model: "a", messages: HELLO }, signal));
    const ended = Promise.allSettled(waiting);
    await until(() => server.stats().waitingModel === 2);
    await server.clock.advance(1_000);
    await until(() => server.stats().waitingSlot === 2);
    controllers[0]?.abort();
    await until(() => server.stats().waitingSlot === 1);
    controllers[2]?.abort();
    await until(() => server.stats().waitingSlot === 0);
    const text = server.finish((await server.finish(waiting[1] ?? Promise.reject(new Error("none")))).text());
    expect(await text).toContain("done_reason");
    expect((await ended).map((state) => state.status)).toEqual(["rejected", "fulfilled", "rejected"]);
    expect(server.stats()).toMatchObject({ generating: 0, waitingSlot: 0 });
  });

  test("H2 a client that goes in the middle of its answer frees its slot", async () => {
    const long = model("a", { policy: () => say("word ".repeat(500)) });
    await using server = await served({ models: [long] });
    const controller = new AbortController();
    const response = await server.finish(post(server, { model: "a", messages: HELLO }, controller.signal));
    await response.body?.getReader().read();
    expect(server.stats().generating).toBe(1);
    controller.abort();
    await until(() => server.stats().generating === 0);
    expect(server.clock.pending).toBe(1); // the keep-alive alone
  });

  test("a box that closes in the middle of an answer says so in the last line", async () => {
    const long = model("a", { policy: () => say("word ".repeat(500)) });
    await using server = await served({ models: [long] });
    const response = await server.finish(post(server, { model: "a", messages: HELLO }));
    server.close();
    const lines = (await response.text()).trim().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ error: "The simulator was closed." });
  });

  test("one slot serves real clients in the order in which they came", async () => {
    await using server = await served();
    const order: number[] = [];
    const answers: Promise<unknown>[] = [];
    for (const number of [1, 2, 3]) {
      const answer = post(server, { model: "a", messages: HELLO }).then((response) => response.text());
      answers.push(answer.then(() => order.push(number)));
      await until(() => server.stats().waitingModel === number - 1 && server.clock.pending > 0);
    }
    await server.finish(Promise.all(answers));
    expect(order).toEqual([1, 2, 3]);
  });
});
