import { describe, expect, test } from "vitest";
import { delay, settle } from "../../src/base/clock.ts";
import { StoreError, type TroupeError } from "../../src/base/errors.ts";
import type { TaskEnd } from "../../src/core/task.ts";
import { Journal } from "../../src/runtime/journal.ts";
import type { CommitWrite, Store } from "../../src/store/store.ts";
import { desk, type Desk } from "./specimens.ts";
import { wrappedStore, type InTheWay } from "./wrapped-store.ts";

const END: TaskEnd = { state: "done", result: "gold", truncated: false, failure: null };
const DONE = { type: "task.done", data: { resultChars: 4, truncated: false } } as const;
const STARTED = { type: "task.started", data: {} } as const;
const progressed = (percent: number) =>
  ({ type: "task.progressed", data: { percent, note: null, partial: null } }) as const;

interface Kept extends Desk {
  readonly journal: Journal;
  readonly broken: TroupeError[];
  /** What reached the store, in order. */
  readonly writes: CommitWrite[];
}

async function kept(inTheWay: (at: Desk) => InTheWay = () => ({})): Promise<Kept> {
  const at = await desk();
  const writes: CommitWrite[] = [];
  const { before, after } = inTheWay(at);
  const store: Store = wrappedStore(at.store, {
    before: async (call, args) => {
      await before?.(call, args);
      if (call === "commit") writes.push(args[2] as CommitWrite);
    },
    ...(after && { after }),
  });
  const broken: TroupeError[] = [];
  const { patience, claim } = at;
  const journal = new Journal({ store, patience, claim, onBroken: (error) => broken.push(error) });
  return { ...at, journal, broken, writes };
}

async function typesIn({ store }: Kept): Promise<string[]> {
  return (await store.events({ after: 0, taskId: "task_1" })).map(({ type }) => type);
}

describe("Journal", () => {
  test("writes nothing before it is told to, and nothing when there is nothing", async () => {
    const it = await kept();
    it.journal.event(STARTED);
    await settle();
    expect(it.writes).toEqual([]);
    await it.journal.flush();
    await it.journal.flush();
    expect(it.writes).toHaveLength(1);
  });

  test("J2 everything staged in one step goes into one commit, lists joined and later values kept", async () => {
    const it = await kept();
    it.journal.stage({ events: [STARTED], state: "running", phase: "starting", turn: 1 });
    it.journal.stage({ events: [progressed(1)], phase: "generating" });
    const flushed = it.journal.flush();
    it.journal.event(progressed(2));
    await flushed;
    expect(it.writes).toEqual([
      { events: [STARTED, progressed(1), progressed(2)], state: "running", phase: "generating", turn: 1 },
    ]);
    expect(it.journal.record).toMatchObject({ state: "running", phase: "generating", turn: 1, seq: 4 });
  });

  test("J1 commits never overlap: what is staged while one is on its way goes with the next", async () => {
    const it = await kept(({ clock }) => ({ before: () => delay(clock, 10) }));
    it.journal.event(progressed(1));
    const first = it.journal.flush();
    await it.clock.advance(5);
    it.journal.event(progressed(2));
    it.journal.event(progressed(3));
    const second = it.journal.flush();
    await it.clock.advance(100);
    await Promise.all([first, second]);
    expect(it.writes.map(({ events }) => events?.length)).toEqual([1, 2]);
    expect(await typesIn(it)).toHaveLength(4);
  });

  test("counts the rows of the transcript", async () => {
    const it = await kept();
    const message = { role: "user", origin: "goal", parts: [] } as const;
    it.journal.stage({ messages: [message, message], events: [STARTED] });
    await it.journal.flush();
    expect(it.journal.lastIndex).toBe(2);
  });

  test("J3 after a refusal it tells once, and writes nothing more", async () => {
    const it = await kept();
    await it.store.release("box_1");
    it.journal.event(STARTED);
    await expect(it.journal.flush()).rejects.toMatchObject({ code: "fenced" });
    it.journal.event(progressed(1));
    await expect(it.journal.flush()).rejects.toMatchObject({ code: "fenced" });
    expect(it.broken).toHaveLength(1);
    expect(it.writes).toHaveLength(1);
    expect(it.journal.broken).toMatchObject({ code: "fenced" });
  });

  test("J4 what comes after the end is dropped, while it is on its way and later", async () => {
    const it = await kept(({ clock }) => ({ before: () => delay(clock, 10) }));
    it.journal.stage({ terminal: END, events: [DONE] });
    it.journal.event(progressed(1));
    const flushed = it.journal.flush();
    await it.clock.advance(5);
    it.journal.event(progressed(2));
    await it.clock.advance(50);
    await flushed;
    it.journal.event(progressed(3));
    await it.journal.flush();
    expect(await typesIn(it)).toEqual(["task.spawned", "task.done"]);
    expect(it.broken).toEqual([]);
  });

  test("an end that is joined to a staged state stands for it", async () => {
    const it = await kept();
    it.journal.stage({ events: [STARTED], state: "running", phase: "generating" });
    it.journal.stage({ terminal: END, events: [DONE] });
    await it.journal.flush();
    expect(it.journal.record).toMatchObject({ state: "done", phase: null, end: END });
    expect(await it.store.get("task_1")).toMatchObject({ state: "done", phase: null });
  });

  test("J1 a commit whose acknowledgement was lost is recognised, and not written twice", async () => {
    let lost = false;
    const it = await kept(() => ({
      after: (call) => {
        if (call !== "commit" || lost) return;
        lost = true;
        throw new Error("connection reset");
      },
    }));
    const message = { role: "user", origin: "goal", parts: [] } as const;
    it.journal.stage({ events: [STARTED], messages: [message] });
    const flushed = it.journal.flush();
    await it.clock.advance(1_000);
    await flushed;
    it.journal.stage({ terminal: END, events: [DONE] });
    await it.journal.flush();
    expect(await typesIn(it)).toEqual(["task.spawned", "task.started", "task.done"]);
    expect(it.journal.lastIndex).toBe(1);
  });

  test("J3 another writer's sequence is not taken for a lost acknowledgement", async () => {
    const it = await kept();
    const { taskId, epoch, seq } = it.claim;
    await it.store.commit({ taskId, epoch }, seq, { events: [progressed(1), progressed(2)] });
    it.journal.event(STARTED);
    await expect(it.journal.flush()).rejects.toMatchObject({ code: "sequence" });
    expect(it.broken).toHaveLength(1);
  });

  test("closed, it writes nothing and tells nobody", async () => {
    const it = await kept();
    it.journal.event(STARTED);
    it.journal.close();
    await expect(it.journal.flush()).rejects.toMatchObject({ code: "closed" });
    it.journal.break(new StoreError("fenced", "Late."));
    expect([it.writes, it.broken]).toEqual([[], []]);
  });
});
