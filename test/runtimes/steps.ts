// What the smoke program does on every runtime. Each step answers with JSON that holds nothing of the machine, the
// moment or the runtime, so that the answers of three runtimes can be compared as text. A new step is one entry.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { delay, SimulatedClock, systemClock } from "../../src/base/clock.ts";
import { linkedAbort, withSignal } from "../../src/base/abort.ts";
import { CancelledError, messageOf, toTroupeError } from "../../src/base/errors.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { derivedId, newId, seededRandom, systemRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import {
  acceptSocket,
  isSocketOffered,
  MAX_SOCKET_MESSAGE_BYTES,
  type ServerSocket,
} from "../../src/base/socket.ts";
import { lines } from "../../src/base/stream.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { textMessage } from "../../src/core/message.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { checkSqlite } from "../../src/store/sqlite-maintenance.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { pages } from "./pages.ts";
import { shells } from "./shells.ts";

export interface Step {
  readonly name: string;
  run(): Promise<unknown>;
}

const STARTED = 1_700_000_000_000;

async function ids(): Promise<unknown> {
  const random = /^task_[0-9a-f]{32}$/.test(newId("task", systemRandom));
  return { seeded: newId("task", seededRandom(7)), derived: derivedId("task", "über"), random };
}

async function clocks(): Promise<unknown> {
  const clock = new SimulatedClock();
  const order: string[] = [];
  const waits = [30, 10, 20].map((ms) => delay(clock, ms).then(() => order.push(`${ms}`)));
  await clock.advance(25);
  order.push("25");
  await clock.drain();
  await Promise.all(waits);
  const before = systemClock.monotonic();
  await delay(systemClock, 5);
  return { order, elapsed: clock.monotonic(), moves: systemClock.monotonic() > before };
}

async function aborts(): Promise<unknown> {
  const parent = new AbortController();
  const child = linkedAbort(parent.signal);
  const work = withSignal(new Promise<never>(() => {}), child.signal);
  parent.abort(new CancelledError("The parent ended."));
  const error = await work.then(() => null, toTroupeError);
  return { kind: error?.kind, code: error?.code, message: error?.message };
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  // One byte at a time cuts every character of more than one byte.
  for (const byte of new TextEncoder().encode('{"a":"ä"}\r\n\n{"b":"🎭"}')) yield Uint8Array.of(byte);
}

async function streams(): Promise<unknown> {
  const found: string[] = [];
  const onTooLong = (): CancelledError => new CancelledError("too long");
  for await (const line of lines(chunks(), { maxChars: 100, onTooLong })) found.push(line);
  return found;
}

async function schemas(): Promise<unknown> {
  const { delegation, server } = configSchema.parse({});
  const refused = configSchema.safeParse({ delegaton: {} });
  return { children: delegation.max_concurrent_children, port: server.port, refused: refused.error?.issues };
}

/** A real server and a real client of this runtime: an answer in pieces, and a request that breaks it off. */
async function sockets(): Promise<unknown> {
  let broken = (): void => {};
  const brokenOff = new Promise<boolean>((resolve) => {
    broken = (): void => resolve(true);
  });
  const server = await serve(
    (request) => {
      if (!request.url.endsWith("/endless")) return new Response(`${request.method} answered`);
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("first\n")),
        cancel: broken,
      });
      return new Response(body);
    },
    { hostname: "127.0.0.1", port: 0 },
  );
  try {
    const fetch = runtimeFetch();
    const answer = await (await fetch(`${server.url}/`, { method: "POST", body: "x" })).text();
    const stop = new AbortController();
    const endless = await fetch(`${server.url}/endless`, { signal: stop.signal });
    const reader = (endless.body as ReadableStream<Uint8Array>).getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    stop.abort(new CancelledError());
    const ended = await reader.read().then(
      () => "went on",
      () => "aborted",
    );
    return { answer, first, ended, noticed: await brokenOff };
  } finally {
    await server.close();
  }
}

/** A WebSocket of this runtime's server, asked by this runtime's client: text both ways, a refusal, four goodbyes. */
async function webSockets(): Promise<unknown> {
  const ended: string[] = [];
  const server = await serve(
    (request) => {
      if (!isSocketOffered(request)) return new Response("no socket");
      const { pathname } = new URL(request.url);
      if (pathname === "/refused") return new Response(null, { status: 403 });
      let socket: ServerSocket | null = null;
      return acceptSocket(request, {
        opened: (opened) => {
          socket = opened;
          opened.send(`opened ${pathname}`);
        },
        received: (text) => {
          if (text === "leave") socket?.close(4408, "as you wish");
          else socket?.send(`${text} ${socket.bufferedBytes() >= 0}`);
        },
        closed: () => ended.push(pathname),
      });
    },
    { hostname: "127.0.0.1", port: 0 },
  );
  const url = server.url.replace("http:", "ws:");
  const plain = await (await runtimeFetch()(`${server.url}/plain`)).text();
  const said = await conversation(`${url}/said`, ["über 🎭", "leave"]);
  const refused = await conversation(`${url}/refused`, []);
  const large = await conversation(`${url}/large`, ["x".repeat(MAX_SOCKET_MESSAGE_BYTES + 1)]);
  const binary = await conversation(`${url}/binary`, [new Uint8Array([1, 2])]);
  const left = conversation(`${url}/left`, ["stay"], async () => server.close());
  return { plain, said, refused, large, binary, left: (await left).texts, ended: ended.toSorted() };
}

/** Says the messages once the socket is open; what came, and the code it was closed with. */
function conversation(
  url: string,
  messages: readonly (string | Uint8Array<ArrayBuffer>)[],
  onLast: () => Promise<void> = async () => {},
): Promise<{ readonly texts: readonly string[]; readonly code: number | string }> {
  return new Promise((resolve) => {
    const texts: string[] = [];
    const socket = new WebSocket(url);
    let isOpen = false;
    socket.addEventListener("open", () => {
      isOpen = true;
      for (const message of messages) socket.send(message);
    });
    socket.addEventListener("message", ({ data }) => {
      if (texts.push(String(data)) === messages.length + 1) void onLast();
    });
    socket.addEventListener("close", ({ code }) => {
      // Clients differ in what they call a connection that was cut; that it ended is what counts.
      resolve({ texts, code: isOpen ? (code > 1003 && code < 1010 ? "cut" : code) : "never open" });
    });
  });
}

function spec(id: string): TaskSpec {
  return {
    id,
    kind: "task",
    parentId: null,
    rootId: id,
    sessionId: null,
    depth: 0,
    role: "leaf",
    agent: { name: "default", hash: "0", instructions: "" },
    goal: "Say hello.",
    context: null,
    model: { provider: "scripted", model: "hello", backend: "scripted" },
    toolsets: [],
    workspace: "box:smoke:/tmp",
    limits: DEFAULT_TASK_LIMITS,
    budget: null,
    schedulingClass: "background",
    detached: false,
    outputSchema: null,
    machine: { id: "agent", version: 1 },
    requestHash: "0",
    createdAt: STARTED,
    traceparent: null,
  };
}

async function store(): Promise<unknown> {
  const memory = new MemoryStore({ clock: new SimulatedClock(STARTED), random: seededRandom(1) });
  const spawned = { goal: "Say hello.", agent: "default", model: "hello", depth: 0 };
  await memory.submit(spec("task_1"), { type: "task.spawned", data: spawned });
  const [claim] = await memory.claim({ owner: "smoke", boxId: "smoke", ttlMs: 1000, max: 1 });
  if (claim === undefined) return "no claim";
  await memory.commit(claim, claim.seq, {
    events: [{ type: "task.done", data: { resultChars: 5, truncated: false } }],
    state: "done",
    phase: null,
    terminal: { state: "done", result: "hello", truncated: false, failure: null },
  });
  const record = await memory.get("task_1");
  const events = await memory.events({ after: 0 });
  await memory.close();
  return { state: record?.state, end: record?.end, events: events.map(({ seq, type }) => ({ seq, type })) };
}

/** A database file: written, refused to a second store, closed, opened again, read. Where nothing may be written, why. */
async function database(): Promise<unknown> {
  let folder: string;
  try {
    folder = await mkdtemp(join(tmpdir(), "troupe-smoke-"));
  } catch (thrown) {
    return `no folder for a database: ${messageOf(thrown)}`;
  }
  try {
    return await kept(join(folder, "troupe.db"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function kept(path: string): Promise<unknown> {
  const options = { path, clock: new SimulatedClock(STARTED), durability: "full" } as const;
  const open = (seed: number): Store => openSqliteStore({ ...options, random: seededRandom(seed) });
  const first = open(1);
  const owned = await Promise.resolve(2)
    .then(open)
    .then(() => null, toTroupeError);
  const spawned = { goal: "Say hello.", agent: "default", model: "hello", depth: 0 };
  await first.submit(spec("task_1"), { type: "task.spawned", data: spawned });
  const [claim] = await first.claim({ owner: "smoke", boxId: "smoke", ttlMs: 1000, max: 1 });
  if (claim === undefined) return "no claim";
  // What plain text cannot carry on every runtime: a NUL, and half of a pair.
  const text = "über\0🎭\ud800";
  await first.commit(claim, claim.seq, {
    events: [{ type: "answer.finished", data: { text } }],
    messages: [textMessage("assistant", "model", text)],
    snapshot: { text },
    timers: [{ name: "deadline", dueAt: STARTED + 0.5 }],
  });
  const before = await readAll(first);
  await first.close();
  const second = open(3);
  const after = await readAll(second);
  await second.close();
  const same = JSON.stringify(after) === JSON.stringify(before);
  return { owned: owned?.code, same, ok: checkSqlite(path).ok, after };
}

async function readAll(store: Store): Promise<unknown> {
  return [
    store.storeId,
    await store.get("task_1"),
    await store.events({ after: 0 }),
    await store.transcript("task_1", {}),
    await store.snapshot("task_1"),
    await store.timers("task_1"),
    await store.counts(),
  ];
}

export const STEPS: readonly Step[] = [
  { name: "ids", run: ids },
  { name: "clocks", run: clocks },
  { name: "aborts", run: aborts },
  { name: "streams", run: streams },
  { name: "schemas", run: schemas },
  { name: "sockets", run: sockets },
  { name: "webSockets", run: webSockets },
  { name: "pages", run: pages },
  { name: "store", run: store },
  { name: "database", run: database },
  { name: "shells", run: shells },
];
