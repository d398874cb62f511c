// What people are shown: positions, reasons, lanes, totals.

import { describe, expect, it } from "vitest";
import { counts, holders, lanes, placeOf } from "../../src/scheduler/view.ts";
import { Desk } from "./desk.ts";

describe("placeOf", () => {
  it("is null for a task that waits for nothing, and for one that is not known", () => {
    const desk = new Desk();
    desk.admit("a");
    expect([placeOf(desk.state, "a"), placeOf(desk.state, "nobody")]).toEqual([null, null]);
  });

  it("gives the position, the length of the line and the reason, wherever the task waits", () => {
    const desk = new Desk({ slots: 2, maxChildren: 3 });
    const coder = { agentLimit: { key: "coder", limit: 1 } };
    desk.admit("a", coder);
    desk.admit("a2", coder);
    desk.admit("b");
    desk.admit("c", { parentId: "p", parentSlots: 1 });
    desk.admit("c2", { parentId: "p", parentSlots: 1 });
    desk.admit("d");
    desk.admit("e");
    for (const taskId of ["a", "b", "c"]) desk.ask(taskId);
    expect(placeOf(desk.state, "a2")).toEqual({
      position: 1,
      length: 1,
      wants: "place",
      reason: "1 of 1 place for coder under parent is taken",
    });
    expect(placeOf(desk.state, "c2")).toEqual({
      position: 1,
      length: 1,
      wants: "place",
      reason: "1 of 1 child slot of p is taken",
    });
    expect(placeOf(desk.state, "e")).toEqual({
      position: 2,
      length: 2,
      wants: "place",
      reason: "3 of 3 places on gpu0 are taken",
    });
    expect(placeOf(desk.state, "c")).toEqual({
      position: 1,
      length: 1,
      wants: "lease",
      reason: "2 of 2 slots on gpu0 are generating",
    });
  });

  it("says that the box is paused to those whom the pause holds back, and to no others", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a");
    desk.park("a");
    desk.admit("b");
    desk.run({ type: "pause", paused: true });
    desk.admit("c");
    desk.session("chat");
    desk.ask("a", { class: "resuming" });
    expect(placeOf(desk.state, "a")).toMatchObject({ position: 1, reason: "1 of 1 place on gpu0 is taken" });
    expect(placeOf(desk.state, "c")).toMatchObject({ position: 2, reason: "the box is paused" });
    expect(placeOf(desk.state, "chat")).toBeNull();
  });

  it("names the backend where there is no GPU", () => {
    const desk = new Desk({ slots: 0, gpu: null });
    desk.admit("a");
    desk.ask("a");
    expect(placeOf(desk.state, "a")?.reason).toBe("0 of 0 slots on local are generating");
  });

  it("moves up as others are served", () => {
    const desk = new Desk({ maxChildren: 1 });
    for (const taskId of ["a", "b", "c", "d"]) desk.admit(taskId);
    expect(["b", "c", "d"].map((taskId) => desk.position(taskId))).toEqual([1, 2, 3]);
    desk.end("a");
    expect(["c", "d"].map((taskId) => desk.position(taskId))).toEqual([1, 2]);
    desk.end("c");
    expect(desk.position("d")).toBe(1);
    desk.admit("e", { class: "interactive" });
    expect(["e", "d"].map((taskId) => desk.position(taskId))).toEqual([1, 2]);
  });
});

describe("lanes", () => {
  it("show who holds what and who waits, in order, for each backend", () => {
    const desk = new Desk({ slots: 1, maxChildren: 2 });
    desk.backend({ backend: "cloud", gpu: null, provider: "openai" });
    for (const taskId of ["a", "b", "c"]) desk.admit(taskId, { parentSlots: 3 });
    desk.admit("d", { parentSlots: 3 });
    desk.ask("a");
    desk.now = 250;
    desk.ask("b");
    desk.now = 1000;
    expect(lanes(desk.state, desk.now)).toEqual([
      {
        backend: "local",
        profile: "",
        residency: null,
        provider: "ollama",
        gpu: "gpu0",
        slots: 1,
        slotsAuto: false,
        slotsReason: null,
        maxChildren: 2,
        leases: [{ leaseId: desk.leaseOf("a"), taskId: "a", class: "background", heldMs: 1000 }],
        places: ["a", "b"],
        waiting: [
          {
            taskId: "b",
            wants: "lease",
            class: "background",
            position: 1,
            waitedMs: 750,
            reason: "1 of 1 slot on gpu0 is generating",
          },
          {
            taskId: "c",
            wants: "place",
            class: "background",
            position: 1,
            waitedMs: 1000,
            reason: "2 of 2 places on gpu0 are taken",
          },
          {
            taskId: "d",
            wants: "place",
            class: "background",
            position: 1,
            waitedMs: 1000,
            reason: "3 of 3 child slots of parent are taken",
          },
        ],
      },
      {
        backend: "cloud",
        profile: "",
        residency: null,
        provider: "openai",
        gpu: null,
        slots: 1,
        slotsAuto: false,
        slotsReason: null,
        maxChildren: 2,
        leases: [],
        places: [],
        waiting: [],
      },
    ]);
  });
});

describe("counts", () => {
  it("add up slots, places, leases and everybody who waits", () => {
    const desk = new Desk({ slots: 1, maxChildren: 2 });
    for (const taskId of ["a", "b", "c"]) desk.admit(taskId);
    desk.session("chat");
    desk.ask("a");
    desk.ask("b");
    desk.ask("chat", { class: "interactive" });
    expect(counts(desk.state)).toEqual({ slots: 3, places: 2, leases: 1, waiting: 3 });
  });
});

describe("holders", () => {
  it("names every known task with what it holds, and adds up to the totals", () => {
    const desk = new Desk({ slots: 1, maxChildren: 2 });
    for (const taskId of ["a", "b", "c"]) desk.admit(taskId);
    desk.session("chat");
    for (const taskId of ["a", "b"]) desk.ask(taskId);
    desk.park("b");
    const held = holders(desk.state);
    expect(held.map(({ taskId, place, slot }) => [taskId, place, slot])).toEqual([
      ["a", true, true],
      ["b", false, true],
      ["c", true, true],
      ["chat", false, false],
    ]);
    expect(held.map(({ leaseId }) => leaseId !== null)).toEqual([true, false, false, false]);
    const { slots, places, leases } = counts(desk.state);
    expect([slots, places, leases]).toEqual([3, 2, 1]);
    desk.run({ type: "end", taskId: "a" });
    expect(holders(desk.state).map(({ taskId }) => taskId)).toEqual(["b", "c", "chat"]);
  });
});
