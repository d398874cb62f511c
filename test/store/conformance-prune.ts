// D8, what goes: whole trees, with every row of theirs, by age and by size.

import { expect } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { textMessage } from "../../src/core/message.ts";
import type { Store } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import {
  childOf,
  claimed,
  claimOf,
  DONE,
  end,
  ended,
  EVER,
  everything,
  FAILED,
  GOAL,
  idsOf,
  RELEASED,
  SPAWNED,
  specimen,
  spent,
  STARTED,
  steer,
  submitted,
} from "./specimens.ts";

export function pruneClauses(clause: Clause): void {
  removalClauses(clause);
  ageClauses(clause);
  sizeClauses(clause);
  eventClauses(clause);
}

function removalClauses(clause: Clause): void {
  clause("D8 removes a tree with every row of it, and nothing of other trees", async ({ store }) => {
    const root = await claimed(store, "t1");
    await store.send("t1", steer("m1"));
    const step = { messages: [GOAL], snapshot: { value: "running" }, timers: [{ name: "retry", dueAt: 5 }] };
    await store.commit(root, 1, { ...step, events: [STARTED] });
    await ended(store, "c1", { ...childOf("t1"), how: FAILED });
    await claimed(store, "x1");
    await store.send("x1", steer("m1"));
    await end(store, { ...root, seq: 2 });
    await store.markRead("t1", 5);
    const other = await everything(store, ["x1"]);
    const nothing = await everything(store, ["nobody"]);
    const tasksOf = (rows: unknown): unknown => (rows as { tasks: unknown }).tasks;

    expect(await store.prune(EVER)).toMatchObject({ tasks: 2, unread: 0 });
    for (const id of ["t1", "c1"]) {
      expect(tasksOf(await everything(store, [id]))).toEqual(tasksOf(nothing));
      expect(await store.events({ after: 0, taskId: id })).toEqual([]);
    }
    expect(await store.events({ after: 0, rootId: "t1" })).toEqual([]);
    expect(await idsOf(store)).toEqual(["x1"]);
    expect((await store.list({ parentId: "t1" })).items).toEqual([]);
    expect((await store.list({ rootId: "t1" })).items).toEqual([]);
    expect(await store.counts()).toMatchObject({ spawned: 1, done: 0, failed: 0 });
    expect(await store.treeUsage("t1")).toMatchObject({ generations: 0 });
    expect(tasksOf(await everything(store, ["x1"]))).toEqual(tasksOf(other));
    expect((await store.events({ after: 0 })).map(({ taskId }) => taskId)).toEqual(["x1"]);
    await expect(store.send("t1", steer("m2"))).rejects.toMatchObject({ code: "task_not_found" });
  });

  clause("D8 has nothing to remove twice", async ({ store }) => {
    await spent(store, "t1");
    expect(await store.prune(EVER)).toMatchObject({ tasks: 1, unread: 0 });
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 0 });
  });

  clause(
    "D8 leaves lists, claims and ids usable: what was removed may be submitted anew",
    async ({ store }) => {
      for (const id of ["t1", "t2", "t3"]) await submitted(store, id);
      const first = await store.list({ limit: 2 });
      await spent(store, "t2");
      expect(await store.prune(EVER)).toMatchObject({ tasks: 1 });
      expect(await store.submit(specimen("t2"), SPAWNED)).toMatchObject({
        created: true,
        record: { epoch: 0 },
      });
      expect(await idsOf(store)).toEqual(["t1", "t3", "t2"]);
      const rest = await store.list({ cursor: first.nextCursor as string });
      expect(rest.items.map(({ spec }) => spec.id)).toEqual(["t3", "t2"]);
      expect(await claimOf(store, "t2", "owner-b")).toMatchObject({ taskId: "t2", epoch: 1, resume: null });
      expect(await store.inbox("t2", 0)).toEqual([]);
    },
  );

  clause(
    "D8 wakes nobody",
    async ({ store }) => {
      await spent(store, "t1");
      await settle();
      let woken = 0;
      store.onWrite(() => void (woken += 1));
      await store.prune(EVER);
      await settle();
      expect(woken).toBe(0);
    },
    { needs: "wake" },
  );

  clause("refuses bounds that cannot be ones, and removes nothing", async ({ store }) => {
    await spent(store, "t1");
    for (const endedBefore of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const refused = { kind: "invalid_request", code: "bad_ended_before" };
      await expect(store.prune({ endedBefore })).rejects.toMatchObject(refused);
    }
    for (const maxBytes of [-1, 0.5, Number.NaN]) {
      const refused = { kind: "invalid_request", code: "bad_max_bytes" };
      await expect(store.prune({ ...EVER, maxBytes })).rejects.toMatchObject(refused);
    }
    expect(await idsOf(store)).toEqual(["t1"]);
  });
}

function ageClauses(clause: Clause): void {
  clause(
    "D8 removes by age what ended before the time, and keeps what ended at it",
    async ({ store, clock }) => {
      await spent(store, "t1");
      await clock.advance(1_000);
      const time = clock.now();
      await spent(store, "t2");
      expect(await store.prune({ endedBefore: time - 1_000 })).toMatchObject({ tasks: 0, unread: 0 });
      expect(await store.prune({ endedBefore: time })).toMatchObject({ tasks: 1, unread: 0 });
      expect(await idsOf(store)).toEqual(["t2"]);
      expect(await store.prune({ endedBefore: time + 1 })).toMatchObject({ tasks: 1 });
    },
  );

  clause(
    "D8 dates a tree by the last end of its tasks, not by when it was read or released",
    async ({ store, clock }) => {
      const child = await claimed(store, "c1", childOf("t1"));
      await spent(store, "t1");
      await clock.advance(1_000);
      const time = clock.now();
      await end(store, child, FAILED);
      await clock.advance(1_000);
      await store.markReleased("c1", clock.now(), RELEASED);
      expect(await store.prune({ endedBefore: time })).toMatchObject({ tasks: 0, unread: 0 });
      expect(await store.prune({ endedBefore: time + 1 })).toMatchObject({ tasks: 2, unread: 0 });
    },
  );

  clause("D8 counts as unread only what age or size would have taken", async ({ store, clock }) => {
    await ended(store, "t1");
    await spent(store, "t2");
    await clock.advance(1_000);
    const time = clock.now();
    await ended(store, "t3");
    expect(await store.prune({ endedBefore: time })).toMatchObject({ tasks: 1, unread: 1 });
    expect(await store.prune({ endedBefore: time })).toMatchObject({ tasks: 0, unread: 1 });
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 2 });
    expect(await idsOf(store)).toEqual(["t1", "t3"]);
  });
}

/** Trees of about 100,000 characters, a minute between their ends; all but the first have been read. */
async function heavy(
  store: Store,
  count: number,
  clock: { advance(ms: number): Promise<void> },
): Promise<void> {
  for (let at = 1; at <= count; at += 1) {
    const claim = await claimed(store, `t${at}`);
    const text = `${at}`.repeat(100_000).slice(0, 100_000);
    await store.commit(claim, 1, { messages: [textMessage("user", "person", text)], terminal: DONE });
    if (at > 1) await store.markRead(`t${at}`, 1);
    await clock.advance(60_000);
  }
}

function sizeClauses(clause: Clause): void {
  clause(
    "D8 removes nothing by size while the medium takes no more than it may",
    async ({ store, clock }) => {
      await heavy(store, 3, clock);
      const { bytes } = await store.prune({ endedBefore: 0 });
      expect(bytes).toBeGreaterThan(300_000);
      expect(await store.prune({ endedBefore: 0, maxBytes: bytes })).toMatchObject({ tasks: 0, unread: 0 });
    },
  );

  clause(
    "D8 removes younger trees while the medium takes more, oldest end first",
    async ({ store, clock }) => {
      await heavy(store, 10, clock);
      await store.markRead("t1", 1);
      const before = (await store.prune({ endedBefore: 0 })).bytes;
      const maxBytes = Math.floor(before / 2);
      const { tasks, unread, bytes } = await store.prune({ endedBefore: 0, maxBytes });
      expect(unread).toBe(0);
      expect(bytes).toBeLessThanOrEqual(maxBytes);
      expect(tasks).toBeGreaterThanOrEqual(4);
      expect(tasks).toBeLessThan(10);
      const names = Array.from({ length: 10 }, (_, at) => `t${at + 1}`);
      expect(await idsOf(store)).toEqual(names.slice(tasks));
      expect((await store.prune({ endedBefore: 0 })).bytes).toBeLessThanOrEqual(maxBytes);
    },
  );

  clause("D8 removes nothing that is unread, however much the medium takes", async ({ store, clock }) => {
    await heavy(store, 3, clock);
    const receipt = await store.prune({ endedBefore: 0, maxBytes: 0 });
    expect(receipt).toMatchObject({ tasks: 2, unread: 1 });
    expect(receipt.bytes).toBeGreaterThan(100_000);
    expect(await idsOf(store)).toEqual(["t1"]);
    expect((await store.transcript("t1", {})).map(({ index }) => index)).toEqual([1]);
  });
}

function eventClauses(clause: Clause): void {
  const cursors = async (store: Store, after = 0): Promise<readonly number[]> =>
    (await store.events({ after })).map(({ cursor }) => cursor);

  clause("D4 keeps the cursors of what stays, and says which is the oldest", async ({ store }) => {
    await spent(store, "t1");
    await submitted(store, "t2");
    await spent(store, "t3");
    await submitted(store, "t4");
    await store.markRead("t3", 1);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 2 });
    expect(await cursors(store)).toEqual([3, 6]);
    expect(await cursors(store, 3)).toEqual([6]);
    expect(await store.bounds()).toEqual({ oldest: 3, newest: 6 });
    await submitted(store, "t5");
    expect(await cursors(store)).toEqual([3, 6, 7]);
  });

  clause("D4 gives no cursor twice, also when no event is kept", async ({ store }) => {
    await spent(store, "t1");
    expect(await store.prune(EVER)).toMatchObject({ tasks: 1 });
    expect(await store.bounds()).toEqual({ oldest: 3, newest: 2 });
    await submitted(store, "t1");
    expect(await cursors(store)).toEqual([3]);
    expect(await store.bounds()).toEqual({ oldest: 3, newest: 3 });
  });

  clause("D4 numbers the events of a task anew that is submitted after it was removed", async ({ store }) => {
    await spent(store, "t1");
    await store.prune(EVER);
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { events: [STARTED] });
    expect((await store.events({ after: 0, taskId: "t1" })).map(({ seq }) => seq)).toEqual([1, 2]);
  });
}
