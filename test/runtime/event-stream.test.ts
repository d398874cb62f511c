// E1 and E2: what a watcher of events sees, through the API as its callers have it.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { settle } from "../../src/base/clock.ts";
import type { EventsQuery, TroupeApi } from "../../src/core/api.ts";
import type { EventFrame } from "../../src/core/event.ts";
import { converse, DELEGATION, goalIn, ROOMY } from "./conversation.ts";
import { rig } from "./rig.ts";

/** Reads on in the background; what has come so far can be looked at. */
class Reader {
  readonly frames: EventFrame[] = [];
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();

  constructor(api: TroupeApi, query: EventsQuery = {}) {
    this.ended = this.#read(api.events({ ...query, signal: this.#stop.signal }));
  }

  get types(): string[] {
    return this.frames.flatMap((frame) => (frame.kind === "event" ? [frame.event.type] : []));
  }

  get tasks(): Set<string> {
    return new Set(this.frames.flatMap((frame) => (frame.kind === "event" ? [frame.event.taskId] : [])));
  }

  get cursors(): number[] {
    return this.frames.flatMap((frame) => (frame.kind === "event" ? [frame.event.cursor] : []));
  }

  get gaps(): EventFrame[] {
    return this.frames.filter(({ kind }) => kind === "gap");
  }

  stop(): Promise<void> {
    this.#stop.abort();
    return this.ended;
  }

  async #read(frames: AsyncIterable<EventFrame>): Promise<void> {
    for await (const frame of frames) this.frames.push(frame);
  }
}

const three = { settings: { backends: ROOMY }, reply: () => [wait(10), say("one "), wait(40), say("two")] };

describe("a watcher", () => {
  test("E1 sees all that is kept from 0, then what happens, in the order of cursors", async () => {
    const { api, clock } = rig(three);
    await api.delegate({ goal: "a" });
    const reader = new Reader(api, { after: 0 });
    await clock.advance(10);
    await api.delegate({ goal: "b" });
    await clock.advance(100);
    expect(reader.cursors).toEqual(reader.cursors.map((_, index) => index + 1));
    expect(reader.types.filter((type) => type === "task.done")).toHaveLength(2);
    await reader.stop();
  });

  test("sees only what happens from now on without a cursor", async () => {
    const { api, clock } = rig(three);
    const old = await api.delegate({ goal: "old" });
    await clock.advance(200);
    const reader = new Reader(api);
    await clock.advance(1);
    const { taskId } = await api.delegate({ goal: "new" });
    await clock.advance(200);
    expect(reader.tasks).toEqual(new Set([taskId]));
    expect(old.taskId).not.toBe(taskId);
    await reader.stop();
  });

  test("resumes after any cursor and misses nothing", async () => {
    const { api, clock } = rig(three);
    await api.delegate({ goal: "a" });
    await clock.advance(200);
    const whole = new Reader(api, { after: 0 });
    await settle();
    for (const after of whole.cursors) {
      const rest = new Reader(api, { after });
      await settle();
      expect([...whole.cursors.slice(0, after), ...rest.cursors]).toEqual(whole.cursors);
      await rest.stop();
    }
    await whole.stop();
  });

  test("sees deltas only when it asks for them, and they carry the text whole", async () => {
    const { api, clock } = rig(three);
    const [plain, curious] = [new Reader(api, { after: 0 }), new Reader(api, { after: 0, deltas: true })];
    await api.delegate({ goal: "a" });
    await clock.advance(200);
    expect(plain.frames.every(({ kind }) => kind === "event")).toBe(true);
    const text = curious.frames.flatMap((frame) => (frame.kind === "delta" ? [frame.text] : [])).join("");
    expect(text).toBe("one two");
    expect(curious.types).toEqual(plain.types);
    await Promise.all([plain.stop(), curious.stop()]);
  });

  test("sees deltas of the tasks that it asks for at the time", async () => {
    const { api, clock } = rig(three);
    const asked = new Set<string>();
    const reader = new Reader(api, { after: 0, deltas: asked });
    const [a] = [await api.delegate({ goal: "a" }), await api.delegate({ goal: "b" })];
    asked.add(a.taskId);
    await clock.advance(500);
    const seen = reader.frames.flatMap((frame) => (frame.kind === "delta" ? [frame] : []));
    expect(seen.map(({ text }) => text).join("")).toBe("one two");
    expect(new Set(seen.map(({ taskId }) => taskId))).toEqual(asked);
    await reader.stop();
  });

  test("sees a delta before the event that ends its turn", async () => {
    const { api, clock } = rig(three);
    const reader = new Reader(api, { after: 0, deltas: true });
    await api.delegate({ goal: "a" });
    await clock.advance(200);
    const order = reader.frames.map((frame) => (frame.kind === "event" ? frame.event.type : frame.kind));
    expect(order.indexOf("turn.started")).toBeLessThan(order.indexOf("delta"));
    expect(order.lastIndexOf("delta")).toBeLessThan(order.indexOf("turn.finished"));
    await reader.stop();
  });

  test("E3 finds each delta in the turn that wrote it, however late it reads", async () => {
    let turn = 0;
    const { api, clock } = rig({
      settings: { backends: ROOMY },
      reply: () => {
        turn += 1;
        const more = turn % 3 === 0 ? [] : [call("report_progress", { note: `after ${turn}` })];
        return [wait(40), say(`turn ${turn}`), ...more];
      },
    });
    const frames = api.events({ after: 0, deltas: true })[Symbol.asyncIterator]();
    await api.delegate({ goal: "a", toolsets: ["progress"] });
    await frames.next();
    await clock.advance(1_000);
    const order: string[] = [];
    while (order.at(-1) !== "task.done") {
      const { value } = (await frames.next()) as { value: EventFrame };
      if (value.kind === "delta") order.push(value.text);
      else if (value.kind === "event" && /^(turn|task.done)/.test(value.event.type))
        order.push(value.event.type);
    }
    const turnOf = (n: number) => ["turn.started", `turn ${n}`, "turn.finished"];
    expect(order).toEqual([...turnOf(1), ...turnOf(2), ...turnOf(3), "task.done"]);
    await frames.return?.(undefined);
  });

  test("of one task or one tree sees nothing of others, deltas neither", async () => {
    const it = await converse(() => [wait(20), say("words")]);
    const session = new Reader(it.api, { after: 0, deltas: true, rootId: it.sessionId });
    const child = await it.start("mine");
    const task = new Reader(it.api, { after: 0, deltas: true, taskId: child });
    await it.api.delegate({ goal: "stranger" });
    await it.pass(200);
    expect(session.tasks).toEqual(new Set([it.sessionId, child]));
    expect(task.tasks).toEqual(new Set([child]));
    for (const { frames } of [session, task]) {
      const writers = frames.flatMap((frame) => (frame.kind === "delta" ? [frame.taskId] : []));
      expect([it.sessionId, child]).toEqual(expect.arrayContaining(writers));
    }
    await Promise.all([session.stop(), task.stop()]);
  });

  test("E1 is told of a gap when what it asks for is no longer kept, and goes on behind it", async () => {
    const { api, clock, store } = rig({ ...three, maxEvents: 12 });
    for (const goal of ["a", "b", "c"]) await api.delegate({ goal });
    await clock.advance(200);
    const { oldest, newest } = await store.bounds();
    expect(oldest).toBeGreaterThan(3);
    const reader = new Reader(api, { after: 2 });
    await settle();
    expect(reader.frames[0]).toEqual({ kind: "gap", after: 2, before: oldest });
    expect(reader.cursors).toEqual(Array.from({ length: newest - oldest + 1 }, (_, n) => oldest + n));
    await reader.stop();
  });

  test("of a quiet task is told of no gap that it has not, however much happens elsewhere", async () => {
    const { api, clock } = rig({
      settings: { backends: ROOMY },
      maxEvents: 30,
      reply: (request) => (goalIn(request) === "quiet" ? [wait(5_000), say("done")] : [say("x")]),
    });
    const { taskId } = await api.delegate({ goal: "quiet" });
    const reader = new Reader(api, { after: 0, taskId });
    await clock.advance(10);
    for (let n = 0; n < 40; n++) {
      await api.delegate({ goal: `busy ${n}` });
      await clock.advance(10);
    }
    await clock.advance(10_000);
    expect(reader.gaps).toEqual([]);
    expect(reader.types.at(-1)).toBe("task.done");
    await reader.stop();
  });

  test("E2 that reads slowly holds nobody up, keeps the order, and is told what it missed", async () => {
    const { api, clock, store } = rig({ ...three, maxEvents: 40 });
    const frames = api.events({ after: 0, deltas: true })[Symbol.asyncIterator]();
    await api.delegate({ goal: "first" });
    await frames.next();
    for (let n = 0; n < 30; n++) await api.delegate({ goal: `task ${n}` });
    await clock.advance(1_000);
    expect((await api.list({ state: "done" })).items).toHaveLength(31);
    const seen: EventFrame[] = [];
    const { newest } = await store.bounds();
    for (let at = 0; at < newest;) {
      const { value } = (await frames.next()) as { value: EventFrame };
      seen.push(value);
      if (value.kind === "event") at = value.event.cursor;
    }
    expect(seen.filter(({ kind }) => kind === "gap")).toHaveLength(1);
    expect(seen.filter(({ kind }) => kind === "delta").length).toBeLessThanOrEqual(512);
    const cursors = seen.flatMap((frame) => (frame.kind === "event" ? [frame.event.cursor] : []));
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
    await frames.return?.(undefined);
  });

  test("with the cursor of another server is refused, and told to begin without it", async () => {
    const { api } = rig(three);
    const frames = api.events({ after: 99 })[Symbol.asyncIterator]();
    await expect(frames.next()).rejects.toMatchObject({
      code: "unknown_cursor",
      message: expect.stringContaining("Begin without it") as string,
    });
  });

  test("of an unknown task is refused", async () => {
    const { api } = rig(three);
    const frames = api.events({ taskId: "task_none" })[Symbol.asyncIterator]();
    await expect(frames.next()).rejects.toMatchObject({ code: "task_not_found" });
  });

  test("ends without an error when its signal aborts, before or while it waits", async () => {
    const { api } = rig(three);
    const early = new Reader(api, { after: 0 });
    await early.stop();
    const late = new Reader(api);
    await settle();
    await late.stop();
    expect([...early.frames, ...late.frames]).toEqual([]);
  });

  test("ends when the runtime closes, and later ones end at once", async () => {
    const { api, runtime } = rig(three);
    const reader = new Reader(api);
    await settle();
    await runtime.close();
    await reader.ended;
    await new Reader(api).ended;
    expect(reader.frames).toEqual([]);
  });

  test("A2 bound to a task sees that task and its descendants, and nobody else", async () => {
    const it = await converse(
      (goal, { messages }) =>
        goal === "lead" && messages.at(-1)?.role !== "tool"
          ? [call("delegate_task_async", { goal: "inner" })]
          : [hang()],
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } } },
    );
    const lead = await it.start("lead", { role: "orchestrator" });
    await it.start("sibling");
    await it.pass(10);
    const [inner] = (await it.api.check(lead)).children;
    const bound = it.rig.runtime.as({ name: lead, scopes: ["read"], taskId: lead });
    const reader = new Reader(bound, { after: 0 });
    await it.pass(10);
    expect(reader.tasks).toEqual(new Set([lead, inner]));
    await reader.stop();
    const { items, nextCursor } = await bound.history();
    expect([new Set(items.map(({ taskId }) => taskId)), nextCursor]).toEqual([reader.tasks, null]);
    const first = await bound.history({ limit: 1 });
    expect([first.items, first.nextCursor]).toEqual([[], "1"]);
    await expect(bound.history({ rootId: it.sessionId })).rejects.toMatchObject({ code: "task_not_found" });
    const frames = bound.events({ taskId: it.sessionId })[Symbol.asyncIterator]();
    await expect(frames.next()).rejects.toMatchObject({ code: "task_not_found" });
  });
});
