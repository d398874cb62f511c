// Whose generation is stopped for a person, when, and how many.

import { describe, expect, it } from "vitest";
import { nextWake } from "../../src/scheduler/patience.ts";
import { Desk, PATIENCE_MS } from "./desk.ts";

/** A backend on which the named tasks generate, one millisecond after another, and two sessions are open. */
function busy(generating: readonly string[], slots = generating.length): Desk {
  const desk = new Desk({ slots, maxChildren: 99 });
  for (const taskId of generating) {
    desk.now++;
    desk.admit(taskId);
    desk.ask(taskId);
  }
  desk.session("chat");
  desk.session("talk");
  return desk;
}

const interactive = { class: "interactive" } as const;

describe("patience", () => {
  it("stops the youngest generation once an interactive turn has waited long enough, not before", () => {
    const desk = busy(["old", "young"]);
    expect(desk.ask("chat", interactive)).toEqual([]);
    expect(desk.after(PATIENCE_MS - 1)).toEqual([]);
    expect(desk.after(1)).toEqual(["preempt young for chat"]);
    expect(desk.after(PATIENCE_MS)).toEqual([]);
  });

  it("gives the freed slot to that turn, and the stopped task its turn again before others of its class", () => {
    const desk = busy(["a", "b"]);
    desk.admit("c");
    desk.ask("c");
    desk.ask("chat", interactive);
    desk.after(PATIENCE_MS);
    expect(desk.release("b")).toEqual(["granted chat"]);
    desk.ask("b", { front: true });
    expect(desk.release("chat")).toEqual(["granted b"]);
    expect(desk.release("b")).toEqual(["granted c"]);
  });

  it("P1 stops one generation for each impatient turn", () => {
    const desk = busy(["a", "b", "c"]);
    desk.ask("chat", interactive);
    desk.now += 100;
    desk.ask("talk", interactive);
    expect(desk.after(PATIENCE_MS - 100)).toEqual(["preempt c for chat"]);
    expect(desk.after(100)).toEqual(["preempt b for talk"]);
    expect(desk.after(PATIENCE_MS)).toEqual([]);
    expect([...desk.release("c"), ...desk.release("b")]).toEqual(["granted chat", "granted talk"]);
  });

  it("P1 lets a stop that is under way serve the next turn, when the first one was served otherwise", () => {
    const desk = busy(["a", "b"]);
    desk.ask("chat", interactive);
    desk.ask("talk", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual(["preempt b for chat", "preempt a for talk"]);
    desk.run({ type: "withdraw", taskId: "chat" });
    desk.session("late");
    desk.ask("late", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual([]);
    expect([...desk.release("a"), ...desk.release("b")]).toEqual(["granted talk", "granted late"]);
  });

  it("P2 never stops an interactive generation, and says nothing when there is no other", () => {
    const desk = busy([], 1);
    desk.ask("chat", interactive);
    desk.ask("talk", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual([]);
    expect(desk.release("chat")).toEqual(["granted talk"]);
  });

  it("P2 stops a resuming or batch generation like any other", () => {
    const desk = new Desk({ slots: 2, maxChildren: 9 });
    desk.session("chat");
    desk.admit("batch");
    desk.admit("resuming");
    desk.ask("batch", { class: "batch" });
    desk.now = 1;
    desk.ask("resuming", { class: "resuming" });
    desk.ask("chat", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual(["preempt resuming for chat"]);
  });

  it("takes the class with which the lease was granted, not what was said of the task later", () => {
    const desk = busy(["a"]);
    desk.reclass("a", "interactive");
    desk.ask("chat", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual(["preempt a for chat"]);
  });

  it("begins when a waiting turn becomes interactive, and ends when it no longer is", () => {
    const desk = busy(["a"]);
    desk.admit("child");
    desk.ask("child");
    desk.after(3 * PATIENCE_MS);
    desk.reclass("child", "interactive");
    expect(desk.after(PATIENCE_MS - 1)).toEqual([]);
    desk.reclass("child", "background");
    expect(desk.after(1)).toEqual([]);
    desk.reclass("child", "interactive");
    expect(desk.after(PATIENCE_MS)).toEqual(["preempt a for child"]);
  });

  it("stops another generation when a lowered cap ate the slot that was freed", () => {
    const desk = busy(["a", "b"]);
    desk.ask("chat", interactive);
    desk.after(PATIENCE_MS);
    desk.backend({ slots: 1, maxChildren: 99 });
    expect(desk.release("b")).toEqual(["preempt a for chat"]);
    expect(desk.release("a")).toEqual(["granted chat"]);
  });

  it("is never lost on another backend", () => {
    const desk = busy(["a"]);
    desk.backend({ backend: "cloud" });
    desk.admit("far", { backend: "cloud" });
    desk.ask("far");
    desk.ask("chat", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual(["preempt a for chat"]);
  });
});

describe("nextWake", () => {
  it("is when the first patient turn loses its patience, and null when nobody waits like that", () => {
    const desk = busy(["a"]);
    expect(nextWake(desk.state)).toBeNull();
    desk.now = 1000;
    desk.ask("chat", interactive);
    desk.now = 2000;
    desk.ask("talk", interactive);
    expect(nextWake(desk.state)).toBe(1000 + PATIENCE_MS);
    desk.after(4000);
    expect(nextWake(desk.state)).toBe(2000 + PATIENCE_MS);
    desk.release("a");
    desk.end("talk");
    expect(nextWake(desk.state)).toBeNull();
  });
});

describe("children that a person hurried", () => {
  it("do not go before the session that they were stopped for, by turns and for ever", () => {
    const desk = busy(["a", "b"]);
    for (const taskId of ["a", "b"]) desk.release(taskId);
    for (const taskId of ["a", "b"]) desk.ask(taskId, interactive);
    desk.ask("chat", interactive);
    desk.ask("talk", interactive);
    expect(desk.after(PATIENCE_MS)).toEqual(["preempt b for chat", "preempt a for talk"]);
    desk.backend({ slots: 1, maxChildren: 99 });
    desk.release("a");
    desk.ask("a", { ...interactive, front: true });
    expect(desk.release("b")).toEqual(["granted chat"]);
    desk.ask("b", { ...interactive, front: true });
    expect(desk.release("chat")).toEqual(["granted talk"]);
    expect(desk.release("talk")).toEqual(["granted a"]);
    expect(desk.release("a")).toEqual(["granted b"]);
  });
});

describe("the patience of a turn whose model is not the next to come", () => {
  it.each(["a", "c"])("P3 stops what drains for another model, so that %s comes sooner", (profile) => {
    const desk = new Desk({ residency: { vramBytes: 1 }, slots: 2 });
    for (const taskId of ["a", "b"]) desk.admit(taskId, { profile: taskId, sizeBytes: 1 });
    desk.admit("chat", { profile, sizeBytes: 1, parentId: null, needsPlace: false, class: "interactive" });
    desk.ask("a");
    desk.report("a", "resident", { tookMs: 1_000 });
    desk.ask("b");
    expect(desk.after(600_000)).toEqual([]);
    expect(desk.ask("chat", interactive)).toEqual([]);
    expect(desk.after(PATIENCE_MS - 1)).toEqual([]);
    expect(desk.after(1)).toEqual(["preempt a for chat"]);
    expect(desk.after(PATIENCE_MS)).toEqual([]);
    expect(desk.release("a")).toEqual(["unload a"]);
  });
});
