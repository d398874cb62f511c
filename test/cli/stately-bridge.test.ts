import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { serve, type Listening } from "../../src/base/listen.ts";
import { statelyBridge } from "../../src/cli/stately-bridge.ts";

const SECRET = "5e".repeat(16);
let server: Listening | null = null;
afterEach(() => server?.close());

async function bridge(feed: (signal: AbortSignal) => AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const problems: unknown[] = [];
  const handler = statelyBridge({ secret: SECRET, feed, onProblem: (error) => problems.push(error) });
  server = await serve(handler, { hostname: "127.0.0.1", port: 0 });
  return problems;
}

const address = (path: string): string => `${server?.url.replace("http:", "ws:")}${path}`;

/** What came, and the status or code that it ended with. */
function visit(path: string, origin = server?.url ?? ""): Promise<{ texts: string[]; end: number }> {
  return new Promise((resolve) => {
    const texts: string[] = [];
    const socket = new WebSocket(address(path), { origin });
    socket.on("message", (data: Buffer) => texts.push(data.toString()));
    socket.on("error", () => {});
    socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve({ texts, end: statusCode }));
    socket.on("close", (end) => resolve({ texts, end }));
  });
}

async function* two(): AsyncGenerator<unknown> {
  yield { type: "@xstate.event" };
  yield { type: "@xstate.snapshot" };
}

it("Y2 gives each page the feed from its beginning", async () => {
  await bridge(two);
  const pages = await Promise.all([visit(`/${SECRET}/feed`), visit(`/${SECRET}/feed`)]);
  const all = ['{"type":"@xstate.event"}', '{"type":"@xstate.snapshot"}'];
  expect(pages).toEqual([
    { texts: all, end: 1001 },
    { texts: all, end: 1001 },
  ]);
});

it("Y1 shows nothing to who does not know the path, or comes from another page", async () => {
  await bridge(two);
  const own = server?.url ?? "";
  for (const path of ["/", "/feed", `/${SECRET}`.slice(0, -1), `/${SECRET}/`, `/${SECRET}/feed`]) {
    expect((await fetch(own + path)).status).toBe(404);
  }
  expect((await visit("/feed")).end).toBe(404);
  expect((await visit(`/${SECRET}/feed`, "https://evil.test")).end).toBe(404);
});

it("serves a page that may do nothing but show the inspector", async () => {
  await bridge(two);
  const response = await fetch(`${server?.url}/${SECRET}`);
  const policy = response.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-src https://stately.ai;");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  const html = await response.text();
  expect(html).toContain('src="https://stately.ai/inspect"');
  expect(html).not.toContain('"*"');
});

it("says what ended a feed, and lets one go that its page has left", async () => {
  let left = false;
  const problems = await bridge(async function* (signal) {
    yield 1;
    if (left) throw new Error("the server went");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    left = true;
  });
  const socket = new WebSocket(address(`/${SECRET}/feed`), { origin: server?.url ?? "" });
  await new Promise((resolve) => socket.once("message", resolve));
  socket.close();
  while (!left) await new Promise((resolve) => setImmediate(resolve));
  expect((await visit(`/${SECRET}/feed`)).texts).toEqual(["1"]);
  expect(problems).toMatchObject([{ message: "the server went" }]);
});
