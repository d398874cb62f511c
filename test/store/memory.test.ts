import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { settle, SimulatedClock } from "../../src/base/clock.ts";
import { newId, seededRandom } from "../../src/base/ids.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import type { Claim, Store } from "../../src/store/store.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { storeConformance } from "./conformance.ts";
import { claimed, GOAL, SPAWNED, specimen, STARTED, submitted, workspaceOf } from "./specimens.ts";

storeConformance("MemoryStore", async (options) => {
  const clock = new SimulatedClock();
  return { clock, store: new MemoryStore({ clock, random: seededRandom(1), ...options }) };
});

const made = (maxEvents?: number): MemoryStore =>
  new MemoryStore({
    clock: new SimulatedClock(),
    random: seededRandom(1),
    ...(maxEvents === undefined ? {} : { maxEvents }),
  });

describe("MemoryStore", () => {
  it("is lost with the process and says so", () => {
    expect(made().durability).toBe("none");
  });

  it("names itself from its source of randomness", () => {
    const other = new MemoryStore({ clock: new SimulatedClock(), random: seededRandom(2) });
    expect(made().storeId).toMatch(/^store_[0-9a-f]{32}$/);
    expect(made().storeId).not.toBe(other.storeId);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses to keep %s events", (maxEvents) => {
    expect(() => made(maxEvents)).toThrow(expect.objectContaining({ code: "bad_max_events" }));
  });

  it("M2 hands out records, events, entries and rows that are frozen", async () => {
    const store = made();
    const claim = await claimed(store, "t1");
    const { events } = await store.commit(claim, 1, {
      events: [STARTED],
      messages: [GOAL],
      timers: [{ name: "retry", dueAt: 1 }],
    });
    const { entry } = await store.send("t1", {
      kind: "answer",
      id: "m1",
      from: "person",
      text: "Yes",
    });
    const handed = [
      await store.get("t1"),
      claim.record,
      events,
      events[0],
      entry,
      await store.timers("t1"),
      (await store.timers("t1"))[0],
      (await store.transcript("t1", {}))[0],
    ];
    expect(handed.map((value) => Object.isFrozen(value))).toEqual(handed.map(() => true));
  });

  it("M2 leaves the record that a reader holds as it was when the task moves on", async () => {
    const store = made();
    const claim = await claimed(store, "t1");
    const before = await store.get("t1");
    await store.commit(claim, 1, { events: [STARTED], state: "running", phase: "generating" });
    expect(before).toMatchObject({ state: "spawned", seq: 1 });
    expect(await store.get("t1")).toMatchObject({ state: "running", seq: 2 });
  });

  it("wakes nobody who has unsubscribed by the time a write is announced, nor after it was closed", async () => {
    const store = made();
    let woken = 0;
    const wake = (): void => {
      woken += 1;
    };
    const stop = store.onWrite(wake);
    const written = submitted(store, "t1");
    stop();
    await written;
    store.onWrite(wake);
    const last = submitted(store, "t2");
    await store.close();
    await last;
    await settle();
    expect(woken).toBe(0);
  });

  it("arms no timer, so that it never keeps a process alive", async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore({ clock, random: seededRandom(1) });
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { timers: [{ name: "retry", dueAt: clock.now() + 5 }] });
    expect(clock.pending).toBe(0);
  });

  it("keeps a claim when the wall clock jumps", async () => {
    const clock = new SimulatedClock();
    let jumpMs = 0;
    const jumping = {
      now: () => clock.now() + jumpMs,
      monotonic: () => clock.monotonic(),
      after: clock.after.bind(clock),
    };
    const store = new MemoryStore({ clock: jumping, random: seededRandom(1) });
    await claimed(store, "t1");
    jumpMs = 86_400_000;
    expect(await store.claim({ owner: "owner-b", boxId: "t1", ttlMs: 1_000, max: 1 })).toEqual([]);
  });
});

/** The heap in use after a full collection; a worker thread's own figure. */
function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

/** A spec that shares no string or object with another one. */
function freshSpec(random: ReturnType<typeof seededRandom>): TaskSpec {
  const id = newId("task", random);
  const requestHash = newId("req", random) + newId("req", random);
  const spec = specimen(id, { requestHash, workspace: workspaceOf("box-1") });
  return JSON.parse(JSON.stringify(spec)) as TaskSpec;
}

async function bytesPerTask(count: number, fill: (store: Store) => Promise<void>): Promise<number> {
  const store = made();
  await submitted(store, "warm-up");
  const before = heapBytes();
  await fill(store);
  const bytes = (heapBytes() - before) / count;
  // The store is alive until here, so that nothing of it was collected before it was measured.
  expect((await store.list({ limit: 1 })).items).toHaveLength(1);
  return bytes;
}

describe("an idle task in memory", () => {
  const count = 5_000;
  const limitBytes = 2_500;

  it("takes at most 2.5 KB with its spec, its record and its event", async () => {
    const random = seededRandom(7);
    const bytes = await bytesPerTask(count, async (store) => {
      for (let at = 0; at < count; at += 1) await store.submit(freshSpec(random), SPAWNED);
    });
    expect(bytes).toBeGreaterThan(200);
    expect(bytes).toBeLessThan(limitBytes);
  });

  it("takes at most 2.5 KB when it is claimed and its goal is in its transcript", async () => {
    const random = seededRandom(8);
    const bytes = await bytesPerTask(count, async (store) => {
      for (let at = 0; at < count; at += 1) await store.submit(freshSpec(random), SPAWNED);
      const options = { owner: "owner-a", boxId: "box-1", ttlMs: 60_000, max: count };
      const commitGoal = (claim: Claim): Promise<unknown> => store.commit(claim, 1, { messages: [GOAL] });
      for (const claim of await store.claim(options)) await commitGoal(claim);
    });
    expect(bytes).toBeLessThan(limitBytes);
  });
});
