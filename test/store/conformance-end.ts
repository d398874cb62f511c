// D6: one end per task, and after it nothing but the mark of its release.

import { expect } from "vitest";
import type { Clause } from "./conformance.ts";
import { claimed, DONE, end, everything, FAILED, FINISHED, RELEASED } from "./specimens.ts";

export function endingClauses(clause: Clause): void {
  endClauses(clause);
  releaseClauses(clause);
}

function endClauses(clause: Clause): void {
  clause("D6 ends a task once, with its time, no phase and its result", async ({ store, clock }) => {
    const claim = await claimed(store, "t1");
    await clock.advance(1_234);
    const receipt = await store.commit(claim, 1, { events: [FINISHED], terminal: DONE, turn: 4 });
    const ended = { state: "done", phase: null, turn: 4 };
    expect(receipt.events).toMatchObject([{ ...ended, type: "task.done" }]);
    expect(await store.get("t1")).toMatchObject({
      ...ended,
      end: DONE,
      finishedAt: clock.now(),
      releasedAt: null,
    });
  });

  clause("D6 can end a task and mark it released in one step", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { events: [FINISHED, RELEASED], terminal: DONE, releasedAt: 77 });
    expect(await store.get("t1")).toMatchObject({ state: "done", releasedAt: 77 });
    const again = store.markReleased("t1", 90, RELEASED);
    await expect(again).rejects.toMatchObject({ kind: "store", code: "ended" });
  });

  clause("D6 refuses every commit after the end, whatever its epoch and sequence", async ({ store }) => {
    const claim = await claimed(store, "t1");
    await end(store, claim);
    const before = await everything(store, ["t1"]);
    for (const [epoch, seq] of [
      [1, 2],
      [1, 1],
      [0, 2],
      [2, 2],
    ] as const) {
      const late = store.commit({ taskId: "t1", epoch }, seq, { terminal: FAILED, events: [FINISHED] });
      await expect(late).rejects.toMatchObject({ kind: "store", code: "ended", details: { state: "done" } });
    }
    expect(await everything(store, ["t1"])).toEqual(before);
  });

  clause("D6 lets one of two ends win", async ({ store }) => {
    const claim = await claimed(store, "t1");
    const ends = [DONE, FAILED].map((terminal) => store.commit(claim, 1, { events: [FINISHED], terminal }));
    const outcomes = await Promise.allSettled(ends);
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await store.events({ after: 1 })).toHaveLength(1);
  });
}

function releaseClauses(clause: Clause): void {
  clause("D6 takes the mark of release after the end, once, with its event", async ({ store, clock }) => {
    await end(store, await claimed(store, "t1"));
    await store.markReleased("t1", clock.now() + 50, RELEASED);
    expect(await store.get("t1")).toMatchObject({ seq: 3, releasedAt: clock.now() + 50, state: "done" });
    const [event] = await store.events({ after: 2 });
    expect(event).toMatchObject({ seq: 3, type: "task.released", state: "done", phase: null });
    const again = store.markReleased("t1", clock.now() + 90, RELEASED);
    await expect(again).rejects.toMatchObject({ kind: "store", code: "ended" });
    expect(await store.get("t1")).toMatchObject({ seq: 3, releasedAt: clock.now() + 50 });
  });

  clause("refuses to mark a task released that has not ended", async ({ store }) => {
    await claimed(store, "t1");
    const early = store.markReleased("t1", 1, RELEASED);
    await expect(early).rejects.toMatchObject({ kind: "store", code: "not_ended" });
    expect(await store.get("t1")).toMatchObject({ seq: 1, releasedAt: null });
  });
}
