import { describe, expect, it } from "vitest";
import { createBackend, createLane, createState, lanesOf, pauseLane } from "../../src/scheduler/state.ts";
import { caps, Desk } from "./desk.ts";

describe("a new state", () => {
  it("holds nothing, and waits for no moment", () => {
    const state = createState({ patienceMs: 1, leaseSalt: "" });
    expect([state.tasks, state.leases, state.backends, state.parents].map(({ size }) => size)).toEqual([
      0, 0, 0, 0,
    ]);
    expect([state.roaming.size, state.roamAt, state.paused]).toEqual([0, Infinity, false]);
  });

  it("lists the lanes of every backend", () => {
    const desk = new Desk();
    desk.backend({ backend: "cloud" });
    desk.admit("a", { profile: "m@1" });
    expect(Array.from(lanesOf(desk.state), ({ profile }) => profile)).toEqual(["", "m@1", ""]);
  });
});

describe("a new lane", () => {
  it.each([true, false])("has the limits of its backend; paused: %s", (paused) => {
    const lane = createLane(createBackend(caps({ slots: 3, maxChildren: 5 })), "m@1", paused);
    expect([lane.leases.limit, lane.places.limit, lane.doors.limit]).toEqual([3, 5, Infinity]);
    expect([lane.residence, lane.cap, lane.warm]).toEqual([null, null, null]);
    pauseLane(lane, false);
    expect(lane.places.hasRoom).toBe(true);
  });
});
