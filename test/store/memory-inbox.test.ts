import { describe, expect, it } from "vitest";
import { MAX_INBOX } from "../../src/core/limits.ts";
import { MemoryInbox, repeats } from "../../src/store/memory-inbox.ts";
import { cancel, completion, FAILED, steer } from "./specimens.ts";

const full = expect.objectContaining({ code: "inbox_full" }) as Error;

describe("MemoryInbox", () => {
  it("I1 numbers entries from 1 and finds them by message id", () => {
    const inbox = new MemoryInbox("t1");
    for (const id of ["m1", "m2", "m3"]) inbox.append(steer(id), 5);
    expect(inbox.after(0).map((entry) => entry.position)).toEqual([1, 2, 3]);
    expect(inbox.find(steer("m2"))).toMatchObject({ position: 2, state: "queued" });
    expect(inbox.find(steer("m9"))).toBeNull();
  });

  it("never takes what somebody wrote for a child's end of the same id", () => {
    const inbox = new MemoryInbox("t1");
    inbox.append(steer("task_1"), 5);
    expect(inbox.find(completion("task_1"))).toBeNull();
    expect(inbox.earlier(completion("task_1"))).toBeNull();
  });

  it("I2 settles each entry once: by the cursor or by the end", () => {
    const inbox = new MemoryInbox("t1");
    for (const id of ["m1", "m2", "m3"]) inbox.append(steer(id), 5);
    inbox.deliver(1, 4);
    inbox.deliver(1, 9);
    inbox.refuseRest("task_done");
    const outcomes = inbox.after(0).map(({ state, turn, reason }) => [state, turn, reason]);
    expect(outcomes).toEqual([
      ["delivered", 4, null],
      ["undelivered", null, "task_done"],
      ["undelivered", null, "task_done"],
    ]);
  });

  it("replaces entries, so that one handed out stays as it was", () => {
    const inbox = new MemoryInbox("t1");
    const entry = inbox.append(steer("m1"), 5);
    inbox.deliver(1, 4);
    expect(entry.state).toBe("queued");
    expect(inbox.find(steer("m1"))?.state).toBe("delivered");
  });

  it("bounds what people say and their cancels apart, and completions not at all", () => {
    const inbox = new MemoryInbox("t1");
    for (let at = 0; at < MAX_INBOX; at += 1) inbox.append(steer(`m${at}`), 5);
    expect(() => inbox.checkRoom(steer("more"))).toThrow(full);
    for (let at = 0; at < MAX_INBOX; at += 1) {
      expect(inbox.checkRoom(cancel("x"))).toBeUndefined();
      inbox.append(cancel(`x${at}`), 5);
    }
    expect(() => inbox.checkRoom(cancel("x"))).toThrow(full);
    expect(inbox.checkRoom(completion("c1"))).toBeUndefined();
  });

  it("has room again for each entry that was settled", () => {
    const inbox = new MemoryInbox("t1");
    for (let at = 0; at < MAX_INBOX; at += 1) inbox.append(steer(`m${at}`), 5);
    inbox.deliver(2, 1);
    for (const id of ["a", "b"]) {
      inbox.checkRoom(steer(id));
      inbox.append(steer(id), 5);
    }
    expect(() => inbox.checkRoom(steer("c"))).toThrow(full);
  });
});

describe("repeats", () => {
  it("compares contents, not the order of keys nor keys without a value", () => {
    const turned = { interrupt: false, text: "steer m1", from: "person", id: "m1", kind: "steer" } as const;
    expect(repeats(steer("m1"), turned)).toBe(true);
    expect(repeats(steer("m1"), { ...turned, note: undefined } as typeof turned)).toBe(true);
    expect(repeats(steer("m1"), { ...turned, interrupt: true })).toBe(false);
    expect(repeats(steer("m1"), { ...turned, note: "x" } as typeof turned)).toBe(false);
  });

  it("tells kinds apart, and takes any second completion of a child for the first", () => {
    expect(repeats(steer("m1"), cancel("m1"))).toBe(false);
    expect(repeats(completion("c1"), completion("c1", FAILED))).toBe(true);
    expect(repeats(completion("c1"), steer("c1"))).toBe(false);
  });
});
