// Lists that stand still while tasks are added, transcripts that keep what compaction dropped, and values that
// nobody can change from outside.

import { expect } from "vitest";
import type { TaskEnd } from "../../src/core/task.ts";
import { textMessage } from "../../src/core/message.ts";
import type { NewEvent } from "../../src/core/event.ts";
import type { CommitWrite, Store, StoreListQuery } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import {
  childOf,
  claimed,
  DONE,
  end,
  everything,
  FAILED,
  GOAL,
  RELEASED,
  REPLY,
  SPAWNED,
  specimen,
  STARTED,
  steer,
  submitted,
} from "./specimens.ts";

export function readClauses(clause: Clause): void {
  listClauses(clause);
  filterClauses(clause);
  transcriptClauses(clause);
  safetyClauses(clause);
}

async function idsOf(store: Store, query: StoreListQuery): Promise<readonly string[]> {
  return (await store.list(query)).items.map((record) => record.spec.id);
}

function listClauses(clause: Clause): void {
  clause(
    "lists every task once, in order of submission, while tasks are added and end",
    async ({ store }) => {
      for (let at = 0; at < 10; at += 1) await claimed(store, `t${at}`);
      const seen: string[] = [];
      let cursor: string | undefined;
      let page = 0;
      do {
        const { items, nextCursor } = await store.list({
          limit: 3,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(items.length).toBeLessThanOrEqual(3);
        seen.push(...items.map((record) => record.spec.id));
        cursor = nextCursor ?? undefined;
        // Between pages one task joins, and one that was shown and one that was not have ended.
        if (page < 3) await submitted(store, `late${page}`);
        for (const id of [`t${page}`, `t${9 - page}`]) {
          if (page < 3) await store.commit({ taskId: id, epoch: 1 }, 1, { terminal: DONE });
        }
        page += 1;
      } while (cursor !== undefined);
      const early = Array.from({ length: 10 }, (_, at) => `t${at}`);
      expect(seen).toEqual([...early, "late0", "late1", "late2"]);
    },
  );

  clause("says that there is no further page exactly when there is none", async ({ store }) => {
    expect(await store.list({})).toEqual({ items: [], nextCursor: null });
    for (const id of ["t1", "t2", "t3", "t4"]) await submitted(store, id);
    const first = await store.list({ limit: 2 });
    expect(first.nextCursor).not.toBeNull();
    const second = await store.list({ limit: 2, cursor: first.nextCursor as string });
    expect(second).toMatchObject({
      items: [{ spec: { id: "t3" } }, { spec: { id: "t4" } }],
      nextCursor: null,
    });
  });

  clause("caps a page when no limit is given", async ({ store }) => {
    for (let at = 0; at < 101; at += 1) await submitted(store, `t${at}`);
    expect((await store.list({})).items).toHaveLength(100);
  });

  clause("refuses a cursor that it did not give, and a limit that is no count", async ({ store }) => {
    await submitted(store, "t1");
    for (const cursor of ["", "17", "t", "task_1", "t-1"]) {
      const refused = { kind: "invalid_request", code: "bad_cursor" };
      await expect(store.list({ cursor })).rejects.toMatchObject(refused);
    }
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      const refused = { kind: "invalid_request", code: "bad_limit" };
      await expect(store.list({ limit })).rejects.toMatchObject(refused);
      await expect(store.events({ after: 0, limit })).rejects.toMatchObject(refused);
      await expect(store.transcript("t1", { limit })).rejects.toMatchObject(refused);
    }
  });
}

function filterClauses(clause: Clause): void {
  clause("filters lists by state, parent, tree and kind, alone and together", async ({ store }) => {
    await submitted(store, "s1", { kind: "session" });
    await submitted(store, "a1", childOf("s1"));
    await end(store, await claimed(store, "a2", childOf("s1")));
    await submitted(store, "b1", childOf("a1", "s1"));
    await end(store, await claimed(store, "x1"), FAILED);
    expect(await idsOf(store, { parentId: "s1" })).toEqual(["a1", "a2"]);
    expect(await idsOf(store, { rootId: "s1" })).toEqual(["s1", "a1", "a2", "b1"]);
    expect(await idsOf(store, { kind: "session" })).toEqual(["s1"]);
    expect(await idsOf(store, { state: "spawned" })).toEqual(["s1", "a1", "b1"]);
    expect(await idsOf(store, { state: "failed" })).toEqual(["x1"]);
    expect(await idsOf(store, { rootId: "s1", state: "spawned", kind: "task" })).toEqual(["a1", "b1"]);
    expect(await idsOf(store, { parentId: "s1", state: "done" })).toEqual(["a2"]);
    expect(await idsOf(store, { parentId: "s1", rootId: "x1" })).toEqual([]);
    expect(await idsOf(store, { parentId: "nobody" })).toEqual([]);
  });

  clause("lists what has ended and was never marked released", async ({ store }) => {
    await claimed(store, "living");
    await end(store, await claimed(store, "held"), FAILED);
    await end(store, await claimed(store, "free"));
    await store.markReleased("free", 9, RELEASED);
    const claim = await claimed(store, "at once");
    await store.commit(claim, claim.seq, { terminal: DONE, releasedAt: 5 });
    expect(await idsOf(store, { unreleased: true })).toEqual(["held"]);
    expect(await idsOf(store, { unreleased: true, state: "failed" })).toEqual(["held"]);
    expect(await idsOf(store, { unreleased: true, state: "done" })).toEqual([]);
    await store.markReleased("held", 9, RELEASED);
    expect(await idsOf(store, { unreleased: true })).toEqual([]);
  });

  clause("pages a filtered list without repeating or leaving out", async ({ store }) => {
    await submitted(store, "s1");
    for (let at = 0; at < 7; at += 1) {
      await submitted(store, `other${at}`);
      await submitted(store, `c${at}`, childOf("s1"));
    }
    const first = await store.list({ parentId: "s1", limit: 4 });
    const second = await store.list({ parentId: "s1", limit: 4, cursor: first.nextCursor as string });
    const ids = [...first.items, ...second.items].map((record) => record.spec.id);
    expect(ids).toEqual(["c0", "c1", "c2", "c3", "c4", "c5", "c6"]);
    expect(second.nextCursor).toBeNull();
  });

  clause("counts the tasks of each state", async ({ store }) => {
    const none = { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 };
    expect(await store.counts()).toEqual(none);
    await submitted(store, "t1");
    await store.commit(await claimed(store, "t2"), 1, { state: "running" });
    const ends: readonly TaskEnd[] = [DONE, DONE, FAILED];
    for (const [at, how] of ends.entries()) await end(store, await claimed(store, `e${at}`), how);
    expect(await store.counts()).toEqual({ ...none, spawned: 1, running: 1, done: 2, failed: 1 });
  });
}

function transcriptClauses(clause: Clause): void {
  clause(
    "reads a transcript from an index, by pieces, and without what compaction dropped",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      const messages = [1, 2, 3, 4, 5].map((at) => textMessage("user", "person", `line ${at}`));
      await store.commit(claim, 1, { events: [STARTED], messages: messages.slice(0, 3), turn: 1 });
      await store.commit(claim, 2, { messages: messages.slice(3), compactedTo: 3, turn: 2 });
      const all = await store.transcript("t1", {});
      expect(all.map((row) => [row.index, row.seq, row.turn])).toEqual([
        [1, 2, 1],
        [2, 2, 1],
        [3, 2, 1],
        [4, 2, 2],
        [5, 2, 2],
      ]);
      expect(all.map((row) => row.message)).toEqual(messages);
      expect(await store.transcript("t1", { after: 1, limit: 2 })).toEqual(all.slice(1, 3));
      expect(await store.transcript("t1", { live: true })).toEqual(all.slice(3));
      expect(await store.transcript("t1", { live: true, after: 4 })).toEqual(all.slice(4));
    },
  );

  clause("answers with nothing for a task that it does not have", async ({ store }) => {
    expect(await store.get("nobody")).toBeNull();
    expect(await store.snapshot("nobody")).toBeNull();
    expect(await store.timers("nobody")).toEqual([]);
    expect(await store.inbox("nobody", 0)).toEqual([]);
    expect(await store.transcript("nobody", {})).toEqual([]);
    expect(await store.events({ after: 0, taskId: "nobody" })).toEqual([]);
  });
}

/** Tries to change what a read returned; values that refuse are as good as values that nobody else sees. */
function vandalise(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) Reflect.set(value, key, "vandalised");
  if (Array.isArray(value)) Reflect.set(value, "length", 0);
}

function safetyClauses(clause: Clause): void {
  clause("keeps its rows when a reader changes what it was given", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.send("t1", steer("m1"));
    const write = { events: [STARTED], messages: [GOAL], timers: [{ name: "retry", dueAt: 7 }] };
    const receipt = await store.commit(claim, 1, write);
    const before = JSON.stringify(await everything(store, ["t1"]));
    const lists = [
      receipt.events,
      await store.events({ after: 0 }),
      await store.inbox("t1", 0),
      await store.transcript("t1", {}),
      await store.timers("t1"),
      (await store.list({})).items,
    ];
    for (const list of lists) {
      for (const item of list) vandalise(item);
      vandalise(list);
    }
    for (const one of [await store.get("t1"), claim.record, await store.counts()]) vandalise(one);
    expect(JSON.stringify(await everything(store, ["t1"]))).toBe(before);
  });

  clause("keeps its rows when a writer goes on using the lists that it handed in", async ({ store }) => {
    const claim = await claimed(store, "t1");
    const timers = [{ name: "retry", dueAt: 7 }];
    const messages = [GOAL];
    const events: NewEvent[] = [STARTED];
    const write: CommitWrite = { timers, messages, events };
    await store.commit(claim, 1, write);
    const before = JSON.stringify(await everything(store, ["t1"]));
    timers.length = 0;
    messages.push(REPLY);
    events.push(STARTED);
    expect(JSON.stringify(await everything(store, ["t1"]))).toBe(before);
  });

  clause("refuses every call once it is closed, and may be closed twice", async ({ store }) => {
    await submitted(store, "t1");
    await store.close();
    await store.close();
    const claim = { taskId: "t1", epoch: 1 };
    const calls: readonly (() => Promise<unknown>)[] = [
      () => store.submit(specimen("t2"), SPAWNED),
      () => store.submitAll([]),
      () => store.claim({ owner: "owner-a", boxId: "t1", ttlMs: 1, max: 1 }),
      () => store.heartbeat("owner-a", 1),
      () => store.release("owner-a"),
      () => store.commit(claim, 1, {}),
      () => store.markReleased("t1", 1, RELEASED),
      () => store.markRead("t1", 1),
      () => store.send("t1", steer("m1")),
      () => store.inbox("t1", 0),
      () => store.get("t1"),
      () => store.list({}),
      () => store.counts(),
      () => store.snapshot("t1"),
      () => store.timers("t1"),
      () => store.treeUsage("t1"),
      () => store.transcript("t1", {}),
      () => store.events({ after: 0 }),
      () => store.bounds(),
      () => store.readerCursor("callbacks"),
      () => store.moveReader("callbacks", 1),
      () => store.prune({ endedBefore: 0 }),
    ];
    const closed = { kind: "store", code: "closed" };
    for (const call of calls) await expect(call()).rejects.toMatchObject(closed);
  });
}
