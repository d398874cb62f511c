// D1 and the ownership half of D3: what is submitted once is there once, and one owner at a time may write it.

import { expect } from "vitest";
import type { Claim } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import { claimed, claimOf, end, SPAWNED, specimen, STARTED, submitted, workspaceOf } from "./specimens.ts";

export function claimClauses(clause: Clause): void {
  submitClauses(clause);
  ownershipClauses(clause);
  expiryClauses(clause);
}

const idsOf = (claims: readonly Claim[]): readonly string[] => claims.map((claim) => claim.taskId);

function submitClauses(clause: Clause): void {
  clause("D1 accepts a task as spawned and queued, with its first event", async ({ store, clock }) => {
    const spec = specimen("t1");
    const receipt = await store.submit(spec, SPAWNED);
    expect(receipt).toMatchObject({
      created: true,
      record: { spec, state: "spawned", phase: "queued", seq: 1, epoch: 0, run: 1, turn: 0, end: null },
    });
    expect(await store.get("t1")).toEqual(receipt.record);
    const events = await store.events({ after: 0, taskId: "t1" });
    expect(events).toMatchObject([{ seq: 1, type: "task.spawned", time: clock.now(), data: SPAWNED.data }]);
  });

  clause("D1 returns the first record when the same request is submitted again", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { state: "running", phase: "generating", events: [STARTED] });
    const again = await store.submit(specimen("t1", { goal: "Another text, the same request" }), SPAWNED);
    expect(again).toEqual({ created: false, record: await store.get("t1") });
    expect(again.record).toMatchObject({ seq: 2, state: "running", spec: { goal: "Count the files" } });
    expect(await store.bounds()).toMatchObject({ newest: 2 });
  });

  clause("D1 refuses another request under the same id, and says what to do", async ({ store }) => {
    await submitted(store, "t1");
    const other = store.submit(specimen("t1", { requestHash: "another" }), SPAWNED);
    await expect(other).rejects.toMatchObject({
      kind: "conflict",
      code: "idempotency_key_reused",
      message: expect.stringContaining("Use a new idempotency key") as string,
    });
    expect(await store.bounds()).toMatchObject({ newest: 1 });
  });

  clause("D1 creates a task once when many submit it at the same time", async ({ store }) => {
    const receipts = await Promise.all(
      Array.from({ length: 20 }, () => store.submit(specimen("t1"), SPAWNED)),
    );
    expect(receipts.filter((receipt) => receipt.created)).toHaveLength(1);
    expect((await store.list({})).items).toHaveLength(1);
  });

  clause("D1 refuses a workspace that names no box, and keeps nothing of the task", async ({ store }) => {
    const refused = store.submit(specimen("t1", { workspace: "/home/me" }), SPAWNED);
    await expect(refused).rejects.toMatchObject({ kind: "invalid_request", code: "bad_workspace" });
    expect(await store.get("t1")).toBeNull();
    expect(await store.counts()).toMatchObject({ spawned: 0 });
  });
}

function ownershipClauses(clause: Clause): void {
  clause(
    "claims the oldest submissions first, up to the number asked for, of this box only",
    async ({ store }) => {
      for (const id of ["t1", "t2", "t3", "t4"]) {
        await submitted(store, id, { workspace: workspaceOf(id === "t2" ? "box-2" : "box-1") });
      }
      const options = { owner: "owner-a", boxId: "box-1", ttlMs: 1_000 };
      expect(idsOf(await store.claim({ ...options, max: 2 }))).toEqual(["t1", "t3"]);
      expect(idsOf(await store.claim({ ...options, max: 9 }))).toEqual(["t4"]);
      expect(idsOf(await store.claim({ ...options, max: 9 }))).toEqual([]);
    },
  );

  clause("gives each task to one owner when two claim at the same time", async ({ store }) => {
    const names = Array.from({ length: 30 }, (_, at) => `t${at}`);
    for (const id of names) await submitted(store, id, { workspace: workspaceOf("box-1") });
    const owners = Array.from({ length: 10 }, (_, at) => `owner-${at}`);
    const claims = owners.map((owner) => store.claim({ owner, boxId: "box-1", ttlMs: 1_000, max: 3 }));
    const taken = (await Promise.all(claims)).flatMap(idsOf);
    expect(taken.toSorted()).toEqual(names.toSorted());
  });

  clause(
    "D3 raises the epoch with each claim and hands out the sequence to go on from",
    async ({ store }) => {
      const first = await claimed(store, "t1");
      expect(first).toMatchObject({ owner: "owner-a", epoch: 1, seq: 1, record: { epoch: 1 } });
      await store.commit(first, 1, { events: [STARTED] });
      await store.release("owner-a");
      expect(await claimOf(store, "t1", "owner-b")).toMatchObject({ owner: "owner-b", epoch: 2, seq: 2 });
    },
  );

  clause("never claims a task that has ended", async ({ store }) => {
    await end(store, await claimed(store, "t1"));
    expect(await store.release("owner-a")).toEqual([]);
    expect(await store.claim({ owner: "owner-b", boxId: "t1", ttlMs: 1_000, max: 1 })).toEqual([]);
  });

  clause(
    "gives released tasks to others at once, in their old order, and fences the owner",
    async ({ store }) => {
      const box = { workspace: workspaceOf("box-1") };
      for (const id of ["t1", "t2", "t3"]) await submitted(store, id, box);
      const [first] = await store.claim({ owner: "owner-a", boxId: "box-1", ttlMs: 60_000, max: 2 });
      expect((await store.release("owner-a")).toSorted()).toEqual(["t1", "t2"]);
      const late = store.commit(first as Claim, 1, { events: [STARTED] });
      await expect(late).rejects.toMatchObject({ kind: "store", code: "fenced" });
      const next = await store.claim({ owner: "owner-b", boxId: "box-1", ttlMs: 60_000, max: 9 });
      expect(idsOf(next)).toEqual(["t1", "t2", "t3"]);
      expect(await store.release("owner-a")).toEqual([]);
    },
  );

  clause("refuses a claim that would never last", async ({ store }) => {
    const claim = store.claim({ owner: "owner-a", boxId: "box-1", ttlMs: 0, max: 1 });
    await expect(claim).rejects.toMatchObject({ kind: "invalid_request", code: "bad_ttl_ms" });
  });
}

function expiryClauses(clause: Clause): void {
  const needs = { needs: "claim_expiry" } as const;
  const other = { owner: "owner-b", boxId: "t1", ttlMs: 60_000, max: 1 };

  clause(
    "D3 lets another owner take a claim once it has expired, fences the first and tells it what it lost",
    async ({ store, clock }) => {
      const stale = await claimed(store, "t1");
      await clock.advance(59_999);
      expect(await store.claim(other)).toEqual([]);
      await clock.advance(1);
      expect(await store.claim(other)).toMatchObject([{ taskId: "t1", epoch: 2 }]);
      const late = store.commit(stale, 1, { events: [STARTED] });
      await expect(late).rejects.toMatchObject({ kind: "store", code: "fenced" });
      expect(await store.heartbeat("owner-a", 60_000)).toEqual(["t1"]);
      expect(await store.heartbeat("owner-b", 60_000)).toEqual([]);
    },
    needs,
  );

  clause(
    "keeps a claim for as long as heartbeats come in time",
    async ({ store, clock }) => {
      const claim = await claimed(store, "t1");
      for (let beat = 0; beat < 5; beat += 1) {
        await clock.advance(50_000);
        expect(await store.heartbeat("owner-a", 60_000)).toEqual([]);
        expect(await store.claim(other)).toEqual([]);
      }
      await expect(store.commit(claim, 1, { events: [STARTED] })).resolves.toMatchObject({ seq: 2 });
      await clock.advance(60_000);
      expect(await store.claim(other)).toHaveLength(1);
    },
    needs,
  );

  clause(
    "lets an owner renew and write an expired claim that nobody took",
    async ({ store, clock }) => {
      const claim = await claimed(store, "t1");
      await clock.advance(90_000);
      expect(await store.claim({ ...other, max: 0 })).toEqual([]);
      await expect(store.commit(claim, 1, { events: [STARTED] })).resolves.toMatchObject({ seq: 2 });
      expect(await store.heartbeat("owner-a", 60_000)).toEqual([]);
      expect(await store.claim(other)).toEqual([]);
      await clock.advance(60_000);
      expect(await store.claim(other)).toMatchObject([{ epoch: 2 }]);
    },
    needs,
  );
}
