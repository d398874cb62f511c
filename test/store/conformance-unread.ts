// D8, what stays: a tree of which a task lives, and one that somebody has yet to read.

import { expect } from "vitest";
import type { TaskSpec } from "../../src/core/task.ts";
import type { Store } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import {
  CANCELLED,
  childOf,
  claimed,
  completion,
  DONE,
  end,
  ended,
  EVER,
  FAILED,
  FINISHED,
  idsOf,
  RELEASED,
  spent,
  steer,
  submitted,
} from "./specimens.ts";

export function unreadClauses(clause: Clause): void {
  livingClauses(clause);
  rootClauses(clause);
  resultClauses(clause);
  readerClauses(clause);
}

function livingClauses(clause: Clause): void {
  clause(
    "D8 never removes a tree while a task of it lives, and does not call it unread",
    async ({ store }) => {
      await spent(store, "t1");
      const grandchild = await claimed(store, "g1", childOf("c1", "t1"));
      await ended(store, "c1", { ...childOf("t1"), how: FAILED });
      expect(await store.prune({ ...EVER, maxBytes: 0 })).toMatchObject({ tasks: 0, unread: 0 });
      expect(await idsOf(store)).toEqual(["t1", "g1", "c1"]);
      await end(store, grandchild, FAILED);
      expect(await store.prune(EVER)).toMatchObject({ tasks: 3, unread: 0 });
    },
  );

  clause("D8 never removes what waits to be claimed, runs, or was given back", async ({ store }) => {
    await submitted(store, "t1");
    await claimed(store, "t2");
    await claimed(store, "t3");
    await store.release("owner-a");
    for (const id of ["t1", "t2", "t3"]) await store.markRead(id, 1);
    expect(await store.prune({ ...EVER, maxBytes: 0 })).toMatchObject({ tasks: 0, unread: 0 });
    expect(await idsOf(store)).toEqual(["t1", "t2", "t3"]);
  });

  clause("D8 keeps a tree that another task joined after all of it had ended", async ({ store }) => {
    await spent(store, "t1");
    const late = await claimed(store, "c1", childOf("t1"));
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 0 });
    await end(store, late, FAILED);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 2, unread: 0 });
    expect(await idsOf(store)).toEqual([]);
  });
}

function rootClauses(clause: Clause): void {
  for (const how of [DONE, FAILED, CANCELLED]) {
    clause(`D8 keeps a tree whose root is ${how.state} until somebody has read that`, async ({ store }) => {
      await ended(store, "t1", { how });
      expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
      expect(await store.prune({ ...EVER, maxBytes: 0 })).toMatchObject({ tasks: 0, unread: 1 });
      expect(await store.get("t1")).toMatchObject({ end: how });
      await store.markRead("t1", 1);
      expect(await store.prune(EVER)).toMatchObject({ tasks: 1, unread: 0 });
    });
  }

  clause("D8 takes a session that has ended for read", async ({ store }) => {
    const session = await claimed(store, "s1", { kind: "session" });
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 0 });
    await end(store, session, CANCELLED);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 1, unread: 0 });
  });
}

/** Ends a child with a result; its completion lies in its parent's inbox, not taken yet. */
async function completed(store: Store, childId: string, kin: Partial<TaskSpec>): Promise<void> {
  const child = await claimed(store, childId, kin);
  const outbox = [{ to: kin.parentId ?? "", message: completion(childId) }];
  await store.commit(child, 1, { events: [FINISHED], terminal: DONE, outbox });
}

function resultClauses(clause: Clause): void {
  clause("D8 lets a tree go once its parents have taken the results of their children", async ({ store }) => {
    const root = await claimed(store, "t1");
    const child = await claimed(store, "c1", childOf("t1"));
    await completed(store, "g1", childOf("c1", "t1"));
    const outbox = [{ to: "t1", message: completion("c1") }];
    await store.commit(child, 1, { inboxCursor: 1, terminal: DONE, outbox });
    await store.commit(root, 1, { inboxCursor: 1, terminal: DONE });
    await store.markRead("t1", 1);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 3, unread: 0 });
  });

  clause(
    "D8 keeps a result that a parent did not take before it ended, until it is read",
    async ({ store }) => {
      const root = await claimed(store, "t1");
      await completed(store, "c1", childOf("t1"));
      await completed(store, "c2", childOf("t1"));
      await store.commit(root, 1, { inboxCursor: 1, terminal: DONE });
      await store.markRead("t1", 1);
      expect(await store.inbox("t1", 1)).toMatchObject([{ state: "undelivered" }]);
      expect(await store.prune({ ...EVER, maxBytes: 0 })).toMatchObject({ tasks: 0, unread: 1 });
      expect(await store.get("c2")).toMatchObject({ end: DONE });
      await store.markRead("c2", 1);
      expect(await store.prune(EVER)).toMatchObject({ tasks: 3, unread: 0 });
    },
  );

  clause("D8 keeps the result of a detached child that outlived its parent", async ({ store }) => {
    const child = await claimed(store, "c1", { ...childOf("t1"), detached: true });
    await spent(store, "t1");
    const outbox = [{ to: "t1", message: completion("c1") }];
    await store.commit(child, 1, { events: [FINISHED], terminal: DONE, outbox });
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
    await store.markRead("c1", 1);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 2, unread: 0 });
  });

  clause("D8 keeps a result that nobody took of the tree of a session that has ended", async ({ store }) => {
    const session = await claimed(store, "s1", { kind: "session" });
    await completed(store, "c1", childOf("s1"));
    await end(store, session);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
    await store.markRead("c1", 1);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 2, unread: 0 });
  });

  clause("D8 keeps what was kept of a child that was cancelled, like any result", async ({ store }) => {
    await ended(store, "c1", { ...childOf("t1"), how: { ...CANCELLED, result: "half of it" } });
    await spent(store, "t1");
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
  });

  clause("D8 waits for nobody to read the end of a child that has no result", async ({ store }) => {
    await ended(store, "c1", { ...childOf("t1"), how: FAILED });
    await ended(store, "c2", { ...childOf("t1"), how: CANCELLED });
    await spent(store, "t1");
    expect(await store.prune(EVER)).toMatchObject({ tasks: 3, unread: 0 });
  });

  clause("D8 does not take another message of the child's id for its completion", async ({ store }) => {
    const root = await claimed(store, "t1");
    await ended(store, "c1", childOf("t1"));
    await store.send("t1", steer("c1"));
    await store.commit(root, 1, { inboxCursor: 1, terminal: DONE });
    await store.markRead("t1", 1);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
  });
}

function readerClauses(clause: Clause): void {
  clause("D8 keeps a tree until every reader of the log has come past its last event", async ({ store }) => {
    await spent(store, "t1");
    await submitted(store, "t2");
    await store.moveReader("fast", 99);
    await store.moveReader("slow", 1);
    expect(await store.prune({ ...EVER, maxBytes: 0 })).toMatchObject({ tasks: 0, unread: 1 });
    expect(await store.events({ after: 1, taskId: "t1" })).toHaveLength(1);
    await store.moveReader("slow", 2);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 1, unread: 0 });
  });

  clause("D8 counts the event of a release, which comes after the end", async ({ store }) => {
    await spent(store, "t1");
    await store.moveReader("callbacks", 2);
    await store.markReleased("t1", 5, RELEASED);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
    await store.moveReader("callbacks", 3);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 1, unread: 0 });
  });

  clause("D8 counts the events of every task of the tree", async ({ store }) => {
    await spent(store, "t1");
    await ended(store, "c1", { ...childOf("t1"), how: FAILED });
    await store.moveReader("callbacks", 3);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
    await store.moveReader("callbacks", 4);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 2, unread: 0 });
  });

  clause("D8 waits for no reader that was forgotten or has only asked where it is", async ({ store }) => {
    await spent(store, "t1");
    await store.moveReader("gone", 1);
    expect(await store.readerCursor("asking")).toBe(0);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
    await store.moveReader("gone", null);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 1, unread: 0 });
  });

  clause("D8 waits for a reader that has said that it is at the very beginning", async ({ store }) => {
    await spent(store, "t1");
    await store.moveReader("callbacks", 0);
    expect(await store.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
  });
}
