// D2, D3 and D4: a commit is one step, numbered without gaps, by the owner of the moment.

import { expect } from "vitest";
import type { Usage } from "../../src/core/limits.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import type { Clause } from "./conformance.ts";
import {
  ADMITTED,
  claimed,
  claimOf,
  DONE,
  everything,
  GOAL,
  RELEASED,
  REPLY,
  STARTED,
  steer,
  submitted,
} from "./specimens.ts";

export function commitClauses(clause: Clause): void {
  stepClauses(clause);
  atomicityClauses(clause);
  fencingClauses(clause);
}

const USAGE: Usage = {
  promptTokens: 9,
  outputTokens: 3,
  costMicros: 0,
  gpuMs: 40,
  toolCalls: 1,
  generations: 1,
};

const STEP: CommitWrite = {
  events: [ADMITTED, STARTED],
  messages: [GOAL, REPLY],
  compactedTo: 1,
  snapshot: { value: "running", version: 1 },
  timers: [{ name: "deadline", dueAt: 1_700_000_900_000 }],
  inboxCursor: 1,
  state: "running",
  phase: "generating",
  run: 2,
  turn: 3,
  usage: USAGE,
  progress: { percent: 40, note: "half way", partial: { files: 2 }, time: 5 },
  startedAt: 1_700_000_000_500,
};

function stepClauses(clause: Clause): void {
  clause("D2 writes every part of a commit", async ({ store, clock }) => {
    const claim = await claimed(store, "t1", { sessionId: "s1", traceparent: "00-trace" });
    await store.send("t1", steer("m1"));
    await clock.advance(700);
    const receipt = await store.commit(claim, 1, STEP);
    expect(receipt).toMatchObject({ seq: 3, lastIndex: 2 });
    const { usage, progress, startedAt } = STEP;
    const words = { state: "running", phase: "generating", run: 2, turn: 3 };
    expect(await store.get("t1")).toMatchObject({ ...words, seq: 3, usage, progress, startedAt });
    expect(await store.snapshot("t1")).toEqual(STEP.snapshot);
    expect(await store.timers("t1")).toEqual(STEP.timers);
    expect(await store.inbox("t1", 0)).toMatchObject([{ state: "delivered", turn: 3, reason: null }]);
    const row = { taskId: "t1", seq: 3, run: 2, turn: 3, time: clock.now() };
    const rows = [
      { ...row, index: 1, message: GOAL },
      { ...row, index: 2, message: REPLY },
    ];
    expect(await store.transcript("t1", {})).toEqual(rows);
    const envelope = { storeId: store.storeId, taskId: "t1", parentId: null, rootId: "t1", sessionId: "s1" };
    const stamp = { ...words, version: 1, time: clock.now(), traceparent: "00-trace" };
    expect(receipt.events).toEqual([
      { ...envelope, ...stamp, cursor: 2, seq: 2, ...ADMITTED },
      { ...envelope, ...stamp, cursor: 3, seq: 3, ...STARTED },
    ]);
    expect(await store.events({ after: 1 })).toEqual(receipt.events);
  });

  clause("leaves the parts that a commit does not name as they are", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.send("t1", steer("m1"));
    await store.commit(claim, 1, STEP);
    const before = await everything(store, ["t1"]);
    expect(await store.commit(claim, 3, {})).toEqual({ seq: 3, events: [], lastIndex: 2 });
    expect(await everything(store, ["t1"])).toEqual(before);
  });

  clause("can clear a phase and replace all timers", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { phase: "generating", timers: [{ name: "retry", dueAt: 9 }] });
    await store.commit(claim, 1, { state: "steering", phase: null, timers: [] });
    expect(await store.get("t1")).toMatchObject({ state: "steering", phase: null });
    expect(await store.timers("t1")).toEqual([]);
  });

  clause("D4 numbers each task's events without gaps while tasks write in turns", async ({ store }) => {
    const claims = [await claimed(store, "t1"), await claimed(store, "t2"), await claimed(store, "t3")];
    for (let round = 0; round < 5; round += 1) {
      const writes = claims.map((claim) =>
        store.commit(claim, 1 + 2 * round, { events: [ADMITTED, STARTED], turn: round }),
      );
      await Promise.all(writes);
    }
    for (const { taskId } of claims) {
      const seqs = (await store.events({ after: 0, taskId })).map((event) => event.seq);
      expect(seqs).toEqual(Array.from({ length: 11 }, (_, at) => at + 1));
    }
    const cursors = (await store.events({ after: 0 })).map((event) => event.cursor);
    expect(cursors).toHaveLength(33);
    expect(cursors).toEqual([...new Set(cursors)].toSorted((a, b) => a - b));
  });
}

/** Each is wrong in one part; everything else of the step is fine. */
const WRONG: Readonly<Record<string, CommitWrite>> = {
  "mail to an unknown task": { outbox: [{ to: "nobody", message: steer("m9") }] },
  "mail with a used id and another content": { outbox: [{ to: "t2", message: steer("m1", "other") }] },
  "one mail id with two contents": {
    outbox: [
      { to: "t2", message: steer("m8", "one") },
      { to: "t2", message: steer("m8", "two") },
    ],
  },
  "an inbox cursor beyond the inbox": { inboxCursor: 2 },
  "an inbox cursor that is no number": { inboxCursor: Number.NaN },
  "a compaction beyond the transcript": { compactedTo: 3 },
  "an ended state without an end": { state: "done" },
  "two different ends": { state: "cancelled", terminal: DONE },
  "two timers of one name": {
    timers: [
      { name: "retry", dueAt: 1 },
      { name: "retry", dueAt: 2 },
    ],
  },
  "a timer without a date": { timers: [{ name: "retry", dueAt: Number.POSITIVE_INFINITY }] },
  "a negative turn": { turn: -1 },
  "half a run": { run: 1.5 },
  "a usage beyond exact numbers": { usage: { ...USAGE, costMicros: 2 ** 53 } },
  "a usage that is no number": { usage: { ...USAGE, gpuMs: Number.NaN } },
  "a start that is no time": { startedAt: Number.POSITIVE_INFINITY },
};

function atomicityClauses(clause: Clause): void {
  for (const [what, part] of Object.entries(WRONG)) {
    clause(`D2 writes nothing at all of a commit with ${what}`, async ({ store }) => {
      const claim = await claimed(store, "t1");
      await submitted(store, "t2");
      await store.send("t1", steer("m1"));
      await store.send("t2", steer("m1"));
      const before = await everything(store, ["t1", "t2"]);
      const outbox = [{ to: "t2", message: steer("m7") }, ...(part.outbox ?? [])];
      const refused = store.commit(claim, 1, { ...STEP, ...part, outbox });
      const code = what.includes("unknown") ? "task_not_found" : "invalid_write";
      await expect(refused).rejects.toMatchObject({ kind: "store", code });
      expect(await everything(store, ["t1", "t2"])).toEqual(before);
      await expect(store.commit(claim, 1, STEP)).resolves.toMatchObject({ seq: 3 });
    });
  }

  clause("D5 refuses to move a cursor or a compaction back", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.send("t1", steer("m1"));
    await store.commit(claim, 1, STEP);
    for (const part of [{ inboxCursor: 0 }, { compactedTo: 0 }]) {
      await expect(store.commit(claim, 3, part)).rejects.toMatchObject({ code: "invalid_write" });
    }
  });
}

function fencingClauses(clause: Clause): void {
  clause("D3 refuses a stale epoch, and changes nothing", async ({ store }) => {
    const stale = await claimed(store, "t1");
    await store.release("owner-a");
    await claimOf(store, "t1", "owner-b");
    const before = await everything(store, ["t1"]);
    for (const epoch of [0, stale.epoch, 3]) {
      const late = store.commit({ taskId: "t1", epoch }, 1, STEP);
      await expect(late).rejects.toMatchObject({ kind: "store", code: "fenced", details: { epoch: 2 } });
    }
    expect(await everything(store, ["t1"])).toEqual(before);
  });

  clause("D3 refuses a write to a task that nobody has claimed", async ({ store }) => {
    await submitted(store, "t1");
    const write = store.commit({ taskId: "t1", epoch: 0 }, 1, { events: [STARTED] });
    await expect(write).rejects.toMatchObject({ kind: "store", code: "fenced" });
  });

  clause("D3 refuses another sequence, and changes nothing", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { events: [STARTED] });
    const before = await everything(store, ["t1"]);
    for (const expected of [0, 1, 3]) {
      const write = store.commit(claim, expected, { events: [ADMITTED] });
      await expect(write).rejects.toMatchObject({ kind: "store", code: "sequence", details: { seq: 2 } });
    }
    expect(await everything(store, ["t1"])).toEqual(before);
  });

  clause("D3 lets one of two writes win that expect the same sequence", async ({ store }) => {
    const claim = await claimed(store, "t1");
    const writes = [1, 2].map((turn) => store.commit(claim, 1, { events: [STARTED], turn }));
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await store.events({ after: 1 })).toHaveLength(1);
  });

  clause("refuses writes to a task that it does not have", async ({ store }) => {
    const missing = { kind: "store", code: "task_not_found" };
    await expect(store.commit({ taskId: "nobody", epoch: 1 }, 1, {})).rejects.toMatchObject(missing);
    await expect(store.send("nobody", steer("m1"))).rejects.toMatchObject(missing);
    await expect(store.markReleased("nobody", 1, RELEASED)).rejects.toMatchObject(missing);
  });
}
