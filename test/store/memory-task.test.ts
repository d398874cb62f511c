import { describe, expect, it } from "vitest";
import { firstRecord } from "../../src/store/commit.ts";
import { MemoryTask } from "../../src/store/memory-task.ts";
import { DONE, GOAL, REPLY, specimen, steer } from "./specimens.ts";

const fresh = (): MemoryTask => new MemoryTask(firstRecord(specimen("t1")), { order: 3, boxId: "b1" });

describe("MemoryTask", () => {
  it("has no inbox until something is sent, and reads as empty until then", () => {
    const task = fresh();
    expect(task.inbox).toBeNull();
    expect([task.entriesAfter(0), task.rows(0, 9), task.timers]).toEqual([[], [], []]);
    task.receive(steer("m1"), 1);
    expect(task.inbox).not.toBeNull();
  });

  it("appends rows gaplessly with the words of the record as it stands", () => {
    const task = fresh();
    task.appendMessages([], 1);
    expect(task.lastIndex).toBe(0);
    task.appendMessages([GOAL], 1);
    task.record = { ...task.record, seq: 4, turn: 2 };
    task.appendMessages([REPLY, GOAL], 8);
    const rows = task
      .rows(0, Number.POSITIVE_INFINITY)
      .map(({ index, seq, turn, time }) => [index, seq, turn, time]);
    expect(rows).toEqual([
      [1, 1, 0, 1],
      [2, 4, 2, 8],
      [3, 4, 2, 8],
    ]);
    expect(task.rows(1, 1)).toMatchObject([{ index: 2, message: REPLY }]);
  });

  it("tells a commit where it stands", () => {
    const task = fresh();
    expect(task.point).toMatchObject({
      owned: false,
      inboxCursor: 0,
      inboxLast: 0,
      compactedTo: 0,
      lastIndex: 0,
    });
    task.holding = { owner: "a", expiresAt: 5, swept: false };
    task.receive({ kind: "answer", id: "m1", from: "person", text: "Yes" }, 1);
    task.appendMessages([GOAL], 1);
    expect(task.point).toMatchObject({ owned: true, inboxLast: 1, lastIndex: 1 });
  });

  it("has ended when its record has an end", () => {
    const task = fresh();
    expect(task.ended).toBe(false);
    task.record = { ...task.record, end: DONE };
    expect(task.ended).toBe(true);
  });
});
