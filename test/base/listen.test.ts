import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { type FetchHandler, type Listening, serve } from "../../src/base/listen.ts";

/** Taken before any server starts. */
const ORIGINAL = { Request: globalThis.Request, Response: globalThis.Response };
const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function served(handler: FetchHandler, hostname = "127.0.0.1", port = 0): Promise<Listening> {
  const server = await serve(handler, { hostname, port });
  open.push(server);
  return server;
}

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (thrown: unknown) => thrown,
  );

/** Sends the text and reads until the server closes. */
function raw(server: Listening, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(server.port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

describe("serve", () => {
  it("answers on a free port and says where", async () => {
    const server = await served(async (request) => new Response(`${request.method} ${await request.text()}`));
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(server.port).toBeGreaterThan(0);
    const response = await fetch(`${server.url}/x`, { method: "POST", body: "hello" });
    expect(await response.text()).toBe("POST hello");
  });

  it("says what to do when the port is taken", async () => {
    const first = await served(() => new Response());
    const error = await refusal(served(() => new Response(), "127.0.0.1", first.port));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      code: "port_in_use",
      message: expect.stringContaining("server.port"),
      details: { port: first.port, config_key: "server.port" },
    });
    expect((await fetch(first.url)).status).toBe(200);
  });

  it("says what to do about an address that is not this machine's", async () => {
    const error = await refusal(served(() => new Response(), "203.0.113.7"));
    expect(error).toMatchObject({ code: "address_unavailable", details: { config_key: "server.host" } });
  });

  it("names an address that reaches a server on all addresses", async () => {
    const server = await served(() => new Response("here"), "0.0.0.0");
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(await (await fetch(server.url)).text()).toBe("here");
  });

  it("L1 close ends open streams and waiting requests, frees the port, and may be called twice", async () => {
    const gone = Promise.withResolvers<void>();
    const never = new Promise<Response>(() => {});
    const server = await served((request) => {
      if (request.url.endsWith("/wait")) return never;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
        cancel: () => gone.resolve(),
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    const response = await fetch(`${server.url}/stream`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");
    const waiting = refusal(fetch(`${server.url}/wait`));
    await Promise.all([server.close(), server.close()]);
    expect(await refusal(reader.read())).toBeInstanceOf(Error);
    expect(await waiting).toBeInstanceOf(Error);
    await gone.promise;
    await served(() => new Response(), "127.0.0.1", server.port);
  });

  it("L2 refuses headers over 16 KB before the handler sees them", async () => {
    let asked = 0;
    const server = await served(() => {
      asked += 1;
      return new Response();
    });
    const answer = await raw(server, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(asked).toBe(0);
  });

  it("tells the handler when the client goes away", async () => {
    const gone = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const server = await served((request) => {
      request.signal.addEventListener("abort", () => gone.resolve());
      asked.resolve();
      return new Promise(() => {});
    });
    const stop = new AbortController();
    const failed = refusal(fetch(server.url, { signal: stop.signal }));
    await asked.promise;
    stop.abort();
    await gone.promise;
    expect(await failed).toBeInstanceOf(Error);
  });

  it("leaves the process's Request and Response alone", async () => {
    await served(() => new Response());
    expect(globalThis.Request).toBe(ORIGINAL.Request);
    expect(globalThis.Response).toBe(ORIGINAL.Response);
  });
});
