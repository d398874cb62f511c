import { describe, expect, it } from "vitest";
import { settle, SimulatedClock } from "../../src/base/clock.ts";
import { NotFoundError } from "../../src/base/errors.ts";
import { PushQueue } from "../../src/base/stream.ts";
import type { EventFrame } from "../../src/core/event.ts";
import { formatFrame, frameStream } from "../../src/http/frame-stream.ts";
import { CannedApi } from "./canned-api.ts";

const delta = (text: string): EventFrame => ({ kind: "delta", taskId: "t", channel: "text", text });

interface Opened {
  readonly clock: SimulatedClock;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly stream: ReadableStream<Uint8Array>;
  readonly state: { released: number };
  readonly read: () => Promise<string>;
}

function open(frames: AsyncIterable<EventFrame>): Opened {
  const clock = new SimulatedClock();
  const state = { released: 0 };
  const stream = frameStream({ frames, clock, requestId: "req_1", release: () => (state.released += 1) });
  const reader = stream.getReader();
  const read = async (): Promise<string> => {
    const { done, value } = await reader.read();
    return done ? "(closed)" : new TextDecoder().decode(value);
  };
  return { clock, reader, stream, state, read };
}

describe("formatFrame", () => {
  it("gives events their cursor as id, deltas and gaps none", async () => {
    const api = new CannedApi({ clock: new SimulatedClock() });
    await api.delegate({ goal: "walk" });
    api.log.end();
    const [event] = await Array.fromAsync(api.events({ after: 0 }));
    const text = formatFrame(event as EventFrame);
    expect(text).toMatch(/^id: 1\nevent: task\.spawned\ndata: \{"task_id":"task_/);
    expect(formatFrame(delta("hé\n"))).toBe(
      'event: delta\ndata: {"task_id":"t","channel":"text","text":"hé\\n"}\n\n',
    );
    expect(formatFrame({ kind: "gap", after: 3, before: 9 })).toBe(
      'event: gap\ndata: {"after":3,"before":9}\n\n',
    );
  });
});

describe("frameStream", () => {
  it("sends something at once, then frames as they come, then says that it ends", async () => {
    const queue = new PushQueue<EventFrame>(10);
    const { read, state } = open(queue);
    expect(await read()).toBe(": connected\n\n");
    queue.push(delta("a"));
    expect(await read()).toContain('"text":"a"');
    queue.end();
    expect(await read()).toBe("event: end\ndata: {}\n\n");
    expect([await read(), state.released]).toEqual(["(closed)", 1]);
  });

  it("F2 sends a comment every 15 s while nothing happens, and loses no frame to it", async () => {
    const queue = new PushQueue<EventFrame>(10);
    // A generator hands out a frame for each time it is asked, so that asking twice would lose one.
    async function* relayed(): AsyncGenerator<EventFrame> {
      yield* queue;
    }
    const { read, clock } = open(relayed());
    await read();
    await clock.advance(14_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await read()).toBe(": keep-alive\n\n");
    await clock.advance(15_000);
    queue.push(delta("after two comments"));
    expect(await read()).toBe(": keep-alive\n\n");
    expect(await read()).toContain("after two comments");
  });

  it("F1 takes no more frames than fit while the reader takes none", async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<EventFrame> {
      for (;;) {
        taken += 1;
        yield delta("x".repeat(1_000));
      }
    }
    const { read } = open(endless());
    for (let turn = 0; turn < 20; turn += 1) await settle();
    const full = taken;
    expect(full).toBeLessThan(80);
    for (let i = 0; i < 10; i += 1) await read();
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(taken).toBeGreaterThan(full);
    expect(taken).toBeLessThanOrEqual(full + 11);
  });

  it("F3 lets a reader go that takes nothing for a minute; F4 once", async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<EventFrame> {
      try {
        for (;;) yield delta("x".repeat(10_000));
      } finally {
        ended = true;
      }
    }
    const { clock, read, state, reader } = open(endless());
    for (let turn = 0; turn < 20; turn += 1) await settle();
    await clock.advance(59_999);
    expect([ended, state.released]).toEqual([false, 0]);
    await clock.advance(1);
    expect([ended, state.released, clock.pending]).toEqual([true, 1, 0]);
    let rest = 0;
    while ((await read()) !== "(closed)") rest += 1;
    expect(rest).toBeLessThan(10);
    await reader.cancel();
    expect(state.released).toBe(1);
  });

  it("F4 releases once, and arms no timer, when the reader leaves", async () => {
    const queue = new PushQueue<EventFrame>(10);
    const { clock, reader, read, state } = open(queue);
    await read();
    await settle();
    await reader.cancel();
    await settle();
    expect([state.released, clock.pending, queue.ended]).toEqual([1, 0, true]);
  });

  it("F4 arms no timer either when the API does not let go at once", async () => {
    async function* stuck(): AsyncGenerator<EventFrame> {
      yield delta("one");
      await new Promise(() => {});
    }
    const { clock, reader, read, state } = open(stuck());
    await read();
    await read();
    await settle();
    expect(clock.pending).toBe(1);
    await reader.cancel();
    expect([state.released, clock.pending]).toEqual([1, 0]);
  });

  it("tells an error of the API as a problem and ends", async () => {
    const queue = new PushQueue<EventFrame>(10);
    const { read, state } = open(queue);
    await read();
    queue.end(new NotFoundError("task_not_found", "Expected a task."));
    const text = await read();
    expect(text).toMatch(/^event: error\ndata: \{.*"code":"task_not_found"/);
    expect([await read(), state.released]).toEqual(["(closed)", 1]);
  });

  it("H1 hides an error that is none of ours", async () => {
    const queue = new PushQueue<EventFrame>(10);
    const { read } = open(queue);
    await read();
    queue.end(new TypeError("hunter2"));
    const text = await read();
    expect(text).toContain("req_1");
    expect(text).not.toContain("hunter2");
  });
});
