// The runtime's fetch over real sockets: what it reports, what an abort closes, and that nothing is captured early.

import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ConnectNotice } from "../../src/base/fetch.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => Promise<void>)[] = [];

async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const close of closing.splice(0)) await close();
});

/** Reads as a stream is read: the response itself is let go. */
async function* reading(answer: Promise<Response>): AsyncGenerator<Uint8Array | undefined> {
  const reader = (await answer).body?.getReader();
  for (;;) yield (await reader?.read())?.value;
}

describe("runtimeFetch", () => {
  it("sends method, headers and body, and streams the answer", async () => {
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => {
        response.setHeader("x-seen", `${request.method} ${request.headers["x-mine"] as string}`);
        response.end(text.toUpperCase());
      });
    });
    const response = await runtimeFetch()(url, {
      method: "POST",
      headers: new Headers({ "x-mine": "yes" }),
      body: "hello",
    });
    expect(response.headers.get("x-seen")).toBe("POST yes");
    expect(await response.text()).toBe("HELLO");
  });

  it("takes a Request of the global class", async () => {
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => response.end(`${request.method} ${text}`));
    });
    const request = new Request(url, { method: "PUT", body: "part" });
    expect(await (await runtimeFetch()(request)).text()).toBe("PUT part");
  });

  it("reports each connection once, a used one too", async () => {
    const url = await serve((_request, response) => response.end("x"));
    const fetch = runtimeFetch();
    expect(fetch.reportsConnect).toBe(true);
    const onConnect = vi.fn<() => void>();
    const init: RequestInit & ConnectNotice = { onConnect };
    for (let nth = 1; nth <= 3; nth++) {
      await (await fetch(url, init)).text();
      expect(onConnect).toHaveBeenCalledTimes(nth);
    }
  });

  it("reports no connection to where nobody listens", async () => {
    const url = await serve(() => {});
    await closing.pop()?.();
    const onConnect = vi.fn<() => void>();
    const init: RequestInit & ConnectNotice = { onConnect };
    await expect(runtimeFetch()(url, init)).rejects.toThrow("fetch failed");
    expect(onConnect).not.toHaveBeenCalled();
  });

  it("closes the connection when aborted before the headers, with the reason given", async () => {
    const control = new AbortController();
    const closed = Promise.withResolvers<void>();
    const url = await serve((_request, response) => {
      response.on("close", closed.resolve);
      control.abort(new Error("my reason"));
    });
    await expect(runtimeFetch()(url, { signal: control.signal })).rejects.toThrow("my reason");
    await closed.promise;
  });

  it("closes the connection when aborted in mid-stream", async () => {
    const control = new AbortController();
    const closed = Promise.withResolvers<void>();
    const url = await serve((_request, response) => {
      response.on("close", closed.resolve);
      response.write("so far");
    });
    const response = await runtimeFetch()(url, { signal: control.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    control.abort(new Error("my reason"));
    await expect(reader?.read()).rejects.toThrow("my reason");
    await closed.promise;
  });

  it.each(["follow", "manual", "error"] as const)(
    "closes the connection when aborted in mid-stream, also after a garbage collection (%s)",
    async (redirect) => {
      const control = new AbortController();
      const closed = Promise.withResolvers<void>();
      const url = await serve((_request, response) => {
        response.on("close", closed.resolve);
        response.write("so far");
      });
      const chunks = reading(runtimeFetch()(url, { signal: control.signal, redirect }));
      await chunks.next();
      const read = chunks.next();
      // What was used in this turn of the event loop is still held by it.
      for (let turn = 0; turn < 10; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        collectGarbage();
      }
      control.abort("a reason that is no error");
      await expect(read).rejects.toBeDefined();
      await closed.promise;
    },
  );

  it("leaves nothing on a signal that outlives the answer", async () => {
    const url = await serve((_request, response) => response.end("x"));
    const control = new AbortController();
    const add = vi.spyOn(control.signal, "addEventListener");
    const remove = vi.spyOn(control.signal, "removeEventListener");
    const own = ([, listener]: readonly unknown[]): boolean => String(listener).includes("exchange.abort");
    await (await runtimeFetch()(url, { signal: control.signal })).text();
    expect(add.mock.calls.filter(own)).toHaveLength(1);
    expect(remove.mock.calls.filter(own)).toHaveLength(1);
  });

  it("captures nothing at import: on Bun and Deno the global fetch of the moment is called", async () => {
    for (const runtime of ["Bun", "Deno"]) {
      vi.stubGlobal(runtime, {});
      const fetch = runtimeFetch();
      const seen: unknown[] = [];
      vi.stubGlobal("fetch", (input: unknown, init: unknown) => {
        seen.push(input, init);
        return Promise.resolve(new Response("late"));
      });
      expect(await (await fetch("http://x/", { method: "POST" })).text()).toBe("late");
      expect(seen).toEqual([
        "http://x/",
        runtime === "Bun" ? { method: "POST", timeout: false } : { method: "POST" },
      ]);
      expect(fetch.reportsConnect).toBeUndefined();
      vi.unstubAllGlobals();
    }
  });
});
