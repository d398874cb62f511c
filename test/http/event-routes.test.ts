import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settle, SimulatedClock } from "../../src/base/clock.ts";
import type { EventsQuery } from "../../src/core/api.ts";
import type { EventFrame } from "../../src/core/event.ts";
import { chunksOf, parseMessages, type SseMessage } from "../../src/http/sse.ts";
import type { CannedApi } from "./canned-api.ts";
import { rawText } from "./raw-http.ts";
import { type Headings, rig, type Rig, until } from "./rig.ts";

let box: Rig;
let clock: SimulatedClock;
const start = async (keepEvents = 1_000): Promise<void> => {
  clock = new SimulatedClock();
  box = await rig({ clock, keepEvents });
};
beforeEach(() => start());
afterEach(() => box.close());

interface Reading {
  readonly status: number;
  readonly next: () => Promise<SseMessage>;
  readonly leave: () => void;
}

async function read(path: string, headers: Headings = {}): Promise<Reading> {
  const stop = new AbortController();
  const response = await box.request(path, { headers, signal: stop.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const messages = parseMessages(chunksOf(response.body as ReadableStream<Uint8Array>), () => {});
  const next = async (): Promise<SseMessage> => (await messages.next()).value as SseMessage;
  return { status: response.status, next, leave: () => stop.abort() };
}

const spawn = async (goal: string): Promise<string> => (await box.api.delegate({ goal })).taskId;

describe("GET /v1/events", () => {
  it("carries what happens from now on, with the cursor as id and the type as event", async () => {
    await spawn("before");
    const stream = await read("/v1/events");
    const id = await spawn("after");
    const message = await stream.next();
    expect(message).toMatchObject({ id: "2", event: "task.spawned" });
    expect(JSON.parse(message.data)).toMatchObject({
      task_id: id,
      cursor: 2,
      seq: 1,
      data: { goal: "after" },
    });
    stream.leave();
  });

  it("resumes after ?after= and, before that, after Last-Event-ID", async () => {
    for (const goal of ["1", "2", "3"]) await spawn(goal);
    const ids: unknown[] = [];
    const asks: [string, Headings][] = [
      ["/v1/events?after=0", {}],
      ["/v1/events?after=2", {}],
      ["/v1/events?after=0", { "last-event-id": "1" }],
      ["/v1/events", { "last-event-id": "2" }],
    ];
    for (const [path, headers] of asks) {
      const stream = await read(path, headers);
      ids.push((await stream.next()).id);
      stream.leave();
    }
    expect(ids).toEqual(["1", "3", "2", "3"]);
  });

  it.each(["x", "-1", "1.5", "9".repeat(40)])("refuses Last-Event-ID %j as 400", async (id) => {
    const response = await box.request("/v1/events", { headers: { "last-event-id": id } });
    expect([response.status, await response.json()]).toMatchObject([400, { code: "invalid_last_event_id" }]);
  });

  it("says with a gap what is no longer kept", async () => {
    await box.close();
    await start(2);
    for (const goal of ["1", "2", "3", "4", "5"]) await spawn(goal);
    const stream = await read("/v1/events?after=1");
    const gap = await stream.next();
    expect([gap.event, gap.id, JSON.parse(gap.data)]).toEqual(["gap", undefined, { after: 1, before: 4 }]);
    expect((await stream.next()).id).toBe("4");
    stream.leave();
  });

  it("carries deltas only when asked to", async () => {
    const id = await spawn("walk");
    const plain = await read("/v1/events?after=1");
    const rich = await read("/v1/events?after=1&deltas=1");
    await settle();
    box.api.log.delta({ kind: "delta", taskId: id, channel: "text", text: "Hel" });
    expect(await rich.next()).toEqual({ event: "delta", data: expect.stringContaining("Hel") });
    await spawn("next");
    expect((await plain.next()).event).toBe("task.spawned");
    plain.leave();
    rich.leave();
  });

  it("filters by task and root, and is 404 for unknown ones", async () => {
    const session = await box.api.createSession();
    const child = await box.api.delegate({ goal: "child", parentId: session.taskId });
    await spawn("stranger");
    const ofTask = await read(`/v1/events?after=0&task_id=${child.taskId}`);
    expect(JSON.parse((await ofTask.next()).data)).toMatchObject({ task_id: child.taskId });
    const ofRoot = await read(`/v1/events?after=1&root_id=${session.taskId}`);
    expect(JSON.parse((await ofRoot.next()).data)).toMatchObject({ root_id: session.taskId });
    ofTask.leave();
    ofRoot.leave();
    expect((await box.request("/v1/events?task_id=none")).status).toBe(404);
    expect((await box.request("/v1/events?root_id=none")).status).toBe(404);
  });

  it("ends the API's iterator when the reader leaves", async () => {
    const stream = await read("/v1/events");
    await until(() => box.api.log.readers === 1);
    stream.leave();
    await until(() => box.api.log.readers === 0);
    expect(clock.pending).toBe(0);
  });

  it("HEAD opens no stream", async () => {
    const response = await box.request("/v1/events", { method: "HEAD" });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    expect(box.api.log.readers).toBe(0);
  });

  it("ends with the server, at once", async () => {
    const stream = await read("/v1/events");
    await box.server.close();
    await expect(stream.next()).rejects.toBeInstanceOf(Error);
    await until(() => box.api.log.readers === 0);
  });

  it("refuses more streams than it can hold as 429, and takes them again once one is free", async () => {
    const all = await Promise.all(Array.from({ length: 256 }, () => box.request("/v1/events")));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await box.request("/v1/events");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
    expect(await refused.json()).toMatchObject({ code: "too_many_streams", limit: 256 });
    await all[0]?.body?.cancel();
    await until(() => box.api.log.readers === 255);
    const again = await box.request("/v1/events");
    expect(again.status).toBe(200);
    for (const response of [again, ...all.slice(1)]) await response.body?.cancel();
  });
});

/** Frames without an end, counting what was taken. */
class Flood {
  taken = 0;
  ended = false;

  async *frames(query: EventsQuery): AsyncGenerator<EventFrame> {
    const text = "x".repeat(10_000);
    try {
      while (!query.signal?.aborted) {
        this.taken += 1;
        yield { kind: "delta", taskId: "t", channel: "text", text };
      }
    } finally {
      this.ended = true;
    }
  }
}

describe("a slow reader", () => {
  it("F1 F3 costs bounded memory, and is let go after a minute of taking nothing", async () => {
    const flood = new Flood();
    const slowClock = new SimulatedClock();
    const slow = await rig({
      clock: slowClock,
      wrap: (api: CannedApi) =>
        new Proxy(api, {
          get: (target, key): unknown =>
            key === "events" ? (query: EventsQuery) => flood.frames(query) : Reflect.get(target, key),
        }),
    });
    const socket: Socket = connect(slow.server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(rawText(slow, { target: "/v1/events?deltas=1" }));
    // The kernel's buffers take some megabytes; then nothing moves however often the loop turns.
    let before = -1;
    while (flood.taken === 0 || flood.taken !== before) {
      before = flood.taken;
      for (let turn = 0; turn < 200; turn += 1) await settle();
    }
    expect(flood.taken * 10_000).toBeLessThan(32_000_000);
    expect(flood.ended).toBe(false);
    await slowClock.advance(60_000);
    expect(flood.ended).toBe(true);
    socket.destroy();
    await slow.close();
  });
});
