// What becomes of a plan: which lanes are shut, what the owner is told, when time is looked at again.

import { describe, expect, it } from "vitest";
import { nextWake } from "../../src/scheduler/patience.ts";
import { lanes } from "../../src/scheduler/view.ts";
import { Desk } from "./desk.ts";

const residencyOf = (desk: Desk): (string | null)[] =>
  lanes(desk.state, desk.now).map(({ residency }) => residency);

function two(): Desk {
  const desk = new Desk({ residency: { vramBytes: 1 } });
  for (const profile of ["a", "b"]) desk.admit(profile, { profile, sizeBytes: 1 });
  return desk;
}

describe("settle", () => {
  it("moves a lane with what it tells the owner, so that nothing is told twice", () => {
    const desk = two();
    expect(desk.signals({ type: "request_lease", request: { taskId: "a", class: "background" } })).toEqual([
      { type: "load", backend: "local", profile: "a" },
    ]);
    expect(residencyOf(desk)).toEqual(["loading", "absent"]);
    expect(desk.report("a", "resident")).toEqual(["granted a"]);
    desk.ask("b");
    expect(desk.end("a")).toEqual(["unload a"]);
    expect(residencyOf(desk)).toEqual(["unloading", "absent"]);
    expect(desk.report("a", "absent")).toEqual(["load b"]);
    expect(residencyOf(desk)).toEqual(["absent", "loading"]);
  });

  it("wakes for nothing while the owner is at work, and where nothing waits", () => {
    const desk = two();
    expect(nextWake(desk.state)).toBe(null);
    desk.ask("a");
    expect(nextWake(desk.state)).toBe(null);
    desk.report("a", "absent");
    expect(nextWake(desk.state)).toBe(5_000);
  });

  it("tries an unload that failed again later", () => {
    const desk = two();
    desk.ask("a");
    desk.report("a", "resident");
    desk.ask("b");
    expect(desk.end("a")).toEqual(["unload a"]);
    expect(desk.report("a", "resident")).toEqual([]);
    expect(desk.after(4_999)).toEqual([]);
    expect(desk.after(1)).toEqual(["unload a"]);
  });
});
