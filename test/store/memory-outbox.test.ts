import { describe, expect, it } from "vitest";
import { firstRecord } from "../../src/store/commit.ts";
import { checkOutbox, postMail } from "../../src/store/memory-outbox.ts";
import { MemoryTask } from "../../src/store/memory-task.ts";
import { completion, DONE, specimen, steer } from "./specimens.ts";

const taskOf = (id: string): MemoryTask =>
  new MemoryTask(firstRecord(specimen(id)), { order: 1, boxId: "b1" });
const finder =
  (...tasks: readonly MemoryTask[]) =>
  (id: string) =>
    tasks.find((task) => task.id === id);

function endedTask(id: string): MemoryTask {
  const task = taskOf(id);
  task.record = { ...task.record, state: "done", end: DONE };
  return task;
}

describe("the outbox", () => {
  it("D2 checks without writing: nobody has an inbox until the mail is posted", () => {
    const to = taskOf("t1");
    const mail = checkOutbox("c1", [{ to: "t1", message: completion("c1") }], finder(to));
    expect(to.inbox).toBeNull();
    postMail(mail, 9);
    expect(to.entriesAfter(0)).toMatchObject([{ position: 1, time: 9 }]);
  });

  it("refuses an unknown addressee", () => {
    const check = () => checkOutbox("c1", [{ to: "t9", message: steer("m1") }], finder());
    expect(check).toThrow(expect.objectContaining({ code: "task_not_found" }));
  });

  it("refuses an id with two contents, in the inbox and in the outbox itself", () => {
    const to = taskOf("t1");
    to.receive(steer("m1"), 5);
    const first = { to: "t1", message: steer("m2", "one") };
    const used = () => checkOutbox("c1", [{ to: "t1", message: steer("m1", "other") }], finder(to));
    const twice = () => checkOutbox("c1", [first, { to: "t1", message: steer("m2", "two") }], finder(to));
    expect(used).toThrow(expect.objectContaining({ code: "invalid_write" }));
    expect(twice).toThrow(expect.objectContaining({ code: "invalid_write" }));
  });

  it("D7 drops mail for an ended task, be its id used or not", () => {
    const ended = endedTask("t1");
    ended.receive(steer("m1"), 5);
    const outbox = [
      { to: "t1", message: steer("m1", "other") },
      { to: "t1", message: steer("m2") },
    ];
    postMail(checkOutbox("c1", outbox, finder(ended)), 9);
    expect(ended.entriesAfter(0)).toHaveLength(1);
  });

  it("is empty when a commit names none", () => {
    expect(checkOutbox("c1", undefined, finder())).toEqual([]);
  });
});
