import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { StoreError } from "../../src/base/errors.ts";
import type { ServerSocket } from "../../src/base/socket.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { EventHub } from "../../src/http/event-hub.ts";
import { EventTalk } from "../../src/http/event-talk.ts";
import { SocketSession } from "../../src/http/socket-session.ts";
import { HARD_BYTES, SOFT_BYTES } from "../../src/http/socket-words.ts";
import { CannedApi } from "./canned-api.ts";
import { callerWith, TOKEN } from "./rig.ts";

const CALLER = callerWith("read");

interface Line {
  readonly client: SocketSession;
  readonly sent: unknown[];
  readonly frames: () => readonly { readonly kind: string }[];
  readonly cursors: () => readonly number[];
  readonly closed: () => readonly [number, string] | null;
  readonly say: (message: unknown) => Promise<void>;
  waiting: number;
  isDropped: boolean;
}

let clock: SimulatedClock;
let api: CannedApi;
let hub: EventHub | null;
let greeted = 0;
let released = 0;
let failure: unknown;
beforeEach(() => {
  clock = new SimulatedClock();
  api = new CannedApi({ clock, keepEvents: 1_000 });
  hub = null;
  greeted = released = 0;
  failure = null;
});
afterEach(() => api.log.end());

function dial(): Line {
  const sent: unknown[] = [];
  let end: readonly [number, string] | null = null;
  const client = new SocketSession({
    clock,
    callerOf: async (token) => (token === TOKEN ? CALLER : null),
    begin: (line, _caller, { after }) =>
      new EventTalk({ line, api, hub: (hub ??= newHub()), clock, ...(after !== undefined && { after }) }),
    revoked: () => null,
    newRequestId: () => "req_1",
    refused: () => {},
    greeted: () => (greeted += 1),
    released: () => (released += 1),
  });
  const line: Line = {
    client,
    sent,
    frames: () => sent.flatMap((each) => (Array.isArray(each) ? each : [])) as { kind: string }[],
    cursors: () =>
      line
        .frames()
        .flatMap((each) =>
          each.kind === "event" ? [(each as unknown as { event: StoredEvent }).event.cursor] : [],
        ),
    closed: () => end,
    say: async (message) => {
      client.received(typeof message === "string" ? message : JSON.stringify(message));
      await clock.advance(0);
    },
    waiting: 0,
    isDropped: false,
  };
  const socket: ServerSocket = {
    send: (text) => sent.push(JSON.parse(text)),
    bufferedBytes: () => line.waiting,
    close: (code, reason) => (end ??= [code, reason]),
    drop: () => (line.isDropped = true),
  };
  client.opened(socket);
  return line;
}

function newHub(): EventHub {
  const status = async () => {
    if (failure !== null) throw failure;
    return api.status();
  };
  return new EventHub({
    api: { status, events: (query) => api.events(query) },
    clock,
    onIdle: () => (hub = null),
  });
}

async function welcome(after?: number): Promise<Line> {
  const line = dial();
  await line.say({ type: "hello", token: TOKEN, ...(after === undefined ? {} : { after }) });
  return line;
}

const spawn = async (goal: string): Promise<string> => (await api.delegate({ goal })).taskId;
const write = (taskId: string, text: string): void =>
  api.log.delta({ kind: "delta", taskId, channel: "text", text });

describe("a greeting", () => {
  it("T10 has to come in time", async () => {
    const line = dial();
    await clock.advance(1_999);
    expect(line.closed()).toBeNull();
    await clock.advance(1);
    expect([line.closed()?.[0], line.sent, greeted, released]).toEqual([4401, [], 0, 1]);
  });

  it.each([
    ["a wrong token", { type: "hello", token: "00".repeat(32) }],
    ["no token", { type: "hello" }],
    ["another word", { type: "watch", deltas: [] }],
    ["no JSON", "hello"],
    ["a cursor that is none", { type: "hello", token: TOKEN, after: -1 }],
    ["a list", [TOKEN]],
  ])("K1 with %s is answered with 4401 and nothing else", async (_, message) => {
    const line = dial();
    await line.say(message);
    expect([line.closed()?.[0], line.sent, released]).toEqual([4401, [], 1]);
  });

  it("is answered with the store and the newest cursor", async () => {
    await spawn("before");
    const line = await welcome();
    expect(line.sent).toEqual([{ type: "welcome", store_id: "canned", cursor: 1 }]);
    expect(greeted).toBe(1);
  });

  it("fails in words when the store is away, and the next one may succeed", async () => {
    failure = new StoreError("store_away", "The disk is full.");
    const line = await welcome();
    expect(line.sent).toMatchObject([[{ kind: "error", problem: { code: "store_away" } }]]);
    expect([line.closed()?.[0], released]).toEqual([1011, 1]);
    failure = null;
    expect((await welcome()).sent).toMatchObject([{ type: "welcome" }]);
  });
});

describe("the stream", () => {
  it("carries what happens from now on, in batches", async () => {
    await spawn("before");
    const line = await welcome();
    await spawn("one");
    await spawn("two");
    await clock.advance(24);
    expect(line.frames()).toEqual([]);
    await clock.advance(1);
    expect(line.sent.length).toBe(2);
    expect(line.cursors()).toEqual([2, 3]);
    expect(line.frames()[0]).toMatchObject({ event: { task_id: expect.any(String), data: { goal: "one" } } });
  });

  it("resumes after a cursor, and each event comes once", async () => {
    for (let turn = 0; turn < 1_200; turn += 1) await spawn(`${turn}`);
    const line = await welcome(100);
    await spawn("while it reads");
    await clock.advance(1_000);
    await spawn("after");
    await clock.advance(100);
    // The canned log keeps 1000 events only: what is gone is said (K3).
    expect(line.frames()[0]).toMatchObject({ kind: "gap", after: 100 });
    const cursors = line.cursors();
    expect(cursors.at(-1)).toBe(1_202);
    expect(cursors).toEqual(cursors.map((_, at) => (cursors[0] as number) + at));
  });

  it("K3 says that nothing is known of a cursor of another store", async () => {
    await spawn("one");
    const line = await welcome(99);
    await spawn("two");
    await clock.advance(50);
    expect(line.frames()[0]).toEqual({ kind: "gap", after: 0, before: null });
    expect(line.cursors()).toEqual([2]);
  });

  it("takes a cursor that the hub has not read yet for what it is", async () => {
    const first = await welcome();
    await spawn("one");
    await spawn("two");
    await clock.advance(1);
    const second = await welcome(1);
    await clock.advance(100);
    expect([first.cursors(), second.cursors()]).toEqual([[1, 2], [2]]);
  });

  it("sends deltas of the tasks that are watched, joined, and of no others", async () => {
    const [a, b] = [await spawn("a"), await spawn("b")];
    const line = await welcome();
    write(a, "lost");
    await clock.advance(50);
    await line.say({ type: "watch", deltas: [a] });
    for (const text of ["one ", "two ", "three"]) write(a, text);
    write(b, "not wanted");
    await clock.advance(50);
    await line.say({ type: "watch", deltas: [] });
    write(a, "no longer");
    await clock.advance(50);
    expect(line.frames()).toEqual([{ kind: "delta", task_id: a, channel: "text", text: "one two three" }]);
  });

  it("answers pings, and breaks the silence", async () => {
    const line = await welcome();
    await line.say({ type: "ping" });
    expect(line.frames()).toEqual([{ kind: "pong" }]);
    await clock.advance(30_000);
    expect(line.sent.slice(2)).toEqual([[], []]);
  });

  it("ends when the API's events end, and says so", async () => {
    const line = await welcome();
    api.log.end();
    await clock.advance(10);
    expect([line.closed()?.[0], released]).toEqual([1001, 1]);
  });
});

describe("a client that is a burden", () => {
  it.each([
    ["is no JSON", "{"],
    ["greets twice", { type: "hello", token: TOKEN }],
    ["watches too many", { type: "watch", deltas: Array.from({ length: 65 }, (_, at) => `task_${at}`) }],
    ["watches what is no name", { type: "watch", deltas: ["x".repeat(65)] }],
  ])("whose message %s is closed with 4400", async (_, message) => {
    const line = await welcome();
    await line.say(message);
    expect(line.closed()?.[0]).toBe(4400);
  });

  it("that floods is closed with 4429", async () => {
    const line = await welcome();
    for (let turn = 0; turn < 49; turn += 1) await line.say({ type: "ping" });
    expect(line.closed()).toBeNull();
    await line.say({ type: "ping" });
    expect(line.closed()?.[0]).toBe(4429);
    await line.say({ type: "ping" });
    expect(line.frames().length).toBe(49);
  });

  it("K2 that takes nothing loses deltas first, then is sent away, and nobody else notices", async () => {
    const task = await spawn("a");
    const [slow, quick] = [await welcome(), await welcome()];
    for (const line of [slow, quick]) await line.say({ type: "watch", deltas: [task] });
    slow.waiting = SOFT_BYTES + 1;
    write(task, "text");
    await spawn("b");
    await clock.advance(50);
    expect(slow.frames().map(({ kind }) => kind)).toEqual(["event"]);
    expect(
      quick
        .frames()
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(["delta", "event"]);
    slow.waiting = HARD_BYTES + 1;
    await spawn("c");
    await clock.advance(50);
    expect(slow.closed()?.[0]).toBe(4408);
    expect([slow.cursors(), quick.cursors()]).toEqual([[2], [2, 3]]);
    await clock.advance(5_000);
    expect([slow.isDropped, quick.isDropped]).toEqual([true, false]);
  });

  it("K2 that takes nothing while it is brought up to date is waited for, then sent away", async () => {
    for (let turn = 0; turn < 900; turn += 1) await spawn("x");
    const line = dial();
    line.waiting = SOFT_BYTES + 1;
    await line.say({ type: "hello", token: TOKEN, after: 0 });
    await clock.advance(59_000);
    expect(line.closed()).toBeNull();
    expect(line.cursors().length).toBeLessThan(600);
    await clock.advance(2_000);
    expect(line.closed()?.[0]).toBe(4408);
  });

  it("K4 gives everything back once, however it goes", async () => {
    const first = await welcome();
    const second = await welcome(0);
    first.client.closed();
    first.client.closed();
    await second.say("{");
    second.client.closed();
    await clock.advance(100);
    expect([released, hub, api.log.readers]).toEqual([2, null, 0]);
  });
});
