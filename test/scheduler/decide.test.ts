// The rules of the scheduler, command by command, on the deterministic core.

import { describe, expect, it } from "vitest";
import { counts } from "../../src/scheduler/view.ts";
import { Desk, SALT, thrownBy } from "./desk.ts";

describe("admission", () => {
  it("gives a place at once while there is one, and the next as soon as one is free", () => {
    const desk = new Desk({ maxChildren: 2 });
    expect(desk.admit("a")).toEqual(["admitted a"]);
    expect(desk.admit("b")).toEqual(["admitted b"]);
    expect(desk.admit("c")).toEqual([]);
    expect(desk.end("a")).toEqual(["admitted c"]);
  });

  it("says how long the task waited", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a");
    desk.admit("b");
    desk.now = 750;
    expect(desk.signals({ type: "end", taskId: "a" })).toEqual([
      { type: "admitted", taskId: "b", backend: "local", profile: "", waitedMs: 750 },
    ]);
  });

  it("keeps the child slot of a parked task, so that its parent gets no further child", () => {
    const desk = new Desk({ maxChildren: 5 });
    desk.admit("a", { parentSlots: 1 });
    expect(desk.park("a")).toEqual([]);
    expect(desk.admit("b", { parentSlots: 1 })).toEqual([]);
    expect(desk.end("a")).toEqual(["admitted b"]);
  });

  it("does not let a child that waits for its parent's slot block children of others", () => {
    const desk = new Desk({ maxChildren: 5 });
    desk.admit("a1", { parentId: "a", parentSlots: 1 });
    desk.admit("a2", { parentId: "a", parentSlots: 1 });
    expect(desk.admit("b1", { parentId: "b", parentSlots: 1 })).toEqual(["admitted b1"]);
  });

  it("takes the newest figure of a parent's slots, for those who wait too", () => {
    const desk = new Desk({ maxChildren: 5 });
    desk.admit("a", { parentSlots: 1 });
    desk.admit("b", { parentSlots: 1 });
    expect(desk.admit("c", { parentSlots: 3 })).toEqual(["admitted b", "admitted c"]);
    expect(desk.admit("d", { parentSlots: 1 })).toEqual([]);
    desk.end("a");
    desk.end("b");
    expect(desk.end("c")).toEqual(["admitted d"]);
  });

  it("caps the tasks of one agent under one parent, and lets other agents past them", () => {
    const desk = new Desk({ maxChildren: 9 });
    const coder = { agentLimit: { key: "coder", limit: 1 } };
    expect(desk.admit("c1", coder)).toEqual(["admitted c1"]);
    expect(desk.admit("c2", coder)).toEqual([]);
    expect(desk.admit("w1", { agentLimit: { key: "writer", limit: 1 } })).toEqual(["admitted w1"]);
    expect(desk.admit("plain")).toEqual(["admitted plain"]);
    expect(desk.admit("other", { ...coder, parentId: "elsewhere" })).toEqual(["admitted other"]);
    expect(desk.end("c1")).toEqual(["admitted c2"]);
  });

  it("admits by class, then in order of arrival", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("first");
    desk.admit("batch", { class: "batch" });
    desk.admit("b1");
    desk.admit("urgent", { class: "interactive" });
    desk.admit("b2");
    const order = ["first", "urgent", "b1", "b2"].map((taskId) => desk.end(taskId)[0]);
    expect(order).toEqual(["admitted urgent", "admitted b1", "admitted b2", "admitted batch"]);
  });

  it("lets parents take turns where their children wait for a place", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("first", { parentId: "x" });
    for (const taskId of ["a1", "a2", "a3"]) desk.admit(taskId, { parentId: "a" });
    for (const taskId of ["b1", "b2"]) desk.admit(taskId, { parentId: "b" });
    const order = ["first", "a1", "b1", "a2", "b2"].map((taskId) => desk.end(taskId)[0]);
    expect(order).toEqual(["admitted a1", "admitted b1", "admitted a2", "admitted b2", "admitted a3"]);
  });

  it("gives a session neither slot nor place", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("child");
    expect(desk.session("chat")).toEqual(["admitted chat"]);
    expect(counts(desk.state)).toEqual({ slots: 1, places: 1, leases: 0, waiting: 0 });
  });

  it("is not repeated for a task that is known", () => {
    const desk = new Desk();
    desk.admit("a");
    expect(desk.admit("a")).toEqual([]);
    expect(counts(desk.state).places).toBe(1);
  });
});

describe("pause", () => {
  it("holds back children until it is over, and lets a person open a session", () => {
    const desk = new Desk();
    desk.run({ type: "pause", paused: true });
    expect([...desk.admit("a"), ...desk.session("chat")]).toEqual(["admitted chat"]);
    expect(desk.run({ type: "pause", paused: false })).toEqual(["admitted a"]);
  });

  it("lets those who were admitted go on, and come back from being parked", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a");
    desk.park("a");
    desk.run({ type: "pause", paused: true });
    desk.admit("b");
    expect(desk.ask("a", { class: "resuming" })).toEqual(["granted a"]);
    expect(desk.end("a")).toEqual([]);
    expect(desk.run({ type: "pause", paused: false })).toEqual(["admitted b"]);
  });

  it("holds on a backend that is added while it lasts", () => {
    const desk = new Desk();
    desk.run({ type: "pause", paused: true });
    desk.backend({ backend: "second" });
    expect(desk.admit("a", { backend: "second" })).toEqual([]);
  });
});

describe("leases", () => {
  function three(): Desk {
    const desk = new Desk({ maxChildren: 9, slots: 1 });
    for (const taskId of ["a", "b", "c", "d"]) desk.admit(taskId);
    desk.ask("a");
    return desk;
  }

  it("S1 are granted up to the slots, each with a new id", () => {
    const desk = new Desk({ slots: 2, maxChildren: 9 });
    for (const taskId of ["a", "b", "c"]) desk.admit(taskId);
    expect([...desk.ask("a"), ...desk.ask("b"), ...desk.ask("c")]).toEqual(["granted a", "granted b"]);
    expect(desk.leaseOf("a")).toBe(`lease_${SALT}00000000`);
    expect(desk.leaseOf("b")).toBe(`lease_${SALT}00000001`);
    desk.now = 40;
    expect(desk.signals({ type: "release", leaseId: desk.leaseOf("a") })).toEqual([
      {
        type: "granted",
        lease: {
          leaseId: `lease_${SALT}00000002`,
          taskId: "c",
          backend: "local",
          profile: "",
          class: "background",
          grantedAt: 40,
          waitedMs: 40,
          inFlight: 2,
        },
      },
    ]);
  });

  it("go by class, then front, then order of asking", () => {
    const desk = three();
    desk.admit("e");
    desk.ask("b", { class: "batch", front: true });
    desk.ask("c");
    desk.ask("d", { front: true });
    desk.ask("e", { class: "resuming" });
    const order = ["a", "e", "d", "c"].map((taskId) => desk.release(taskId)[0]);
    expect(order).toEqual(["granted e", "granted d", "granted c", "granted b"]);
  });

  it("S3 end once: a second release gives nothing back", () => {
    const desk = three();
    const leaseId = desk.leaseOf("a");
    desk.ask("b");
    desk.ask("c");
    expect(desk.run({ type: "release", leaseId })).toEqual(["granted b"]);
    expect(desk.run({ type: "release", leaseId })).toEqual([]);
    expect(desk.run({ type: "release", leaseId: "lease_unknown" })).toEqual([]);
    expect(counts(desk.state).leases).toBe(1);
  });

  it("S1 are not revoked by a lowered cap, and none is granted until below it", () => {
    const desk = new Desk({ slots: 3, maxChildren: 9 });
    for (const taskId of ["a", "b", "c", "d", "e"]) desk.admit(taskId);
    for (const taskId of ["a", "b", "c", "d", "e"]) desk.ask(taskId);
    expect(desk.backend({ slots: 1, maxChildren: 9 })).toEqual([]);
    expect([...desk.release("a"), ...desk.release("b")]).toEqual([]);
    expect(desk.release("c")).toEqual(["granted d"]);
    expect(desk.backend({ slots: 2, maxChildren: 9 })).toEqual(["granted e"]);
  });

  it("S1 are not granted beyond a lowered cap to a task that gets its place by the same command", () => {
    const desk = new Desk({ slots: 1, maxChildren: 0 });
    desk.backend({ slots: 1, maxChildren: 1 });
    desk.admit("a");
    desk.park("a");
    desk.backend({ slots: 1, maxChildren: 0 });
    desk.ask("a");
    expect(desk.backend({ slots: 0, maxChildren: 1 })).toEqual([]);
    expect(desk.backend({ slots: 1, maxChildren: 1 })).toEqual(["granted a"]);
  });

  it("are not asked for twice, and a request can be withdrawn", () => {
    const desk = three();
    expect(desk.ask("a")).toEqual([]);
    desk.ask("b");
    desk.ask("b");
    desk.ask("c");
    expect(desk.run({ type: "withdraw", taskId: "b" })).toEqual([]);
    expect(desk.release("a")).toEqual(["granted c"]);
    expect(desk.release("c")).toEqual([]);
  });

  it("change class while they wait, keeping the rank of their request", () => {
    const desk = three();
    desk.ask("b");
    desk.ask("c", { class: "resuming" });
    desk.ask("d", { class: "batch" });
    desk.reclass("b", "resuming");
    desk.reclass("c", "batch");
    const order = ["a", "b", "c"].map((taskId) => desk.release(taskId)[0]);
    expect(order).toEqual(["granted b", "granted c", "granted d"]);
  });

  it("have at least the class that the task was given", () => {
    const desk = three();
    desk.reclass("c", "interactive");
    desk.ask("b", { class: "resuming" });
    expect(desk.ask("c")).toEqual([]);
    expect(desk.release("a")).toEqual(["granted c"]);
    desk.reclass("c", "batch");
    desk.release("c");
    desk.ask("d");
    desk.ask("c", { class: "resuming" });
    expect(desk.release("b")).toEqual(["granted c"]);
  });

  it("of one backend do not wait for another", () => {
    const desk = three();
    desk.backend({ backend: "cloud", gpu: null });
    desk.admit("x", { backend: "cloud" });
    desk.ask("b");
    expect(desk.ask("x")).toEqual(["granted x"]);
  });
});

describe("parked tasks", () => {
  it("give back their place, and return ahead of new children", () => {
    const desk = new Desk({ maxChildren: 1, slots: 1 });
    desk.admit("a");
    desk.admit("b");
    desk.admit("c", { class: "interactive" });
    expect(desk.park("a")).toEqual(["admitted c"]);
    expect(desk.ask("a", { class: "resuming", front: true })).toEqual([]);
    expect(desk.position("a")).toBe(1);
    expect(desk.end("c")).toEqual(["granted a"]);
    expect(counts(desk.state)).toMatchObject({ places: 1, leases: 1, waiting: 1 });
  });

  it("wait for the place first and for the lease then, counted as one wait", () => {
    const desk = new Desk({ maxChildren: 1, slots: 1 });
    desk.session("chat");
    desk.ask("chat", { class: "interactive" });
    desk.admit("a");
    desk.park("a");
    desk.admit("b");
    desk.now = 100;
    desk.ask("a", { class: "resuming" });
    desk.now = 400;
    expect(desk.end("b")).toEqual([]);
    desk.now = 900;
    const [granted] = desk.signals({ type: "release", leaseId: desk.leaseOf("chat") });
    expect(granted).toMatchObject({ lease: { taskId: "a", waitedMs: 800, grantedAt: 900 } });
  });

  it("withdraw what they asked for", () => {
    const desk = new Desk({ slots: 1 });
    desk.admit("a");
    desk.admit("b");
    desk.ask("a");
    desk.ask("b");
    desk.park("b");
    expect(desk.release("a")).toEqual([]);
    expect(counts(desk.state)).toEqual({ slots: 2, places: 1, leases: 0, waiting: 0 });
  });

  it("S2 cannot hold a lease", () => {
    const desk = new Desk();
    desk.admit("a");
    desk.ask("a");
    const error = thrownBy(() => desk.park("a"));
    expect([error.kind, error.code]).toEqual(["internal", "lease_held"]);
    expect(counts(desk.state)).toMatchObject({ places: 1, leases: 1 });
  });
});
