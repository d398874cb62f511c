// D4 for readers: a stream of events can be left and taken up again, and what is gone is said to be gone.

import { expect } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { Store } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import { ADMITTED, childOf, claimed, end, RELEASED, STARTED, steer, submitted } from "./specimens.ts";

export function eventClauses(clause: Clause): void {
  queryClauses(clause);
  retentionClauses(clause);
  wakeClauses(clause);
}

const cursorsOf = (events: readonly StoredEvent[]): readonly number[] => events.map((event) => event.cursor);

/** Reads from a cursor to the end in pieces, as a watcher does. */
async function follow(store: Store, after: number, limit: number): Promise<readonly StoredEvent[]> {
  const seen: StoredEvent[] = [];
  let at = after;
  while (true) {
    const piece = await store.events({ after: at, limit });
    const last = piece.at(-1);
    if (last === undefined) return seen;
    seen.push(...piece);
    at = last.cursor;
  }
}

function queryClauses(clause: Clause): void {
  clause("D4 resumes a stream from any cursor with exactly what follows", async ({ store }) => {
    for (let at = 0; at < 5; at += 1) {
      const claim = await claimed(store, `t${at}`);
      await store.commit(claim, 1, { events: [ADMITTED, STARTED] });
    }
    const all = await store.events({ after: 0 });
    expect(cursorsOf(all)).toEqual(Array.from({ length: 15 }, (_, at) => at + 1));
    for (const [at, event] of all.entries()) {
      expect(await follow(store, event.cursor, 4)).toEqual(all.slice(at + 1));
    }
  });

  clause("D4 gives a follower new events only, in order, while others write", async ({ store }) => {
    await submitted(store, "t1");
    const first = await follow(store, 0, 10);
    await submitted(store, "t2");
    await submitted(store, "t3");
    const then = await follow(store, first.at(-1)?.cursor ?? 0, 10);
    expect(then.map((event) => event.taskId)).toEqual(["t2", "t3"]);
  });

  clause("filters events by task, tree and type, and cuts at the limit", async ({ store }) => {
    await submitted(store, "t1");
    const child = await claimed(store, "c1", childOf("t1"));
    await submitted(store, "x1");
    await store.commit(child, 1, { events: [ADMITTED, STARTED] });
    expect(cursorsOf(await store.events({ after: 0, taskId: "c1" }))).toEqual([2, 4, 5]);
    expect(cursorsOf(await store.events({ after: 0, rootId: "t1" }))).toEqual([1, 2, 4, 5]);
    expect(cursorsOf(await store.events({ after: 0, rootId: "t1", types: ["task.spawned"] }))).toEqual([
      1, 2,
    ]);
    expect(cursorsOf(await store.events({ after: 2, taskId: "c1", limit: 1 }))).toEqual([4]);
    expect(await store.events({ after: 0, taskId: "c1", rootId: "x1" })).toEqual([]);
    expect(await store.events({ after: 5 })).toEqual([]);
    expect(await store.events({ after: 99 })).toEqual([]);
  });

  clause("refuses a place to read from that cannot be one", async ({ store }) => {
    for (const after of [-1, 0.5, Number.NaN]) {
      const refused = { kind: "invalid_request", code: "bad_after" };
      await expect(store.events({ after })).rejects.toMatchObject(refused);
      await expect(store.inbox("t1", after)).rejects.toMatchObject(refused);
    }
  });

  clause("has nothing to miss before the first event", async ({ store }) => {
    expect(await store.bounds()).toEqual({ oldest: 1, newest: 0 });
    await submitted(store, "t1");
    expect(await store.bounds()).toEqual({ oldest: 1, newest: 1 });
  });
}

function retentionClauses(clause: Clause): void {
  const five = { needs: "retention", maxEvents: 5 } as const;

  clause(
    "keeps the newest events only, and says from where",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      await submitted(store, "t2");
      await store.commit(claim, 1, { events: [ADMITTED, STARTED, ADMITTED] });
      expect(await store.bounds()).toEqual({ oldest: 1, newest: 5 });
      await store.commit(claim, 4, { events: [STARTED, ADMITTED] });
      expect(await store.bounds()).toEqual({ oldest: 3, newest: 7 });
      expect(cursorsOf(await store.events({ after: 0 }))).toEqual([3, 4, 5, 6, 7]);
      expect(cursorsOf(await store.events({ after: 0, taskId: "t1" }))).toEqual([3, 4, 5, 6, 7]);
      expect(cursorsOf(await store.events({ after: 0, rootId: "t1" }))).toEqual([3, 4, 5, 6, 7]);
      expect(await store.events({ after: 0, taskId: "t2" })).toEqual([]);
    },
    five,
  );

  clause(
    "lets a reader tell a gap from a stream that is whole, and keeps records and sequences",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      const seen = (await store.events({ after: 0 })).at(-1)?.cursor ?? 0;
      await store.commit(claim, 1, { events: Array.from({ length: 5 }, () => STARTED) });
      expect((await store.bounds()).oldest).toBeLessThanOrEqual(seen + 1);
      await store.commit(claim, 6, { events: [ADMITTED] });
      expect((await store.bounds()).oldest).toBeGreaterThan(seen + 1);
      const kept = await store.events({ after: seen, taskId: "t1" });
      expect(kept.map((event) => event.seq)).toEqual([3, 4, 5, 6, 7]);
      expect(await store.get("t1")).toMatchObject({ seq: 7 });
    },
    five,
  );

  clause(
    "keeps its promises when one commit writes more events than are kept",
    async ({ store }) => {
      const claim = await claimed(store, "t1");
      const receipt = await store.commit(claim, 1, { events: Array.from({ length: 12 }, () => STARTED) });
      expect(receipt.events).toHaveLength(12);
      expect(await store.bounds()).toEqual({ oldest: 9, newest: 13 });
      expect(cursorsOf(await store.events({ after: 0, taskId: "t1" }))).toEqual([9, 10, 11, 12, 13]);
    },
    five,
  );
}

function wakeClauses(clause: Clause): void {
  const needs = { needs: "wake" } as const;

  clause(
    "wakes listeners with the stored events, after the write is acknowledged",
    async ({ store }) => {
      const order: string[] = [];
      const woken: StoredEvent[] = [];
      store.onWrite((events) => {
        order.push("woken");
        woken.push(...events);
      });
      const claim = await claimed(store, "t1");
      await settle();
      order.length = 0;
      const receipt = await store.commit(claim, 1, { events: [ADMITTED, STARTED] });
      order.push("acknowledged");
      await settle();
      expect(order).toEqual(["acknowledged", "woken"]);
      expect(woken.slice(-2)).toEqual(receipt.events);
      await end(store, { ...claim, seq: 3 });
      await store.markReleased("t1", 1, RELEASED);
      await settle();
      expect(woken).toEqual(await store.events({ after: 0 }));
    },
    needs,
  );

  clause(
    "wakes nobody for a write that was refused or made no event, nor after unsubscribing",
    async ({ store }) => {
      let woken = 0;
      const wake = (): void => {
        woken += 1;
      };
      const stop = store.onWrite(wake);
      const stopOther = store.onWrite(wake);
      const claim = await claimed(store, "t1");
      await settle();
      expect(woken).toBe(2);
      stop();
      await store.send("t1", steer("m1"));
      await store.commit(claim, 1, { turn: 1 });
      await expect(store.commit(claim, 9, { events: [STARTED] })).rejects.toMatchObject({ code: "sequence" });
      await settle();
      expect(woken).toBe(2);
      await store.commit(claim, 1, { events: [STARTED] });
      await settle();
      expect(woken).toBe(3);
      stopOther();
      await store.commit(claim, 2, { events: [STARTED] });
      await settle();
      expect(woken).toBe(3);
    },
    needs,
  );
}
