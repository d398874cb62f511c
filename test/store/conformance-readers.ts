// Who has read what: the end of a task, and the event log; and what a tree has used.

import { expect } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { NO_USAGE } from "../../src/core/limits.ts";
import type { Usage } from "../../src/core/limits.ts";
import type { Clause } from "./conformance.ts";
import { childOf, claimed, end, everything, STARTED, submitted } from "./specimens.ts";

export function readerClauses(clause: Clause): void {
  endReadClauses(clause);
  cursorClauses(clause);
  usageClauses(clause);
}

function endReadClauses(clause: Clause): void {
  clause("notes when somebody was first told a task's end, once", async ({ store, clock }) => {
    await end(store, await claimed(store, "t1"));
    expect(await store.get("t1")).toMatchObject({ readAt: null });
    await store.markRead("t1", clock.now() + 5);
    await store.markRead("t1", clock.now() + 9);
    await store.markRead("t1", clock.now() - 9);
    expect(await store.get("t1")).toMatchObject({ readAt: clock.now() + 5 });
  });

  clause("changes nothing but the note, and makes no event", async ({ store }) => {
    await end(store, await claimed(store, "t1"));
    const before = await store.get("t1");
    const events = await store.events({ after: 0 });
    await store.markRead("t1", 77);
    expect(await store.get("t1")).toEqual({ ...before, readAt: 77 });
    expect((await store.list({})).items).toEqual([await store.get("t1")]);
    expect(await store.events({ after: 0 })).toEqual(events);
    expect(await store.bounds()).toMatchObject({ newest: 2 });
  });

  clause("leaves a record that was handed out as it was when its end is read", async ({ store }) => {
    await end(store, await claimed(store, "t1"));
    const before = await store.get("t1");
    await store.markRead("t1", 77);
    expect(before).toMatchObject({ readAt: null });
  });

  clause("notes nothing for a task that lives, so that its end is still unread", async ({ store }) => {
    const claim = await claimed(store, "t1");
    const before = await everything(store, ["t1"]);
    await store.markRead("t1", 77);
    expect(await everything(store, ["t1"])).toEqual(before);
    await end(store, claim);
    expect(await store.get("t1")).toMatchObject({ readAt: null });
  });

  clause("refuses to note it for a task that it does not have", async ({ store }) => {
    const missing = { kind: "store", code: "task_not_found" };
    await expect(store.markRead("nobody", 1)).rejects.toMatchObject(missing);
  });

  clause(
    "wakes nobody when an end is read",
    async ({ store }) => {
      await end(store, await claimed(store, "t1"));
      await settle();
      let woken = 0;
      store.onWrite(() => void (woken += 1));
      await store.markRead("t1", 77);
      await settle();
      expect(woken).toBe(0);
    },
    { needs: "wake" },
  );
}

function cursorClauses(clause: Clause): void {
  clause("keeps how far each reader has come, from 0", async ({ store }) => {
    await submitted(store, "t1");
    await submitted(store, "t2");
    expect(await store.readerCursor("callbacks")).toBe(0);
    await store.moveReader("callbacks", 1);
    await store.moveReader("webhook", 2);
    expect(await store.readerCursor("callbacks")).toBe(1);
    expect(await store.readerCursor("webhook")).toBe(2);
    expect(await store.readerCursor("another")).toBe(0);
  });

  clause("names all readers, in order", async ({ store }) => {
    expect(await store.readers()).toEqual([]);
    for (const name of ["webhook", 'a "b"', "callbacks"]) await store.moveReader(name, 1);
    await store.moveReader("webhook", 2);
    expect(await store.readers()).toEqual(['a "b"', "callbacks", "webhook"]);
    await store.moveReader("callbacks", null);
    expect(await store.readers()).toEqual(['a "b"', "webhook"]);
  });

  clause("never moves a reader back", async ({ store }) => {
    await store.moveReader("callbacks", 5);
    await store.moveReader("callbacks", 3);
    expect(await store.readerCursor("callbacks")).toBe(5);
    await Promise.all([9, 7, 8].map((cursor) => store.moveReader("callbacks", cursor)));
    expect(await store.readerCursor("callbacks")).toBe(9);
  });

  clause("forgets a reader, which may begin again", async ({ store }) => {
    await store.moveReader("callbacks", 5);
    await store.moveReader("callbacks", null);
    await store.moveReader("nobody", null);
    expect(await store.readerCursor("callbacks")).toBe(0);
    await store.moveReader("callbacks", 2);
    expect(await store.readerCursor("callbacks")).toBe(2);
  });
}

function usageClauses(clause: Clause): void {
  const used = (times: number): Usage => ({
    promptTokens: 100 * times,
    outputTokens: 10 * times,
    costMicros: 7 * times,
    gpuMs: 40 * times,
    toolCalls: 2 * times,
    generations: times,
  });

  clause("sums what all tasks of a tree have used, be they alive or not", async ({ store }) => {
    const root = await claimed(store, "t1");
    const child = await claimed(store, "c1", childOf("t1"));
    const grandchild = await claimed(store, "g1", childOf("c1", "t1"));
    const other = await claimed(store, "x1");
    expect(await store.treeUsage("t1")).toEqual(NO_USAGE);
    await store.commit(root, 1, { usage: used(1) });
    await store.commit(child, 1, { usage: used(2) });
    await store.commit(other, 1, { usage: used(100) });
    await store.commit(grandchild, 1, { usage: used(3), events: [STARTED] });
    expect(await store.treeUsage("t1")).toEqual(used(6));
    await end(store, { ...grandchild, seq: 2 });
    await store.commit(child, 1, { usage: used(4) });
    expect(await store.treeUsage("t1")).toEqual(used(8));
    expect(await store.treeUsage("x1")).toEqual(used(100));
  });

  clause("sums what is below one task, and nothing beside or above it", async ({ store }) => {
    const root = await claimed(store, "t1");
    const child = await claimed(store, "c1", childOf("t1"));
    const grandchild = await claimed(store, "g1", childOf("c1", "t1"));
    const sibling = await claimed(store, "c2", childOf("t1"));
    for (const [claim, times] of [
      [root, 1],
      [child, 2],
      [grandchild, 4],
      [sibling, 8],
    ] as const)
      await store.commit(claim, 1, { usage: used(times) });
    await end(store, { ...grandchild, seq: 1 });
    expect(await store.treeUsage("c1")).toEqual(used(6));
    expect(await store.treeUsage("g1")).toEqual(used(4));
    expect(await store.treeUsage("c2")).toEqual(used(8));
    expect(await store.treeUsage("t1")).toEqual(used(15));
  });

  clause("has used nothing of a tree that it does not have", async ({ store }) => {
    expect(await store.treeUsage("nobody")).toEqual(NO_USAGE);
  });
}
