// Model servers that fail in the ways they do, over real sockets: every failure has its code, a retry is visible, and
// no task is lost or left running. Both dialects, on virtual time.

import { afterEach, describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import type { TaskResult } from "../../src/core/api.ts";
import { OLLAMA, OPENAI, type Dialect } from "../providers/dialect.ts";
import { wireServer, type WireExchange, type WireServer } from "../providers/wire-server.ts";
import { NOTHING_HELD, rig, type Rig } from "./rig.ts";

const USAGE = { reason: "stop", promptTokens: 3, outputTokens: 2 } as const;

let server: WireServer | null = null;

afterEach(async () => {
  await server?.close();
  server = null;
});

/**
 * A box whose every generation goes to a server with these answers, in order; the last one is repeated. Asked whether it is
 * there, it says yes.
 */
async function box(
  dialect: Dialect,
  answers: readonly ((exchange: WireExchange, dialect: Dialect) => void | Promise<void>)[],
): Promise<Rig> {
  let nth = 0;
  server = await wireServer((exchange) => {
    if (exchange.method === "GET") return refuse(200, { version: "1", data: [] })(exchange);
    return answers[Math.min(nth++, answers.length - 1)]?.(exchange, dialect);
  });
  const made: { rig?: Rig } = {};
  const baseUrl = server.url + dialect.suffix;
  made.rig = rig({
    reply: () => [],
    providerOf: () => dialect.create({ baseUrl, fetch: runtimeFetch(), clock: (made.rig as Rig).clock }),
  });
  return made.rig;
}

/** Lets the sockets work, and time move only while the task pauses, until it has ended. */
async function endOf({ api, clock }: Rig, goal = "dig"): Promise<TaskResult> {
  const { taskId } = await api.delegate({ goal });
  for (;;) {
    const result = await api.collect(taskId, { timeoutMs: 0 });
    if (result.finished) return result;
    await (result.phase === "backing_off" ? clock.advance(1_000) : settle());
  }
}

async function retriesOf({ store }: Rig, taskId: string): Promise<unknown[]> {
  const events = await store.events({ after: 0, taskId });
  return events.flatMap(({ type, data }) =>
    type === "generation.retried" ? [(data as { code: string }).code] : [],
  );
}

const refuse =
  (status: number, body: object, headers: Record<string, string> = {}) =>
  (exchange: WireExchange): void =>
    exchange.head(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

function begin(exchange: WireExchange, dialect: Dialect): WireExchange {
  return exchange.head(200, { "content-type": dialect.contentType });
}

const answerWell = (exchange: WireExchange, dialect: Dialect): void =>
  begin(exchange, dialect).end(dialect.text("gold") + dialect.end(USAGE));

const truncated = (exchange: WireExchange, dialect: Dialect): void =>
  begin(exchange, dialect).end(dialect.text("half a th"));

async function goneInTheMiddle(exchange: WireExchange, dialect: Dialect): Promise<void> {
  await begin(exchange, dialect).send(dialect.text("half a th"));
  exchange.break();
}

const garbage = (exchange: WireExchange, dialect: Dialect): void =>
  begin(exchange, dialect).end(dialect.text("half a th") + dialect.garbage);

describe.each([OLLAMA, OPENAI])("a task on a bad $name server", (dialect) => {
  test.each([
    ["answers 503", refuse(503, { error: "server busy, please try again" }), /overloaded|busy/],
    ["breaks the connection in the middle", goneInTheMiddle, /network|truncated|broken|connection/],
    ["ends its stream too early", truncated, /truncated|malformed|network/],
    ["writes what is no JSON", garbage, /bad_json|unreadable/],
    ["crashes its runner", refuse(500, { error: "the runner has terminated" }), /.+/],
  ] as const)("that %s is asked five times, then the task fails with its code", async (_, bad, code) => {
    const it = await box(dialect, [bad]);
    const result = await endOf(it);
    expect(result).toMatchObject({ state: "failed", result: null });
    expect(result.failure?.code).toMatch(code);
    expect(result.failure?.message.length).toBeGreaterThan(20);
    expect(server?.exchanges.filter(({ method }) => method === "POST")).toHaveLength(5);
    expect(await retriesOf(it, result.taskId)).toHaveLength(4);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
    const { items } = await it.api.transcript(result.taskId);
    expect(items.map(({ message }) => message.role)).toEqual(["user"]);
  });

  test.each([
    ["answers 503 once", refuse(503, { error: "server busy" })],
    ["breaks the connection once", goneInTheMiddle],
    ["ends one stream too early", truncated],
    ["writes nonsense once", garbage],
  ] as const)("that %s is asked again, and nothing of the first try is kept", async (_, bad) => {
    const it = await box(dialect, [bad, answerWell]);
    const result = await endOf(it);
    expect(result).toMatchObject({ state: "done", result: "gold" });
    expect(await retriesOf(it, result.taskId)).toHaveLength(1);
    const { items } = await it.api.transcript(result.taskId);
    expect(JSON.stringify(items)).not.toContain("half a th");
  });

  test("the server's own word for the pause is kept", async () => {
    const it = await box(dialect, [
      refuse(429, { error: { message: "Too many requests" } }, { "retry-after": "30" }),
      answerWell,
    ]);
    const before = it.clock.now();
    expect(await endOf(it)).toMatchObject({ state: "done" });
    expect(it.clock.now() - before).toBeGreaterThanOrEqual(30_000);
  });

  test.each([
    ["a model that it does not have", refuse(404, { error: "model 'child' not found" }), "model_not_found"],
    ["a key that it does not take", refuse(401, { error: "unauthorized" }), "auth"],
    [
      "a prompt that is too long",
      refuse(400, { error: "the input length exceeds the context length" }),
      "context_length",
    ],
  ] as const)("%s fails at once: asking again would be the same", async (_, bad, code) => {
    const it = await box(dialect, [bad]);
    const result = await endOf(it);
    expect(result.failure).toMatchObject({ code, retryable: false });
    expect(server?.exchanges).toHaveLength(1);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("that nobody serves any more waits, and says for which address", async () => {
    const it = await box(dialect, [answerWell]);
    const { url } = server as WireServer;
    await server?.close();
    const { taskId } = await it.api.delegate({ goal: "dig" });
    while ((await it.api.check(taskId)).phase !== "backing_off") await settle();
    expect((await it.api.check(taskId)).waitsFor).toContain(url);
    expect(await retriesOf(it, taskId)).toEqual(["server_away"]);
    await it.api.cancel(taskId);
    await settle();
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("a cancel in the middle of a stream closes the connection", async () => {
    const it = await box(dialect, [
      (exchange, spoken) => begin(exchange, spoken).send(spoken.text("half a th")),
    ]);
    const { taskId } = await it.api.delegate({ goal: "dig" });
    const exchange = await (server as WireServer).nth(0);
    await it.api.cancel(taskId);
    await exchange.brokenOff;
    while ((await it.api.check(taskId)).finishedAt === null) await settle();
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });
});
