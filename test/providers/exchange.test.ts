// One request and its answer, below the providers: X1-X4 of `providers/exchange.ts`.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { SimulatedClock, settle } from "../../src/base/clock.ts";
import { InternalError, ProviderError } from "../../src/base/errors.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { Endpoint } from "../../providers/endpoint.ts";
import type { ExchangeRules } from "../../providers/exchange.ts";
import { Exchange } from "../../providers/exchange.ts";
import { never } from "./collect.ts";
import type { WireExchange, WireServer } from "./wire-server.ts";
import { wireServer } from "./wire-server.ts";

const servers: WireServer[] = [];

async function open(
  answer: (exchange: WireExchange) => void,
  rules: ExchangeRules = {},
): Promise<{ exchange: Exchange; url: string; clock: SimulatedClock; server: WireServer }> {
  const server = await wireServer(answer);
  servers.push(server);
  const clock = new SimulatedClock();
  const endpoint = new Endpoint({ baseUrl: server.url, fetch: runtimeFetch(), clock }, "Start it.");
  return { exchange: new Exchange(endpoint, never(), rules), url: server.url, clock, server };
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const document = (exchange: WireExchange): void =>
  exchange.head(200, { "content-type": "application/json", "x-mark": "7" }).end('{"ok":true}');

describe("an exchange", () => {
  it("X1 refuses a second request", async () => {
    const { exchange, url } = await open(document);
    expect(await (await exchange.fetch(url)).json()).toEqual({ ok: true });
    await expect(exchange.fetch(url)).rejects.toBeInstanceOf(InternalError);
    expect(exchange.answer?.get("x-mark")).toBe("7");
    exchange.close();
  });

  it("X2 keeps the first reason to stop", async () => {
    const { exchange, url, server } = await open((each) => each.head(503, {}).end());
    await expect(exchange.fetch(url)).rejects.toMatchObject({ providerKind: "overloaded" });
    expect(exchange.explain(new Error("what the library made of it"))).toMatchObject({ status: 503 });
    exchange.close();
    expect(server.exchanges).toHaveLength(1);
  });

  it("X2 tells the reason to who asks before the next event", async () => {
    const rules = { checkLine: () => true, deadlines: { idleMs: 100 } };
    const { exchange, url, clock } = await open((each) => void each.head(200, {}).send("a\n"), rules);
    const reader = (await exchange.fetch(url)).body?.getReader();
    await reader?.read();
    expect(() => exchange.guard()).not.toThrow();
    const next = reader?.read().catch((thrown: unknown) => thrown);
    await clock.advance(100);
    expect(() => exchange.guard()).toThrow(/within 100 ms/);
    expect(await next).toMatchObject({ code: "idle_timeout" });
    exchange.close();
  });

  it("X3 sends neither headers nor signal of the library", async () => {
    const { exchange, url, server } = await open(document);
    const headers = { authorization: "Bearer env", "x-library": "1", accept: "x/y" };
    await exchange.fetch(url, { method: "POST", headers, body: "{}", signal: AbortSignal.abort() });
    const seen = (await server.nth(0)).headers;
    expect(seen).toMatchObject({ accept: "application/json", "content-type": "application/json" });
    expect(seen.authorization).toBeUndefined();
    expect(seen["x-library"]).toBeUndefined();
    exchange.close();
  });

  it("X3 hides lines that the rules leave out", async () => {
    const checkLine = (line: string): boolean => line !== "drop";
    const { exchange, url } = await open((each) => each.head(200, {}).end("a\ndrop\nb"), { checkLine });
    expect(await (await exchange.fetch(url)).text()).toBe("a\nb\n");
    exchange.close();
  });

  it("calls a document that is no JSON malformed, and does the same for one without end", async () => {
    const bad = await open((each) => each.head(200, {}).end("<html>"));
    await expect(bad.exchange.fetch(bad.url)).rejects.toMatchObject({ code: "bad_json" });
    const long = await open(async (each) => {
      each.head(200, {});
      while (each.open) await each.send("[".repeat(1_000_000));
    });
    await expect(long.exchange.fetch(long.url)).rejects.toMatchObject({ code: "line_too_long" });
    await (
      await long.server.nth(0)
    ).brokenOff;
  });

  it("explains what a library stumbles over, as truncated once the body has ended", async () => {
    const { exchange, url } = await open(document);
    expect(exchange.explain(new SyntaxError("odd"))).toMatchObject({ code: "unreadable" });
    await (await exchange.fetch(url)).text();
    expect(exchange.explain(new SyntaxError("odd"))).toMatchObject({ code: "truncated" });
    exchange.close();
  });

  it("ends only once, and closes nothing after a good end", async () => {
    const { exchange, url, clock } = await open(document);
    await exchange.fetch(url);
    exchange.end();
    exchange.end();
    exchange.close();
    expect(() => exchange.guard()).not.toThrow();
    expect(clock.pending).toBe(0);
  });
});

/** Listens with the shortest queue and never accepts: once that is full, the system lets further calls hang. */
const DEAF = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

describe.runIf(process.platform === "linux")("an address whose connections hang", () => {
  it("is given up at the connect deadline, by the clock that was handed in", async () => {
    const worker = new Worker(DEAF, { eval: true });
    const port = await new Promise<number>((resolve) => worker.once("message", resolve));
    const fillers: Socket[] = Array.from({ length: 16 }, () =>
      connect(port, "127.0.0.1").on("error", () => {}),
    );
    const accepted = (): number => fillers.filter((socket) => !socket.connecting).length;
    while (accepted() < 2) await settle();

    const clock = new SimulatedClock();
    const deadlines = { connectMs: 5000, firstByteMs: 60_000 };
    const baseUrl = `http://127.0.0.1:${port}`;
    const endpoint = new Endpoint({ baseUrl, fetch: runtimeFetch(), clock, deadlines }, "Start it.");
    const exchange = new Exchange(endpoint, never(), {});
    const asked = exchange.fetch(baseUrl).catch((thrown: unknown) => thrown);
    while (clock.pending === 0) await settle();
    await clock.advance(4999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await asked).toBeInstanceOf(ProviderError);
    expect(await asked).toMatchObject({ providerKind: "timeout", code: "connect_timeout" });
    for (const socket of fillers) socket.destroy();
    await worker.terminate();
  });
});
