// Where an ask stands: which level, which group, at which kind of gate.

import { describe, expect, it } from "vitest";
import { SCHEDULING_CLASSES } from "../../src/core/lifecycle.ts";
import { Desk } from "./desk.ts";
import { groupAt, levelAt, PLACE_LEVELS, RETURNING_LEVELS, type Ask } from "../../src/scheduler/state.ts";

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
      0, 2, 4, 6,
    ]);
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
