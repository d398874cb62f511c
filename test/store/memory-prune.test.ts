import { describe, expect, it } from "vitest";
import type { TaskEnd } from "../../src/core/task.ts";
import { firstRecord, recordAfter, stampEvent } from "../../src/store/commit.ts";
import { EventLog } from "../../src/store/memory-events.ts";
import { TaskIndex } from "../../src/store/memory-index.ts";
import { Pruner } from "../../src/store/memory-prune.ts";
import type { Rows } from "../../src/store/memory-prune.ts";
import { MemoryTask } from "../../src/store/memory-task.ts";
import { childOf, DONE, EVER, FAILED, GOAL, specimen, STARTED, steer } from "./specimens.ts";

interface Store extends Rows {
  readonly pruner: Pruner;
  /** How often somebody looked at the record of a task. */
  readonly looks: { count: number };
}

function emptyStore(): Store {
  const rows = { tasks: new TaskIndex(), log: new EventLog(100_000), meter: { bytes: 0 } };
  return { ...rows, pruner: new Pruner(rows), looks: { count: 0 } };
}

function add({ tasks, log, meter, looks }: Store, id: string, parts = {}): MemoryTask {
  const first = firstRecord(specimen(id, parts));
  const task = new MemoryTask(first, { order: tasks.nextOrder, boxId: "b1" }, meter);
  let record = task.record;
  Object.defineProperty(task, "record", {
    get: () => {
      looks.count += 1;
      return record;
    },
    set: (next: typeof record) => {
      record = next;
    },
  });
  tasks.add(task);
  log.append(stampEvent(STARTED, first, { storeId: "store_1", cursor: log.nextCursor, seq: 1, time: 1 }));
  return task;
}

interface Ending {
  readonly task: MemoryTask;
  readonly time: number;
  readonly how: TaskEnd;
}

function finish({ tasks, pruner }: Store, { task, time, how }: Ending): void {
  const before = task.record;
  task.record = { ...recordAfter(before, { terminal: how }, time), readAt: time };
  tasks.moved(task, before.state);
  task.write({ terminal: how }, time);
  pruner.noteEnd(task);
}

const end = (store: Store, task: MemoryTask, time: number): void =>
  finish(store, { task, time, how: FAILED });

const ids = ({ tasks }: Store): readonly string[] => tasks.page({}).items.map(({ spec }) => spec.id);

describe("Pruner", () => {
  it("P1 looks at no tree that lives, however many there are, and at none that is too young", () => {
    const store = emptyStore();
    const old = [1, 2, 3].map((at) => add(store, `old${at}`));
    for (let at = 0; at < 3_000; at += 1) add(store, `t${at}`);
    for (let at = 0; at < 1_000; at += 1) end(store, add(store, `c${at}`, childOf(`t${at}`)), 10);
    for (let at = 0; at < 1_000; at += 1) end(store, add(store, `young${at}`), 50);
    for (const task of old) end(store, task, 10);
    store.looks.count = 0;
    expect(store.pruner.prune({ endedBefore: 50 })).toMatchObject({ tasks: 3, unread: 0 });
    expect(store.looks.count).toBeLessThan(50);
  });

  it("P1 counts an unread tree once, however often it was pruned for and joined by others", () => {
    const store = emptyStore();
    const root = add(store, "t1");
    end(store, root, 10);
    root.record = { ...root.record, readAt: null };
    for (let at = 0; at < 3; at += 1) {
      end(store, add(store, `c${at}`, childOf("t1")), 10);
      expect(store.pruner.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
      expect(store.pruner.prune(EVER)).toMatchObject({ tasks: 0, unread: 1 });
    }
    root.record = { ...root.record, readAt: 9 };
    expect(store.pruner.prune(EVER)).toMatchObject({ tasks: 4, unread: 0 });
    expect(store.pruner.prune(EVER)).toMatchObject({ tasks: 0, unread: 0 });
  });

  it("P1 does not remove a tree anew that was removed and submitted again", () => {
    const store = emptyStore();
    end(store, add(store, "t1"), 10);
    end(store, add(store, "c1", childOf("t1")), 10);
    expect(store.pruner.prune(EVER)).toMatchObject({ tasks: 2 });
    add(store, "t1");
    expect(store.pruner.prune(EVER)).toMatchObject({ tasks: 0, unread: 0 });
    expect(ids(store)).toEqual(["t1"]);
  });

  it("removes by size the oldest end first, whatever was submitted first", () => {
    const store = emptyStore();
    const [a, b, c] = ["a", "b", "c"].map((id) => add(store, id)) as [MemoryTask, MemoryTask, MemoryTask];
    end(store, b, 10);
    end(store, c, 20);
    end(store, a, 30);
    const { bytes } = store.pruner.prune({ endedBefore: 0 });
    expect(store.pruner.prune({ endedBefore: 0, maxBytes: bytes - 1 })).toMatchObject({ tasks: 1 });
    expect(ids(store)).toEqual(["a", "c"]);
    expect(store.pruner.prune({ endedBefore: 0, maxBytes: 0 })).toEqual({ tasks: 2, unread: 0, bytes: 0 });
  });

  it("takes nothing at all when every tree that had rows is gone", () => {
    const store = emptyStore();
    const task = add(store, "t1");
    task.write({ messages: [GOAL, GOAL] }, 5);
    task.receive(steer("m1"), 5);
    const { bytes } = store.pruner.prune(EVER);
    finish(store, { task, time: 10, how: DONE });
    const grown = store.pruner.prune({ endedBefore: 0 }).bytes;
    expect(grown - bytes).toBe(2 * (DONE.result ?? "").length);
    expect(store.pruner.prune(EVER)).toEqual({ tasks: 1, unread: 0, bytes: 0 });
  });
});
