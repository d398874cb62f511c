// D5: what is sent is kept in order, once per id, and taken exactly once or told why not.

import { expect } from "vitest";
import { MAX_INBOX } from "../../src/core/limits.ts";
import type { InboxMessage, Store } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import {
  cancel,
  claimed,
  completion,
  DONE,
  end,
  everything,
  FAILED,
  FINISHED,
  STARTED,
  steer,
  submitted,
} from "./specimens.ts";

export function inboxClauses(clause: Clause): void {
  arrivalClauses(clause);
  cursorClauses(clause);
  boundClauses(clause);
}

const OF_EACH_KIND: readonly InboxMessage[] = [
  steer("m1"),
  { kind: "message", id: "m2", from: "person", text: "Hello" },
  { kind: "answer", id: "m3", from: "person", text: "Yes" },
  completion("c1"),
  cancel("m4"),
];

async function sendAll(store: Store, taskId: string, messages: readonly InboxMessage[]): Promise<void> {
  for (const message of messages) await store.send(taskId, message);
}

function arrivalClauses(clause: Clause): void {
  clause("D5 keeps messages of every kind in order of arrival, gapless from 1", async ({ store, clock }) => {
    await submitted(store, "t1");
    const receipt = await store.send("t1", OF_EACH_KIND[0] as InboxMessage);
    expect(receipt).toMatchObject({ accepted: true, duplicate: false, state: "spawned" });
    expect(receipt.entry).toEqual({
      taskId: "t1",
      position: 1,
      time: clock.now(),
      message: OF_EACH_KIND[0],
      state: "queued",
      turn: null,
      reason: null,
    });
    await sendAll(store, "t1", OF_EACH_KIND.slice(1));
    const entries = await store.inbox("t1", 0);
    expect(entries.map((entry) => entry.message)).toEqual(OF_EACH_KIND);
    expect(entries.map((entry) => entry.position)).toEqual([1, 2, 3, 4, 5]);
    expect(await store.inbox("t1", 3)).toEqual(entries.slice(3));
    expect(await store.inbox("t1", 5)).toEqual([]);
  });

  clause(
    "D5 adds nothing when the same message is sent again, before and after it was taken",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      const { entry } = await store.send("t1", steer("m1"));
      expect(await store.send("t1", { ...steer("m1") })).toMatchObject({
        accepted: true,
        duplicate: true,
        entry,
      });
      await store.commit(claim, 1, { inboxCursor: 1, turn: 2 });
      const taken = { state: "delivered", turn: 2, position: 1 };
      expect(await store.send("t1", steer("m1"))).toMatchObject({ duplicate: true, entry: taken });
      await end(store, claim);
      const late = { accepted: true, duplicate: true, state: "done", entry: taken };
      expect(await store.send("t1", steer("m1"))).toMatchObject(late);
      expect(await store.inbox("t1", 0)).toHaveLength(1);
    },
  );

  clause("D5 refuses an id that was used for another content", async ({ store }) => {
    await submitted(store, "t1");
    await submitted(store, "t2");
    await store.send("t1", steer("m1"));
    for (const other of [steer("m1", "other"), cancel("m1")]) {
      const refused = store.send("t1", other);
      await expect(refused).rejects.toMatchObject({ kind: "conflict", code: "message_reused" });
    }
    expect(await store.inbox("t1", 0)).toHaveLength(1);
    expect(await store.send("t2", steer("m1", "other"))).toMatchObject({ duplicate: false });
  });

  clause("D5 keeps one entry when the same message is sent many times at once", async ({ store }) => {
    await submitted(store, "t1");
    const receipts = await Promise.all(Array.from({ length: 20 }, () => store.send("t1", steer("m1"))));
    expect(receipts.filter((receipt) => !receipt.duplicate)).toHaveLength(1);
    expect(await store.inbox("t1", 0)).toHaveLength(1);
  });

  clause("D5 refuses every message to a task that has ended, and says how it ended", async ({ store }) => {
    await end(store, await claimed(store, "t1"), FAILED);
    for (const message of OF_EACH_KIND) {
      const refused = { accepted: false, duplicate: false, entry: null, state: "failed" };
      expect(await store.send("t1", message)).toEqual(refused);
    }
    expect(await store.inbox("t1", 0)).toEqual([]);
  });
}

function cursorClauses(clause: Clause): void {
  clause(
    "D5 marks entries of every kind up to the cursor as delivered to the committed turn",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      await sendAll(store, "t1", OF_EACH_KIND);
      await store.commit(claim, 1, { inboxCursor: 2, turn: 1 });
      await store.commit(claim, 1, { inboxCursor: 4, turn: 2 });
      const entries = await store.inbox("t1", 0);
      expect(entries.map((entry) => entry.turn)).toEqual([1, 1, 2, 2, null]);
      expect(entries.map((entry) => entry.state)).toEqual([
        ...Array.from({ length: 4 }, () => "delivered"),
        "queued",
      ]);
    },
  );

  clause("D5 takes nothing when the commit that would is refused", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.send("t1", steer("m1"));
    const before = await everything(store, ["t1"]);
    const stale = store.commit(claim, 7, { inboxCursor: 1, turn: 1 });
    await expect(stale).rejects.toMatchObject({ code: "sequence" });
    expect(await everything(store, ["t1"])).toEqual(before);
  });

  clause("D5 takes each entry exactly once over a change of owners", async ({ store }) => {
    await claimed(store, "t1");
    await sendAll(store, "t1", [steer("m1"), steer("m2")]);
    const taken: string[] = [];
    for (let turn = 1; turn <= 3; turn += 1) {
      await store.release("owner-a");
      const [claim] = await store.claim({ owner: "owner-a", boxId: "t1", ttlMs: 1_000, max: 1 });
      const waiting = (await store.inbox("t1", 0)).filter((entry) => entry.state === "queued");
      const [next] = waiting;
      if (next === undefined || claim === undefined) continue;
      await store.commit(claim, claim.seq, { events: [STARTED], inboxCursor: next.position, turn });
      taken.push(next.message.id);
    }
    expect(taken).toEqual(["m1", "m2"]);
  });

  clause("D5 tells what still waits at the end that it was not delivered, and why", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await sendAll(store, "t1", [steer("m1"), steer("m2"), cancel("m3")]);
    await store.commit(claim, 1, { terminal: FAILED, events: [FINISHED], inboxCursor: 1, turn: 6 });
    const rest = { state: "undelivered", turn: null, reason: "task_failed" };
    expect(await store.inbox("t1", 0)).toMatchObject([
      { state: "delivered", turn: 6, reason: null },
      rest,
      rest,
    ]);
  });
}

function boundClauses(clause: Clause): void {
  const flood = Array.from({ length: MAX_INBOX }, (_, at) => steer(`m${at + 1}`));

  clause(
    "refuses one message more than may wait, and takes it once there is room again",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      await sendAll(store, "t1", flood);
      const more: InboxMessage = { kind: "message", id: "more", from: "person", text: "Hello" };
      await expect(store.send("t1", more)).rejects.toMatchObject({ kind: "limit", code: "inbox_full" });
      expect(await store.inbox("t1", 0)).toHaveLength(MAX_INBOX);
      expect(await store.send("t1", steer("m1"))).toMatchObject({ duplicate: true });
      await store.commit(claim, 1, { inboxCursor: 1, turn: 1 });
      expect(await store.send("t1", more)).toMatchObject({ entry: { position: MAX_INBOX + 1 } });
    },
  );

  clause("lets cancels and completions into an inbox that is full of steers", async ({ store }) => {
    const child = await claimed(store, "c1");
    await submitted(store, "t1");
    await sendAll(store, "t1", flood);
    expect(await store.send("t1", cancel("stop"))).toMatchObject({ accepted: true });
    const outbox = [{ to: "t1", message: completion("c1") }];
    await store.commit(child, 1, { terminal: DONE, events: [FINISHED], outbox });
    expect(await store.inbox("t1", MAX_INBOX)).toMatchObject([
      { message: { id: "stop" } },
      { message: { id: "c1" } },
    ]);
  });
}
