import { beforeEach, expect, it } from "vitest";
import { type ClientSocket, inspected, type WholeMessage } from "../../src/http/inspection-client.ts";

type Listener = (event: { readonly data: unknown; readonly code: number }) => void;

class TestSocket implements ClientSocket {
  readonly url: string;
  readonly said: string[] = [];
  isClosed = false;
  readonly #listeners = new Map<string, Listener>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: unknown): void {
    this.#listeners.set(type, listener as Listener);
  }

  send(text: string): void {
    this.said.push(text);
  }

  close(): void {
    this.isClosed = true;
  }

  happen(type: string, event: { readonly data?: unknown; readonly code?: number } = {}): void {
    this.#listeners.get(type)?.({ data: null, code: 0, ...event });
  }
}

let socket: TestSocket;
let stop: AbortController;
let feed: AsyncGenerator<WholeMessage>;
beforeEach(() => {
  stop = new AbortController();
  const open = (url: string): ClientSocket => (socket = new TestSocket(url));
  feed = inspected({ baseUrl: "http://127.0.0.1:1", token: "t", open, signal: stop.signal });
});

const batch = (...messages: unknown[]): void => socket.happen("message", { data: JSON.stringify(messages) });

it("greets, and fills in the definition of an actor that is a machine", async () => {
  const first = feed.next();
  expect(socket.url).toBe("ws://127.0.0.1:1/v1/inspect");
  socket.happen("open");
  expect(socket.said).toEqual(['{"type":"hello","token":"t"}']);
  socket.happen("message", { data: '{"type":"welcome"}' });
  batch({ type: "machine", name: "agent", version: 1, definition: "{}" });
  batch({ type: "@xstate.actor", name: "agent" }, { type: "@xstate.actor", name: "generate" });
  expect((await first).value).toEqual({ type: "@xstate.actor", name: "agent", definition: "{}" });
  expect((await feed.next()).value).toEqual({ type: "@xstate.actor", name: "generate" });
});

it("ends when the reader leaves", async () => {
  const next = feed.next();
  stop.abort();
  expect(await next).toMatchObject({ done: true });
  expect(socket.isClosed).toBe(true);
});

it("Q1 says that nothing answers", async () => {
  const next = feed.next();
  socket.happen("close", { code: 1006 });
  await expect(next).rejects.toMatchObject({ code: "server_unreachable" });
});

it.each([
  [4401, "unauthorized"],
  [4403, "unauthorized"],
  [4408, "too_slow"],
  [1001, "stream_closed"],
])("Q1 says why a server closed with %i: %s", async (code, word) => {
  const next = feed.next();
  socket.happen("open");
  socket.happen("close", { code });
  await expect(next).rejects.toMatchObject({ code: word });
});

it("Q2 ends with an error for a reader that falls behind", async () => {
  const first = feed.next();
  socket.happen("open");
  batch({ type: "@xstate.event" });
  await first;
  for (let turn = 0; turn < 1_001; turn += 1) batch({ type: "@xstate.event" });
  const rest = (async () => {
    for await (const message of feed) expect(message.type).toBe("@xstate.event");
  })();
  await expect(rest).rejects.toMatchObject({ code: "too_slow" });
});
