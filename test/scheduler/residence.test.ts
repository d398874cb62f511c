// What is learned of profiles: what a swap costs, which fit together, how long tools take.

import { describe, expect, it } from "vitest";
import { fit, MISFIT_MS, noteToolTime, swapMs } from "../../src/scheduler/residence.ts";
import type { Backend, Lane } from "../../src/scheduler/state.ts";
import { Desk } from "./desk.ts";

function backendOf(desk: Desk): Backend {
  return desk.state.backends.get("local") as Backend;
}

const lane = (desk: Desk, profile: string): Lane => backendOf(desk).lanes.get(profile) as Lane;

function desk(vramBytes: number | null): Desk {
  const made = new Desk({ residency: { vramBytes } });
  for (const profile of ["a", "b", "c"]) made.report(profile, "absent");
  return made;
}

const fits = (made: Desk, ...profiles: string[]): boolean | null =>
  fit(
    backendOf(made),
    profiles.map((profile) => lane(made, profile)),
    made.now,
  );

describe("swapMs", () => {
  it("is a guess until loads and unloads were seen, and follows the newest slowly", () => {
    const made = desk(null);
    expect(swapMs(lane(made, "a"))).toBe(8_000);
    made.report("a", "loading");
    made.report("a", "resident", { tookMs: 10_000 });
    expect(swapMs(lane(made, "a"))).toBe(10_000);
    made.report("a", "unloading");
    made.report("a", "absent", { tookMs: 1_000 });
    expect(swapMs(lane(made, "a"))).toBe(11_000);
    made.report("a", "loading");
    made.report("a", "resident", { tookMs: 20_000 });
    expect(swapMs(lane(made, "a"))).toBe(14_000);
    expect(swapMs(lane(made, "b"))).toBe(8_000);
  });

  it("learns nothing from a time that cannot be", () => {
    const made = desk(null);
    for (const tookMs of [Number.NaN, Number.POSITIVE_INFINITY, -3_600_000]) {
      made.report("a", "loading");
      made.report("a", "resident", { tookMs });
      made.report("a", "unloading");
      made.report("a", "absent", { tookMs });
    }
    expect(swapMs(lane(made, "a"))).toBe(8_000);
  });
});

describe("fit", () => {
  it("is certain of one alone, and of more only by sizes or by sight", () => {
    const made = desk(100);
    expect([fits(made, "a"), fits(made, "a", "b")]).toEqual([true, null]);
    made.report("a", "resident", { vramBytes: 40 });
    made.report("b", "absent", { vramBytes: 40 });
    made.report("c", "absent", { vramBytes: 1 });
    expect([fits(made, "a", "b"), fits(made, "a", "b", "c")]).toEqual([true, false]);
    expect(fits(desk(null), "a", "b")).toBe(null);
  });

  it("remembers which were loaded together, and parts of them, until one goes by itself", () => {
    const made = desk(null);
    for (const profile of ["a", "b", "c"]) {
      made.report(profile, "loading");
      made.report(profile, "resident");
    }
    expect([fits(made, "a", "b", "c"), fits(made, "a", "c")]).toEqual([true, true]);
    made.report("c", "absent");
    expect([fits(made, "a", "b"), fits(made, "a", "c")]).toEqual([true, null]);
  });

  it("believes what was seen rather than sizes", () => {
    const made = desk(100);
    for (const profile of ["a", "b"]) made.report(profile, "absent", { vramBytes: 40 });
    made.report("a", "resident");
    made.admit("task", { profile: "b" });
    expect(made.ask("task")).toEqual(["load b"]);
    made.report("a", "absent");
    made.report("b", "resident");
    expect([fits(made, "a", "b"), fits(made, "a", "b", "c"), fits(made, "b")]).toEqual([false, false, true]);
  });

  /** `a` goes while `b` is loaded beside it. */
  function clash(made: Desk): void {
    made.report("a", "resident");
    made.report("b", "absent");
    made.ask("task");
    made.report("a", "absent");
    made.report("b", "resident");
  }

  it("R3 tries again what did not fit after a while, with the others at rest, and each time later", () => {
    const made = desk(100);
    for (const profile of ["a", "b"]) made.report(profile, "absent", { vramBytes: 40 });
    made.admit("task", { profile: "b" });
    clash(made);
    made.now = MISFIT_MS - 1;
    expect(fits(made, "a", "b")).toBe(false);
    made.now = MISFIT_MS;
    expect([fits(made, "a", "b"), fits(made, "a", "b", "c")]).toEqual([null, null]);
    made.end("task");
    made.admit("task", { profile: "b" });
    clash(made);
    made.now += 2 * MISFIT_MS - 1;
    expect(fits(made, "a", "b")).toBe(false);
    made.now += 1;
    expect(fits(made, "a", "b")).toBe(null);
    // And this time both stay.
    made.report("b", "absent");
    made.report("a", "resident");
    made.report("b", "loading");
    made.report("b", "resident");
    expect(fits(made, "a", "b")).toBe(true);
  });

  it("R3 tries again at once when there is more memory than then, and not when there is less", () => {
    const made = desk(100);
    for (const profile of ["a", "b"]) made.report(profile, "absent", { vramBytes: 40 });
    made.admit("task", { profile: "b" });
    clash(made);
    made.backend({ residency: { vramBytes: 90 } });
    expect(fits(made, "a", "b")).toBe(false);
    made.backend({ residency: { vramBytes: 120 } });
    expect(fits(made, "a", "b")).toBe(null);
  });

  it("wakes a turn that waits for one in use when both may be tried together", () => {
    const made = desk(100);
    for (const profile of ["a", "b"]) made.report(profile, "absent", { vramBytes: 40 });
    made.admit("task", { profile: "b" });
    clash(made);
    made.admit("other", { profile: "a" });
    made.ask("other");
    expect(backendOf(made).housing.wakeAt).toBeLessThanOrEqual(MISFIT_MS);
  });

  it("gives the memory to one alone after a load that failed", () => {
    const made = desk(null);
    made.report("a", "loading");
    made.report("a", "absent");
    expect([fits(made, "a", "b"), fits(made, "a")]).toEqual([false, true]);
    made.report("a", "loading");
    made.report("a", "resident");
    expect(fits(made, "a", "b")).toBe(null);
  });
});

describe("noteToolTime", () => {
  it("lets a model linger for most of the latest tools, within bounds", () => {
    const { housing } = backendOf(desk(null));
    for (let index = 0; index < 7; index++) noteToolTime(housing, 3_000);
    expect(housing.lingerMs).toBe(5_000);
    noteToolTime(housing, 60_000);
    expect(housing.lingerMs).toBe(3_000);
    for (let index = 0; index < 20; index++) noteToolTime(housing, 60_000);
    expect(housing.lingerMs).toBe(15_000);
    for (let index = 0; index < 32; index++) noteToolTime(housing, 1);
    expect(housing.lingerMs).toBe(1_000);
    expect(housing.toolTimes).toHaveLength(32);
  });
});
