// Where an ask stands: which level, which group, at which kind of gate.

import { describe, expect, it } from "vitest";
import { SCHEDULING_CLASSES } from "../../src/core/lifecycle.ts";
import { Desk } from "./desk.ts";
import { AHEAD_ASKS, AHEAD_MOST, groupAt, levelAt, rankAt } from "../../src/scheduler/line.ts";
import { PLACE_LEVELS, RETURNING_LEVELS, type Ask } from "../../src/scheduler/state.ts";

function laneAndAsk(): { desk: Desk; ask: Ask } {
  const desk = new Desk({ maxChildren: 0 });
  desk.admit("a");
  return { desk, ask: desk.state.tasks.get("a")?.ask as Ask };
}

describe("levelAt", () => {
  it("puts every returning task before every new one at the places, and fronts before their class", () => {
    const { desk, ask } = laneAndAsk();
    const { places } = ask.task.lane;
    const returning = SCHEDULING_CLASSES.flatMap((each) => [
      levelAt(places, { ...ask, kind: "turn", front: true, class: each }),
      levelAt(places, { ...ask, kind: "turn", front: false, class: each }),
    ]);
    const arriving = SCHEDULING_CLASSES.map((each) => levelAt(places, { ...ask, class: each }));
    expect(returning).toEqual(Array.from({ length: RETURNING_LEVELS }, (_, index) => index));
    expect(arriving).toEqual([8, 9, 10, 11]);
    expect(arriving.at(-1)).toBe(PLACE_LEVELS - 1);
    expect(desk.position("a")).toBe(1);
  });

  it("orders leases by class and front, and child slots by class alone", () => {
    const { ask } = laneAndAsk();
    const { lane, parent } = ask.task;
    const turn = { ...ask, kind: "turn", front: true } as const;
    expect(SCHEDULING_CLASSES.map((each) => levelAt(lane.leases, { ...turn, class: each }))).toEqual([
      1, 2, 4, 6,
    ]);
    const session = { ...turn, task: { ...ask.task, needsPlace: false } };
    expect(levelAt(lane.leases, { ...session, class: "interactive" })).toBe(0);
    expect(SCHEDULING_CLASSES.map((each) => levelAt(parent.slots, { ...ask, class: each }))).toEqual([
      0, 1, 2, 3,
    ]);
  });
});

describe("groupAt", () => {
  it("tells parents apart only where new children wait for a place", () => {
    const { ask } = laneAndAsk();
    const { lane, parent } = ask.task;
    expect(groupAt(lane.places, ask)).toBe("parent");
    expect(groupAt(lane.places, { ...ask, kind: "turn" })).toBe("");
    expect(groupAt(lane.leases, { ...ask, kind: "turn" })).toBe("");
    expect(groupAt(parent.slots, ask)).toBe("");
  });
});

describe("rankAt", () => {
  const turn = (ask: Ask, admittedAs: number, changes: Partial<Ask> = {}): Ask => {
    const task = { ...ask.task, admittedAs };
    return { ...ask, kind: "turn", tie: 500, among: 100, ...changes, task };
  };

  it("puts turns of children ahead by how many were admitted after them, up to a bound", () => {
    const { ask } = laneAndAsk();
    const { leases } = ask.task.lane;
    const ranks = [99, 98, 90, 0].map((admittedAs) => rankAt(leases, turn(ask, admittedAs)));
    expect(ranks).toEqual([1, 2, 10, AHEAD_MOST].map((younger) => 500 + (100 - younger) * AHEAD_ASKS));
  });

  it("never puts a younger child that asked later before an older one, however many were admitted since", () => {
    const { ask } = laneAndAsk();
    const { leases } = ask.task.lane;
    const older = rankAt(leases, turn(ask, 99));
    for (const among of [101, 110, 200]) {
      expect(rankAt(leases, turn(ask, 100, { tie: 501, among }))).toBeGreaterThan(older);
    }
  });

  it("leaves people, and lines for other things, in order of asking", () => {
    const { ask } = laneAndAsk();
    const { leases, places } = ask.task.lane;
    expect(rankAt(leases, turn(ask, 0, { class: "interactive" }))).toBe(500);
    expect(rankAt(places, turn(ask, 0))).toBe(500);
  });

  it("lets no turn be passed for ever by older children", () => {
    const desk = new Desk({ maxChildren: 3 });
    for (const task of ["old", "busy", "young"]) desk.admit(task);
    desk.ask("busy");
    desk.ask("young");
    let passed = 0;
    // Each time the old one generates, another one has asked and gone.
    for (let granted = ""; granted !== "young"; passed++) {
      desk.ask("old");
      granted = desk.release(passed % 2 === 0 ? "busy" : "old")[0]?.replace("granted ", "") ?? "";
      if (granted === "old") desk.ask("busy");
    }
    expect(passed).toBeGreaterThan(1);
    expect(passed).toBeLessThanOrEqual(AHEAD_ASKS * AHEAD_MOST);
  });
});
