import { describe, expect, it } from "vitest";
import { firstRecord, stampEvent } from "../../src/store/commit.ts";
import { EventLog } from "../../src/store/memory-events.ts";
import { childOf, specimen, STARTED } from "./specimens.ts";

/** Appends one event of each task in turn; `c` tasks belong to the tree of `t1`. */
function fill(log: EventLog, taskIds: readonly string[]): void {
  for (const id of taskIds) {
    const spec = specimen(id, id.startsWith("c") ? childOf("t1") : {});
    const stamp = { storeId: "store_1", cursor: log.nextCursor, seq: 1, time: 1 };
    log.append(stampEvent(STARTED, firstRecord(spec), stamp));
  }
}

const cursors = (log: EventLog, query: Parameters<EventLog["query"]>[0]): readonly number[] =>
  log.query(query).map((event) => event.cursor);

describe("EventLog", () => {
  it("L1 gives cursors without gaps from 1, also after old events are gone", () => {
    const log = new EventLog(2);
    fill(log, ["t1", "t1", "t1", "t1"]);
    expect(log.nextCursor).toBe(5);
    expect(cursors(log, { after: 0 })).toEqual([3, 4]);
  });

  it("L2 drops the oldest from the store, its task and its tree alike", () => {
    const log = new EventLog(3);
    fill(log, ["t1", "c1", "t2", "c1", "t1"]);
    expect(log.bounds()).toEqual({ oldest: 3, newest: 5 });
    expect(cursors(log, { after: 0 })).toEqual([3, 4, 5]);
    expect(cursors(log, { after: 0, taskId: "t1" })).toEqual([5]);
    expect(cursors(log, { after: 0, taskId: "c1" })).toEqual([4]);
    expect(cursors(log, { after: 0, rootId: "t1" })).toEqual([4, 5]);
  });

  it("L2 stays right over many turns of the log", () => {
    const log = new EventLog(7);
    for (let round = 0; round < 200; round += 1) {
      fill(log, ["t1", "c1", "t2"].slice(0, 1 + (round % 3)));
      const kept = cursors(log, { after: 0 });
      const parts = ["t1", "c1", "t2"].flatMap((taskId) => cursors(log, { after: 0, taskId }));
      expect(parts.toSorted((a, b) => a - b)).toEqual(kept);
      const trees = ["t1", "t2"].flatMap((rootId) => cursors(log, { after: 0, rootId }));
      expect(trees.toSorted((a, b) => a - b)).toEqual(kept);
      expect(cursors(log, { after: 0, rootId: "c1" })).toEqual([]);
      expect(log.bounds()).toEqual({ oldest: kept[0], newest: kept.at(-1) });
    }
  });

  it("L2 lets go of the oldest when their data is too much, however few they are, and keeps the newest", () => {
    const log = new EventLog(1_000, 10_000);
    const add = (text: string): void => {
      const stamp = { storeId: "store_1", cursor: log.nextCursor, seq: 1, time: 1 };
      const event = {
        type: "task.progressed",
        data: { percent: null, note: null, partial: [{ text }] },
      } as const;
      log.append(stampEvent(event, firstRecord(specimen("t1")), stamp));
    };
    for (let n = 0; n < 4; n += 1) add("x".repeat(1_000));
    expect(log.bounds()).toEqual({ oldest: 1, newest: 4 });
    add("x".repeat(1_000));
    expect(log.bounds()).toEqual({ oldest: 2, newest: 5 });
    expect(cursors(log, { after: 0, taskId: "t1" })).toEqual([2, 3, 4, 5]);
    add("x".repeat(9_000));
    expect(log.bounds()).toEqual({ oldest: 6, newest: 6 });
    add("small");
    expect(log.bounds()).toEqual({ oldest: 7, newest: 7 });
    for (let n = 0; n < 3; n += 1) add("small");
    expect(log.bounds()).toEqual({ oldest: 7, newest: 10 });
  });

  it("keeps a tree's events in order when its root is alone at first, and when others join late", () => {
    const log = new EventLog(100);
    fill(log, ["t1", "t2", "t1"]);
    expect(cursors(log, { after: 0, rootId: "t1" })).toEqual([1, 3]);
    fill(log, ["c1", "t2", "t1", "c2"]);
    expect(cursors(log, { after: 0, rootId: "t1" })).toEqual([1, 3, 4, 6, 7]);
    expect(cursors(log, { after: 3, rootId: "t1", limit: 2 })).toEqual([4, 6]);
  });

  it("L2 lets go of a tree from the middle, and says what is the oldest and what is the tree's last", () => {
    const log = new EventLog(100);
    fill(log, ["t2", "t1", "c1", "t3", "c2", "t2"]);
    expect([log.lastCursor("t1"), log.lastCursor("t2"), log.lastCursor("nobody")]).toEqual([5, 6, 0]);
    log.removeTree("t1");
    log.removeTree("nobody");
    expect(cursors(log, { after: 0 })).toEqual([1, 4, 6]);
    for (const query of [{ rootId: "t1" }, { taskId: "t1" }, { taskId: "c1" }, { taskId: "c2" }])
      expect(cursors(log, { after: 0, ...query })).toEqual([]);
    expect(log.lastCursor("t1")).toBe(0);
    log.removeTree("t2");
    expect(log.bounds()).toEqual({ oldest: 4, newest: 6 });
    log.removeTree("t3");
    expect([log.bounds(), log.bytes]).toEqual([{ oldest: 7, newest: 6 }, 0]);
  });

  it("L2 counts what is kept, not what was removed, against its bounds", () => {
    const log = new EventLog(4);
    fill(log, ["t2", "t1", "c1", "t3"]);
    log.removeTree("t1");
    fill(log, ["t2", "t3"]);
    expect(cursors(log, { after: 0 })).toEqual([1, 4, 5, 6]);
    fill(log, ["t4", "t4"]);
    expect(cursors(log, { after: 0 })).toEqual([5, 6, 7, 8]);
    expect(cursors(log, { after: 0, taskId: "t3" })).toEqual([6]);
  });

  it("finds the start of a tail without reading what comes before", () => {
    const log = new EventLog(10_000);
    fill(
      log,
      Array.from({ length: 5_000 }, () => "t1"),
    );
    expect(cursors(log, { after: 4_998, taskId: "t1" })).toEqual([4_999, 5_000]);
    expect(cursors(log, { after: 2_000, limit: 2 })).toEqual([2_001, 2_002]);
  });
});
