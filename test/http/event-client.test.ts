import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import {
  ConflictError,
  InternalError,
  LimitError,
  NotFoundError,
  type TroupeError,
} from "../../src/base/errors.ts";
import type { EventsQuery } from "../../src/core/api.ts";
import type { EventFrame } from "../../src/core/event.ts";
import { readFrame, resumingFrames } from "../../src/http/event-client.ts";
import { formatFrame } from "../../src/http/frame-stream.ts";
import { PROBLEM_TYPE, toProblem } from "../../src/http/problem.ts";
import { formatComment, formatMessage } from "../../src/http/sse.ts";
import { Transport } from "../../src/http/transport.ts";
import { CannedApi } from "./canned-api.ts";
import { rig } from "./rig.ts";

/** What one connection does: sends these texts, then breaks, ends or stays open. */
interface Connection {
  readonly texts?: readonly string[];
  readonly ending?: "break" | "end" | "stay";
  readonly refuse?: TroupeError;
  readonly unreachable?: boolean;
}

interface Asked {
  readonly url: string;
  readonly lastEventId: string | null;
}

/** A server as a fetch function that plays connections one after the other; the last one repeats. */
function played(connections: readonly Connection[], query: EventsQuery = {}) {
  const clock = new SimulatedClock();
  const asked: Asked[] = [];
  const times: number[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const plan = connections[Math.min(asked.length, connections.length - 1)] as Connection;
    times.push(clock.monotonic());
    asked.push({ url, lastEventId: new Headers(init.headers).get("last-event-id") });
    if (plan.unreachable) throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    if (plan.refuse) {
      const problem = toProblem(plan.refuse, "req_1");
      return new Response(JSON.stringify(problem), {
        status: problem.status,
        headers: { "content-type": PROBLEM_TYPE },
      });
    }
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const text of plan.texts ?? []) controller.enqueue(new TextEncoder().encode(text));
        if (plan.ending === "end") controller.close();
        init.signal?.addEventListener("abort", () => controller.error(new Error("aborted")));
      },
      pull(controller) {
        if (plan.ending === "break") controller.error(new TypeError("terminated"));
      },
    });
    return new Response(body);
  };
  const transport = new Transport({ baseUrl: "http://troupe.test", token: "t", fetch, clock });
  return { clock, asked, times, frames: resumingFrames(transport, query) };
}

async function someEvents(count: number): Promise<EventFrame[]> {
  const api = new CannedApi({ clock: new SimulatedClock() });
  for (let i = 0; i < count; i += 1) await api.delegate({ goal: `g${i}` });
  api.log.end();
  return Array.fromAsync(api.events({ after: 0 }));
}

const END = formatMessage({ event: "end", data: "{}" });

/** Reads everything while time passes. */
async function readAll(
  frames: AsyncGenerator<EventFrame>,
  clock: SimulatedClock,
): Promise<{ readonly read: EventFrame[]; readonly error: unknown }> {
  const read: EventFrame[] = [];
  let error: unknown = null;
  let over = false;
  const reading = (async () => {
    for await (const frame of frames) read.push(frame);
  })()
    .catch((thrown: unknown) => {
      error = thrown;
    })
    .finally(() => {
      over = true;
    });
  for (let i = 0; i < 400 && !over; i += 1) await clock.advance(500);
  await reading;
  return { read, error };
}

describe("resumingFrames", () => {
  it("R1 resumes after the last event and hands each out once, whatever the server repeats", async () => {
    const all = await someEvents(4);
    const [a, b, c, d] = all.map(formatFrame) as [string, string, string, string];
    const { frames, clock, asked } = played(
      [
        { texts: [a, b], ending: "break" },
        { texts: [b, a, c], ending: "end" },
        { texts: [d, END], ending: "stay" },
      ],
      { after: 0 },
    );
    const { read, error } = await readAll(frames, clock);
    expect(error).toBeNull();
    expect(read).toEqual(all);
    expect(asked.map(({ lastEventId }) => lastEventId)).toEqual([null, "2", "3"]);
    expect(asked[0]?.url).toBe("http://troupe.test/v1/events?after=0");
  });

  it("R2 says with a gap that it may have missed something before the first cursor was known", async () => {
    const [first] = await someEvents(1);
    const { frames, clock } = played([
      { texts: [formatComment("connected")], ending: "break" },
      { texts: [formatFrame(first as EventFrame), END] },
    ]);
    const { read } = await readAll(frames, clock);
    expect(read).toEqual([{ kind: "gap", after: 0, before: null }, first]);
  });

  it("R3 tries ten times more, ever more slowly, then throws what it met", async () => {
    const { frames, clock, times } = played([{ unreachable: true }], { after: 5 });
    const { error, read } = await readAll(frames, clock);
    expect(error).toMatchObject({ kind: "config", code: "server_unreachable" });
    expect(read).toEqual([]);
    const pauses = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000]);
  });

  it("R3 gives up on a server that closes each stream at once", async () => {
    const { frames, clock, asked } = played([{ texts: [formatComment("connected")], ending: "end" }], {
      after: 5,
    });
    const { error } = await readAll(frames, clock);
    expect(error).toBeInstanceOf(InternalError);
    expect(error).toMatchObject({ code: "stream_closed" });
    expect(asked).toHaveLength(11);
  });

  it("R3 counts anew after each frame", async () => {
    const all = await someEvents(13);
    const plans = all.map((frame): Connection => ({ texts: [formatFrame(frame)], ending: "break" }));
    const { frames, clock } = played([...plans, { texts: [END] }], { after: 0 });
    expect((await readAll(frames, clock)).read).toEqual(all);
  });

  it("R4 takes 45 s of silence as a broken connection, but not a quiet one with comments", async () => {
    const [first] = await someEvents(1);
    const { frames, clock, times } = played(
      [
        { texts: [formatComment("connected")], ending: "stay" },
        { texts: [formatFrame(first as EventFrame), END] },
      ],
      { after: 0 },
    );
    expect((await readAll(frames, clock)).read).toEqual([first]);
    expect(times[1]).toBe(45_250);
  });

  it("throws a refusal at once, and waits for what passes", async () => {
    const gone = new NotFoundError("task_not_found", "Expected a task.");
    const refused = played([{ refuse: gone }]);
    expect((await readAll(refused.frames, refused.clock)).error).toMatchObject({ code: "task_not_found" });
    expect(refused.asked).toHaveLength(1);
    const busy = played([{ refuse: new LimitError("too_many_streams", "Wait.") }, { texts: [END] }], {
      after: 1,
    });
    expect(await readAll(busy.frames, busy.clock)).toEqual({ read: [], error: null });
    expect(busy.asked).toHaveLength(2);
  });

  it("throws the error that the server tells in the stream", async () => {
    const problem = toProblem(new ConflictError("other_store", "A cursor of another store."), "req_1");
    const text = formatMessage({ event: "error", data: JSON.stringify(problem) });
    const { frames, clock } = played([{ texts: [text] }]);
    const { error } = await readAll(frames, clock);
    expect(error).toBeInstanceOf(ConflictError);
  });

  it("ends quietly when the signal aborts, also while it waits to try again", async () => {
    for (const plan of [{ ending: "stay" }, { unreachable: true }] as const) {
      const stop = new AbortController();
      const { frames, clock } = played([plan], { signal: stop.signal, after: 1 });
      const reading = Array.fromAsync(frames);
      await clock.advance(100);
      stop.abort();
      expect(await reading).toEqual([]);
      expect(clock.pending).toBe(0);
    }
  });

  it("leaves nothing behind when its reader leaves", async () => {
    const all = await someEvents(2);
    const { frames, clock } = played([{ texts: all.map(formatFrame), ending: "stay" }], { after: 0 });
    for await (const frame of frames) if (frame.kind === "event") break;
    expect(clock.pending).toBe(0);
  });

  it("resumes over real sockets when the server comes back", async () => {
    const first = await rig();
    await first.api.delegate({ goal: "one" });
    let base = first;
    const transport = new Transport({
      baseUrl: "http://moving.test",
      token: "ab".repeat(32),
      fetch: (url, init) => fetch(url.replace("http://moving.test", base.server.url), init),
      clock: first.clock,
    });
    const frames = resumingFrames(transport, { after: 0 });
    const one = await frames.next();
    const second = await rig({ wrap: () => first.api });
    base = second;
    await first.server.close();
    await first.api.delegate({ goal: "two" });
    const two = await frames.next();
    const goals = [one, two].map(({ value }) => (value?.kind === "event" ? value.event.data : null));
    expect(goals).toMatchObject([{ goal: "one" }, { goal: "two" }]);
    await frames.return(undefined);
    await second.close();
  });
});

describe("readFrame", () => {
  it("skips kinds that it does not know", () => {
    expect(readFrame({ event: "hologram", data: "{}" })).toBeNull();
  });

  it("reads gaps and deltas in camelCase", () => {
    expect(readFrame({ event: "gap", data: '{"after":1,"before":null}' })).toEqual({
      kind: "gap",
      after: 1,
      before: null,
    });
    expect(readFrame({ event: "delta", data: '{"task_id":"t","channel":"text","text":"x"}' })).toMatchObject({
      kind: "delta",
      taskId: "t",
    });
  });
});
