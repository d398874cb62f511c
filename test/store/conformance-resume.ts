// What a restart stands on: claims that say where their task was, answers that may be lost and asked for again,
// batches that are accepted whole, and a task's events from where somebody left off.

import { expect } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { NewEvent, StoredEvent } from "../../src/core/event.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import type { Claim, Store } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import {
  ADMITTED,
  childOf,
  claimed,
  claimOf,
  end,
  everything,
  GOAL,
  REPLY,
  SPAWNED,
  specimen,
  STARTED,
  steer,
  submitted,
  workspaceOf,
} from "./specimens.ts";

export function resumeClauses(clause: Clause): void {
  resumePointClauses(clause);
  requestClauses(clause);
  batchClauses(clause);
  tailClauses(clause);
}

const SNAPSHOT = { value: { running: "calling_tools" }, version: 3, context: { turn: 2, left: null } };
const TIMERS = [
  { name: "deadline", dueAt: 1_700_000_900_000 },
  { name: "retry", dueAt: 1_700_000_001_500 },
];

/** A task that stands somewhere: one of its two steers was taken, two rows were written. */
async function begun(store: Store, id: string): Promise<void> {
  const claim = await claimed(store, id);
  for (const message of [steer("m1"), steer("m2")]) await store.send(id, message);
  const step = { events: [STARTED], messages: [GOAL, REPLY], inboxCursor: 1, turn: 1 };
  await store.commit(claim, 1, { ...step, snapshot: SNAPSHOT, timers: TIMERS });
}

const WHERE_IT_WAS = { snapshot: SNAPSHOT, timers: TIMERS, inboxCursor: 1, lastIndex: 2 };

function resumePointClauses(clause: Clause): void {
  clause("hands out nothing to go on from with a task's first claim", async ({ store }) => {
    await submitted(store, "t1");
    await store.send("t1", steer("m1"));
    expect(await claimOf(store, "t1")).toMatchObject({ epoch: 1, resume: null });
  });

  clause("hands out with a later claim what the task needs to go on, as committed", async ({ store }) => {
    await begun(store, "t1");
    await store.release("owner-a");
    const claim = await claimOf(store, "t1", "owner-b");
    expect(claim).toMatchObject({ epoch: 2, seq: 2, record: { turn: 1 } });
    expect(claim.resume).toEqual(WHERE_IT_WAS);
    await store.commit(claim, 2, {
      snapshot: { value: "later" },
      timers: [],
      inboxCursor: 2,
      messages: [GOAL],
    });
    await store.release("owner-b");
    const resume = { snapshot: { value: "later" }, timers: [], inboxCursor: 2, lastIndex: 3 };
    expect((await claimOf(store, "t1")).resume).toEqual(resume);
  });

  clause(
    "says of a task that was claimed and never written that it stands at its start",
    async ({ store }) => {
      await claimed(store, "t1");
      await store.release("owner-a");
      const resume = { snapshot: null, timers: [], inboxCursor: 0, lastIndex: 0 };
      expect((await claimOf(store, "t1")).resume).toEqual(resume);
    },
  );

  clause(
    "hands out what a task needs to go on to who takes an expired claim",
    async ({ store, clock }) => {
      await begun(store, "t1");
      await clock.advance(60_000);
      expect((await claimOf(store, "t1", "owner-b")).resume).toEqual(WHERE_IT_WAS);
    },
    { needs: "claim_expiry" },
  );
}

function requestClauses(clause: Clause): void {
  const box = { boxId: "box-1", ttlMs: 60_000, max: 2 };
  const first = { ...box, owner: "owner-a", request: "r1" };
  const take = async (store: Store, options: Parameters<Store["claim"]>[0]): Promise<readonly string[]> =>
    (await store.claim(options)).map((claim) => claim.taskId);

  async function six(store: Store): Promise<void> {
    for (let at = 1; at <= 6; at += 1) await submitted(store, `t${at}`, { workspace: workspaceOf("box-1") });
  }

  clause("gives an owner that repeats its request the same claims, and no others", async ({ store }) => {
    await six(store);
    const claims = await store.claim(first);
    expect(claims.map((claim) => claim.taskId)).toEqual(["t1", "t2"]);
    expect(await store.claim(first)).toEqual(claims);
    expect(await store.claim({ ...first, max: 9 })).toEqual(claims);
    expect(await store.get("t1")).toMatchObject({ epoch: 1 });
    expect(await take(store, { ...box, owner: "owner-b", max: 9 })).toEqual(["t3", "t4", "t5", "t6"]);
  });

  clause("gives claims that were given again their place to go on from as well", async ({ store }) => {
    await begun(store, "t1");
    await store.release("owner-a");
    const again = { ...first, boxId: "t1" };
    const claims = await store.claim(again);
    expect(claims).toMatchObject([{ epoch: 2, resume: WHERE_IT_WAS }]);
    expect(await store.claim(again)).toEqual(claims);
  });

  clause("takes new tasks for a new request, and for one that names none", async ({ store }) => {
    await six(store);
    expect(await take(store, first)).toEqual(["t1", "t2"]);
    expect(await take(store, { ...first, request: "r2" })).toEqual(["t3", "t4"]);
    expect(await take(store, { ...box, owner: "owner-a", max: 1 })).toEqual(["t5"]);
    expect(await take(store, { ...box, owner: "owner-a", max: 1 })).toEqual(["t6"]);
  });

  clause("tells the requests of owners apart", async ({ store }) => {
    await six(store);
    expect(await take(store, first)).toEqual(["t1", "t2"]);
    expect(await take(store, { ...first, owner: "owner-b" })).toEqual(["t3", "t4"]);
    expect(await take(store, first)).toEqual(["t1", "t2"]);
  });

  clause("repeats an answer without claims as well, though there are tasks by now", async ({ store }) => {
    expect(await take(store, first)).toEqual([]);
    await six(store);
    expect(await take(store, first)).toEqual([]);
    expect(await take(store, { ...first, request: "r2" })).toEqual(["t1", "t2"]);
  });

  clause("gives claims of a repeated request that hold: their owner may write", async ({ store }) => {
    await six(store);
    await store.claim(first);
    const [claim] = await store.claim(first);
    await expect(store.commit(claim as Claim, 1, { events: [STARTED] })).resolves.toMatchObject({ seq: 2 });
  });
}

const entryOf = (id: string, parts: Partial<TaskSpec> = {}): { spec: TaskSpec; event: NewEvent } => ({
  spec: specimen(id, parts),
  event: SPAWNED,
});

function batchClauses(clause: Clause): void {
  clause(
    "D1 accepts several tasks in one step, in their order, each with its first event",
    async ({ store }) => {
      const batch = [entryOf("t1"), entryOf("c1", childOf("t1")), entryOf("t2")];
      const receipts = await store.submitAll(batch);
      expect(receipts.map(({ created }) => created)).toEqual([true, true, true]);
      expect(receipts.map(({ record }) => record)).toEqual((await store.list({})).items);
      expect((await store.list({})).items.map(({ spec }) => spec)).toEqual(batch.map(({ spec }) => spec));
      const events = await store.events({ after: 0 });
      expect(events.map(({ taskId, seq, type }) => [taskId, seq, type])).toEqual([
        ["t1", 1, "task.spawned"],
        ["c1", 1, "task.spawned"],
        ["t2", 1, "task.spawned"],
      ]);
      expect(await claimOf(store, "c1")).toMatchObject({ taskId: "c1", epoch: 1 });
    },
  );

  clause("D1 accepts a batch of none", async ({ store }) => {
    expect(await store.submitAll([])).toEqual([]);
    expect(await store.bounds()).toMatchObject({ newest: 0 });
  });

  clause(
    "D1 returns the first records when a batch is submitted again, and adds what is new",
    async ({ store }) => {
      await store.submitAll([entryOf("t1"), entryOf("t2")]);
      await end(store, await claimOf(store, "t1"));
      const again = await store.submitAll([entryOf("t1"), entryOf("t2"), entryOf("t3")]);
      expect(again.map(({ created }) => created)).toEqual([false, false, true]);
      expect(again[0]?.record).toEqual(await store.get("t1"));
      expect(again[0]?.record).toMatchObject({ state: "done", seq: 2 });
      expect(await store.bounds()).toMatchObject({ newest: 4 });
    },
  );

  clause("D1 creates a task once that a batch names twice", async ({ store }) => {
    const receipts = await store.submitAll([entryOf("t1"), entryOf("t1")]);
    expect(receipts.map(({ created }) => created)).toEqual([true, false]);
    expect(receipts[1]?.record).toEqual(receipts[0]?.record);
    expect((await store.list({})).items).toHaveLength(1);
    expect(await store.bounds()).toMatchObject({ newest: 1 });
  });

  const reused = { kind: "conflict", code: "idempotency_key_reused" };
  const refusals = {
    "a workspace that names no box": [
      [entryOf("t1"), entryOf("t2", { workspace: "/home/me" })],
      { kind: "invalid_request", code: "bad_workspace" },
    ],
    "an id of another request": [[entryOf("t1"), entryOf("old", { requestHash: "another" })], reused],
    "one id for two requests": [
      [entryOf("t1"), entryOf("t2"), entryOf("t1", { requestHash: "another" })],
      reused,
    ],
  } as const;
  for (const [what, [batch, refusal]] of Object.entries(refusals)) {
    clause(`D1 accepts none of a batch with ${what}`, async ({ store }) => {
      await submitted(store, "old");
      const before = await everything(store, ["old", "t1", "t2"]);
      await expect(store.submitAll(batch)).rejects.toMatchObject(refusal);
      expect(await everything(store, ["old", "t1", "t2"])).toEqual(before);
      expect(await store.claim({ owner: "owner-a", boxId: "t1", ttlMs: 1_000, max: 9 })).toEqual([]);
      expect((await store.submitAll([entryOf("t1"), entryOf("t2")])).map(({ created }) => created)).toEqual([
        true,
        true,
      ]);
    });
  }

  clause(
    "wakes listeners with the first events of a whole batch",
    async ({ store }) => {
      const woken: StoredEvent[] = [];
      store.onWrite((events) => void woken.push(...events));
      await store.submitAll([entryOf("t1"), entryOf("t2")]);
      await settle();
      expect(woken).toEqual(await store.events({ after: 0 }));
    },
    { needs: "wake" },
  );
}

function tailClauses(clause: Clause): void {
  clause("D4 reads a task's events after a sequence", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await claimed(store, "t2");
    await store.commit(claim, 1, { events: [ADMITTED, STARTED] });
    await store.commit({ taskId: "t2", epoch: 1 }, 1, { events: [ADMITTED] });
    await store.commit(claim, 3, { events: [ADMITTED] });
    const tail = async (parts: Partial<Parameters<Store["events"]>[0]>): Promise<readonly number[]> =>
      (await store.events({ after: 0, taskId: "t1", ...parts })).map((event) => event.seq);
    expect(await tail({ afterSeq: 0 })).toEqual([1, 2, 3, 4]);
    expect(await tail({ afterSeq: 2 })).toEqual([3, 4]);
    expect(await tail({ afterSeq: 2, limit: 1 })).toEqual([3]);
    expect(await tail({ afterSeq: 1, types: ["task.admitted"] })).toEqual([2, 4]);
    expect(await tail({ afterSeq: 4 })).toEqual([]);
    expect(await tail({ afterSeq: 99 })).toEqual([]);
    const [last] = await store.events({ after: 0, taskId: "t1", afterSeq: 3 });
    expect(await tail({ afterSeq: 1, after: (last?.cursor ?? 0) - 1 })).toEqual([4]);
  });
}
