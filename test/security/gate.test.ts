// Attacks on the gate (security-cases T10 to T24) that no test of its parts runs: each beside a server without the guard,
// which lets the attack through. T01 to T09, T14, T15 and T18 stand in test/http/gate*.test.ts, socket-routes.test.ts and
// json-body.test.ts, the rest of T24 in test/runtime/bad-input.test.ts.

import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { settle, SimulatedClock, systemClock } from "../../src/base/clock.ts";
import { serveOnNode, type NodeServer } from "../../src/base/listen-node.ts";
import { acceptSocket, isSocketOffered } from "../../src/base/socket.ts";
import { newId, systemRandom } from "../../src/base/ids.ts";
import { assertBindAllowed } from "../../src/http/bind.ts";
import { type OperationId, ROUTE_SCOPES, SCOPES, scopesUpTo } from "../../src/http/route-scopes.ts";
import { listen } from "../../src/listen.ts";
import { callerWith, rig, type Rig, TOKEN } from "../http/rig.ts";
import { type OpenApi, operationsOf } from "./openapi-document.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.stop()));
});

async function box(options: Parameters<typeof rig>[0] = {}): Promise<Rig> {
  const made = await rig(options);
  open.push({ stop: () => made.close() });
  return made;
}

describe("T16 scopes", () => {
  const tokens = SCOPES.map((scope, at) => ({
    token: String(at).repeat(64),
    caller: callerWith(...scopesUpTo(scope)),
  }));

  it("every operation asks for the scope of the one table, and the document says which", async () => {
    const served = await box({ gate: { tokens } });
    const document = (await (
      await served.request("/openapi.json", { headers: { authorization: `Bearer ${tokens[0]?.token}` } })
    ).json()) as OpenApi;
    const all = operationsOf(document).filter(({ operationId }) => operationId !== "health");
    expect(all.map(({ operationId }) => operationId).toSorted()).toEqual(
      Object.keys(ROUTE_SCOPES).toSorted(),
    );
    for (const { operationId, path, method, security } of all) {
      const needed = ROUTE_SCOPES[operationId as OperationId];
      expect([operationId, security]).toEqual([operationId, [{ bearer: [needed] }]]);
      for (const { token, caller } of tokens) {
        const response = await served.request(path.replaceAll(/\{\w+\}/g, "none"), {
          method,
          headers: { authorization: `Bearer ${token}` },
        });
        const said = response.status === 403 ? ((await response.json()) as Record<string, unknown>) : {};
        await response.body?.cancel().catch(() => {});
        const expected = caller.scopes.includes(needed) ? {} : { code: "insufficient_scope", scope: needed };
        expect([operationId, caller.scopes, said]).toMatchObject([operationId, caller.scopes, expected]);
        expect(response.status === 403).toBe(!caller.scopes.includes(needed));
      }
    }
  });

  it("ids cannot be guessed: 128 random bits, none twice", () => {
    const ids = Array.from({ length: 1_000 }, () => newId("task", systemRandom));
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.filter((id) => !/^task_[0-9a-f]{32}$/.test(id))).toEqual([]);
  });
});

describe("T21 a flood of requests with one token", () => {
  const ask = async (
    app: { fetch(request: Request): Response | Promise<Response> },
    { server }: Rig,
  ): Promise<Response> =>
    app.fetch(
      new Request(`${server.url}/v1/status`, {
        headers: { authorization: `Bearer ${TOKEN}`, host: `127.0.0.1:${server.port}` },
      }),
    );

  it("is told 429 and when to come again, and reaches the API as often as the limit says", async () => {
    const clock = new SimulatedClock();
    let reached = 0;
    const served = await box({
      clock,
      gate: { rateLimit: { perS: 50, burst: 100 } },
      wrap: (api) => {
        reached += 1;
        return api;
      },
    });
    const statuses = new Map<string, number>();
    for (let at = 0; at < 2_000; at += 1) {
      const response = await ask(served.app, served);
      const { status, headers } = response;
      const told = `${status} ${headers.get("retry-after") ?? "-"}`;
      statuses.set(told, (statuses.get(told) ?? 0) + 1);
      await response.body?.cancel();
    }
    expect([Object.fromEntries(statuses), reached]).toEqual([{ "200 -": 100, "429 1": 1_900 }, 100]);
    await clock.advance(1_000);
    expect((await ask(served.app, served)).status).toBe(200);
  });

  it("(control) goes through where nobody counts", async () => {
    const served = await box();
    const all = await Promise.all(Array.from({ length: 200 }, () => ask(served.app, served)));
    expect(all.every(({ status }) => status === 200)).toBe(true);
  });

  it("does not slow another token down", async () => {
    const other = { token: "ef".repeat(32), caller: callerWith("read") };
    const served = await box({
      clock: new SimulatedClock(),
      gate: {
        rateLimit: { perS: 1, burst: 2 },
        tokens: [{ token: TOKEN, caller: callerWith("read") }, other],
      },
    });
    for (let at = 0; at < 5; at += 1) await (await ask(served.app, served)).body?.cancel();
    expect((await ask(served.app, served)).status).toBe(429);
    const theirs = await served.request("/v1/status", {
      headers: { authorization: `Bearer ${other.token}` },
    });
    expect(theirs.status).toBe(200);
  });
});

describe("T13 clients that never finish", () => {
  const patience = { headersMs: 300, requestMs: 600, checkMs: 50 };
  const dripping = [
    ["their headers", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ["their body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"],
    ["anything at all", ""],
  ] as const;

  /** `/held` is answered when `release` is called. */
  async function serving(): Promise<NodeServer & { readonly reached: Promise<void>; release(): void }> {
    const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const answer = async (request: Request): Promise<Response> => {
      if (!request.url.endsWith("/held")) return new Response(await request.text());
      reached.resolve();
      await released.promise;
      return new Response("held");
    };
    const server = await serveOnNode(answer, { hostname: "127.0.0.1", port: 0, patience });
    open.push(server);
    return { ...server, reached: reached.promise, release: () => released.resolve() };
  }

  const hang = (port: number, text: string): Promise<void> =>
    new Promise((resolve) => {
      const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.resume();
    });

  it.each(dripping)("%s are cut off, 300 of them, and a good one is served", async (_what, text) => {
    const server = await serving();
    const at = `http://127.0.0.1:${server.port}`;
    // It waits for its answer for longer than any of the slow ones is borne with.
    const patient = fetch(`${at}/held`);
    await server.reached;
    const slow = Array.from({ length: 300 }, () => hang(server.port, text));
    const good = await fetch(at, { method: "POST", body: "served" });
    expect(await good.text()).toBe("served");
    await Promise.all(slow);
    server.release();
    expect(await (await patient).text()).toBe("held");
    expect(await (await fetch(at)).text()).toBe("");
  });

  it("(control) hold their places where nobody looks at the time", async () => {
    const naive = createServer((request, response) => request.pipe(response));
    Object.assign(naive, { headersTimeout: 0, requestTimeout: 0, timeout: 0 });
    await new Promise<void>((done) => naive.listen(0, "127.0.0.1", done));
    const { port } = naive.address() as AddressInfo;
    const ended: unknown[] = [];
    for (const [, text] of dripping) void hang(port, text).then(() => ended.push(text));
    const walled = await serving();
    await Promise.all(dripping.map(([, text]) => hang(walled.port, text)));
    expect(ended).toEqual([]);
    naive.closeAllConnections();
    await new Promise((done) => naive.close(done));
  });
});

describe("T11 sockets", () => {
  async function serving(): Promise<{ readonly url: string; readonly ended: string[] }> {
    const ended: string[] = [];
    const server = await serveOnNode(
      (request) =>
        isSocketOffered(request)
          ? acceptSocket(request, {
              opened: () => {},
              received: () => {},
              closed: () => ended.push("closed"),
            })
          : new Response("plain"),
      { hostname: "127.0.0.1", port: 0 },
    );
    open.push(server);
    return { url: `ws://127.0.0.1:${server.port}/`, ended };
  }

  async function opened(url: string): Promise<WebSocket> {
    const client = new WebSocket(url);
    client.on("error", () => {});
    await new Promise((resolve) => client.once("open", resolve));
    return client;
  }

  const closing = (client: WebSocket): Promise<number> =>
    new Promise((resolve) => client.on("close", (code) => resolve(code)));

  it("a message of 50 MB is refused with 1009 before it is held", async () => {
    const { url } = await serving();
    const client = await opened(url);
    const end = closing(client);
    const before = process.memoryUsage().rss;
    client.send(Buffer.alloc(50 * 1024 * 1024, "x"), { binary: false });
    expect([1006, 1009]).toContain(await end);
    // The client's own 50 MB are in this process too.
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  it("one that pings without end and reads nothing is cut off", async () => {
    const { url, ended } = await serving();
    const client = await opened(url);
    client.pause();
    const payload = Buffer.alloc(125, "p");
    while (ended.length === 0) {
      for (let at = 0; at < 500 && client.readyState === WebSocket.OPEN; at += 1) client.ping(payload);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ended).toEqual(["closed"]);
    client.terminate();
  });

  it("one that pings and reads is answered", async () => {
    const { url } = await serving();
    const client = await opened(url);
    const ponged = new Promise((resolve) => client.once("pong", (data) => resolve(String(data))));
    client.ping("hello");
    expect(await ponged).toBe("hello");
    client.close();
    await settle();
  });
});

describe("T22 an address of the network", () => {
  it.each(["0.0.0.0", "::", "192.168.1.5", "box.lan", "127.0.0.1.evil.test"])("%s is refused", (host) => {
    expect(() => assertBindAllowed(host, false)).toThrow("server.insecure_allow_remote");
  });
});

describe("T01 a server that is not ready", () => {
  it("shows nothing but that, with the same headers as every answer", async () => {
    const served = await listen({
      host: "127.0.0.1",
      port: 0,
      token: TOKEN,
      world: {
        clock: systemClock,
        random: systemRandom,
        fetch,
        env: {},
        cwd: "/",
        writeLog: () => {},
      },
      allowedHosts: [],
      allowedOrigins: [],
      insecureAllowRemote: false,
    });
    open.push({ stop: () => served.close() });
    const response = await fetch(`${served.listening.url}/v1/tasks`);
    expect(response.status).toBe(503);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "x-frame-options": "DENY",
      "cache-control": "no-store",
    });
    expect(await response.json()).toMatchObject({ code: "starting" });
  });
});
