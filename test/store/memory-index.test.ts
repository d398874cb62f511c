import { describe, expect, it } from "vitest";
import { firstRecord, recordAfter } from "../../src/store/commit.ts";
import { TaskIndex } from "../../src/store/memory-index.ts";
import type { Tree } from "../../src/store/memory-index.ts";
import { MemoryTask } from "../../src/store/memory-task.ts";
import { childOf, DONE, specimen } from "./specimens.ts";

/** A task that counts how often its record is read. */
function countedTask(index: TaskIndex, reads: { count: number }, parts = {}): MemoryTask {
  const order = index.nextOrder;
  const task = new MemoryTask(firstRecord(specimen(`t${order}`, parts)), { order, boxId: "b1" });
  let record = task.record;
  Object.defineProperty(task, "record", {
    get: () => {
      reads.count += 1;
      return record;
    },
    set: (next: typeof record) => {
      record = next;
    },
  });
  index.add(task);
  return task;
}

function endTask(index: TaskIndex, task: MemoryTask, time = 1): void {
  const before = task.record.state;
  task.record = recordAfter(task.record, { terminal: DONE }, time);
  index.moved(task, before);
}

const ids = (index: TaskIndex, query: Parameters<TaskIndex["page"]>[0]): readonly string[] =>
  index.page(query).items.map((record) => record.spec.id);

describe("TaskIndex", () => {
  it("X1 goes on after the cursor's task, whatever was added or has ended since", () => {
    const index = new TaskIndex();
    const tasks = Array.from({ length: 6 }, () => countedTask(index, { count: 0 }));
    const first = index.page({ state: "spawned", limit: 2 });
    for (const task of [tasks[1], tasks[2], tasks[4]]) endTask(index, task as MemoryTask);
    countedTask(index, { count: 0 });
    const cursor = first.nextCursor as string;
    expect(ids(index, { state: "spawned", cursor })).toEqual(["t4", "t6", "t7"]);
  });

  it("X2 reads the tasks alive for a list of one unfinished state, not the history", () => {
    const index = new TaskIndex();
    const reads = { count: 0 };
    const tasks = Array.from({ length: 2_000 }, () => countedTask(index, reads));
    reads.count = 0;
    for (const task of tasks.slice(0, 1_990)) endTask(index, task);
    expect(reads.count / 1_990).toBeLessThan(6);
    reads.count = 0;
    expect(ids(index, { state: "spawned" })).toHaveLength(10);
    expect(reads.count).toBeLessThan(100);
  });

  it("reads a parent's children and a tree without looking at other tasks", () => {
    const index = new TaskIndex();
    const reads = { count: 0 };
    for (let at = 0; at < 500; at += 1) countedTask(index, reads);
    for (let at = 0; at < 3; at += 1) countedTask(index, reads, childOf("t1"));
    reads.count = 0;
    expect(ids(index, { parentId: "t1" })).toEqual(["t501", "t502", "t503"]);
    expect(ids(index, { rootId: "t1" })).toEqual(["t1", "t501", "t502", "t503"]);
    expect(reads.count).toBeLessThan(40);
  });

  it("reads no more tasks for a late page than for the first", () => {
    const index = new TaskIndex();
    const reads = { count: 0 };
    for (let at = 0; at < 1_000; at += 1) countedTask(index, reads);
    reads.count = 0;
    index.page({ limit: 10 });
    const first = reads.count;
    expect(ids(index, { limit: 10, cursor: `t${(900).toString(36)}` })[0]).toBe("t901");
    expect(reads.count - first).toBe(first);
  });

  it("counts states as tasks move, and hands out a copy", () => {
    const index = new TaskIndex();
    const task = countedTask(index, { count: 0 });
    const before = index.counts();
    task.record = recordAfter(task.record, { state: "running" }, 1);
    index.moved(task, "spawned");
    expect(before).toMatchObject({ spawned: 1, running: 0 });
    expect(index.counts()).toMatchObject({ spawned: 0, running: 1 });
    expect(index.get(task.id)).toBe(task);
  });

  it("forgets a tree that has ended: in every list, in its counts and by its ids", () => {
    const index = new TaskIndex();
    const reads = { count: 0 };
    const root = countedTask(index, reads);
    const other = countedTask(index, reads);
    const child = countedTask(index, reads, childOf("t1"));
    expect(index.tree("t1")).toMatchObject({ tasks: [root, child], living: 2 });
    for (const task of [root, child]) endTask(index, task);
    index.removeTree(index.tree("t1") as Tree);
    expect([index.get("t1"), index.get("t3"), index.tree("t1")]).toEqual([undefined, undefined, undefined]);
    expect([ids(index, {}), ids(index, { parentId: "t1" }), ids(index, { rootId: "t1" })]).toEqual([
      ["t2"],
      [],
      [],
    ]);
    expect(index.counts()).toMatchObject({ spawned: 1, done: 0 });
    expect([index.nextOrder, index.get("t2")]).toEqual([4, other]);
  });

  it("dates a tree by the latest of its ends, also when the clock was set back", () => {
    const index = new TaskIndex();
    const [root, child] = [{}, childOf("t1")].map((parts) => countedTask(index, { count: 0 }, parts));
    endTask(index, child as MemoryTask, 50);
    endTask(index, root as MemoryTask, 20);
    expect(index.tree("t1")).toMatchObject({ living: 0, lastEnd: 50 });
  });
});
