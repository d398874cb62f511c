// What only this adapter can be asked for; caps, redirects and refusals are asked of the whole web toolset in
// test/security/web.test.ts.

import { createServer as createPlain, type RequestListener, type Server } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { pinnedHttp } from "../../src/base/pinned-http.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./pinned-certificate.ts";

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener, secure = false): Promise<number> {
  const server = secure
    ? createSecure({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, listener)
    : createPlain(listener);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function get(
  url: string,
  { trust, signal }: { readonly trust?: string; readonly signal?: AbortSignal } = {},
) {
  const request = pinnedHttp(trust === undefined ? {} : { trust });
  const answer = await request({
    url: new URL(url),
    address: "127.0.0.1",
    headers: { "user-agent": "test" },
    signal: signal ?? new AbortController().signal,
  });
  let text = "";
  for await (const chunk of answer.body) text += new TextDecoder().decode(chunk);
  return { ...answer, text };
}

const echo: RequestListener = (request, response) => {
  response.setHeader("set-cookie", ["a=1", "b=2"]);
  response.end(JSON.stringify([request.method, request.url, request.rawHeaders]));
};

test("asks the address for the name, with the headers that were given and no others", async () => {
  const port = await serve(echo);
  const { status, headers, text } = await get(`http://no-such-name.test:${port}/a%20b?c=d`);
  expect(status).toBe(200);
  expect(headers).toMatchObject({ "set-cookie": "a=1,b=2" });
  const [method, path, raw] = JSON.parse(text) as [string, string, readonly string[]];
  expect([method, path]).toEqual(["GET", "/a%20b?c=d"]);
  const sent = raw.flatMap((each, index) => (index % 2 === 0 ? [[each.toLowerCase(), raw[index + 1]]] : []));
  expect(Object.fromEntries(sent)).toEqual({
    "user-agent": "test",
    host: `no-such-name.test:${port}`,
    connection: "close",
  });
});

test("P2 checks a certificate against the name, not against the address", async () => {
  const port = await serve(echo, true);
  expect((await get(`https://pinned.test:${port}/`, { trust: CERTIFICATE })).status).toBe(200);
  for (const host of ["other.test", "127.0.0.1"]) {
    await expect(get(`https://${host}:${port}/`, { trust: CERTIFICATE })).rejects.toThrow(
      expect.objectContaining({ code: "ERR_TLS_CERT_ALTNAME_INVALID" }) as Error,
    );
  }
  await expect(get(`https://pinned.test:${port}/`)).rejects.toThrow(/certificate/i);
});

test("P3 an abort closes the socket, before the answer and in its middle, and nothing goes on listening", async () => {
  for (const begins of [false, true]) {
    const abort = new AbortController();
    let gone: () => void = () => {};
    const closed = new Promise<void>((resolve) => (gone = resolve));
    const port = await serve((request, response) => {
      request.socket.on("close", gone);
      if (begins) response.write("x");
      abort.abort(new Error("called off"));
    });
    await expect(get(`http://pinned.test:${port}/`, { signal: abort.signal })).rejects.toThrow(
      /called off|aborted/,
    );
    await closed;
  }
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  Object.assign(signal, {
    addEventListener: (...args: Parameters<typeof add>) => ((listeners += 1), add(...args)),
    removeEventListener: (...args: Parameters<typeof remove>) => ((listeners -= 1), remove(...args)),
  });
  const port = await serve((request, response) => {
    request.socket.unref();
    response.end("whole");
  });
  const answer = await pinnedHttp()({
    url: new URL(`http://pinned.test:${port}/`),
    address: "127.0.0.1",
    headers: {},
    signal,
  });
  for await (const chunk of answer.body) expect(chunk.length).toBeGreaterThan(0);
  answer.close();
  await expect.poll(() => listeners).toBe(0);
});

test("nobody there, or nothing but noise, is the system's error", async () => {
  const port = await serve(echo);
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  await expect(get(`http://pinned.test:${port}/`)).rejects.toThrow(/ECONNREFUSED/);
  const aborted = AbortSignal.abort(new Error("called off"));
  await expect(get(`http://pinned.test:${port}/`, { signal: aborted })).rejects.toThrow("called off");
});
