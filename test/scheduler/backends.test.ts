// Lanes: one for each load profile of a backend, and which of them are open.

import { describe, expect, it } from "vitest";
import { lanes } from "../../src/scheduler/view.ts";
import { caps, Desk, thrownBy } from "./desk.ts";

const MANAGED = { residency: { vramBytes: null } } as const;

const profilesOf = (desk: Desk): string[] => lanes(desk.state, desk.now).map(({ profile }) => profile);

describe("lanes", () => {
  it("give every profile slots and places of its own, and share the room to wait", () => {
    const desk = new Desk({ slots: 1, maxChildren: 1, maxQueued: 1 });
    expect(desk.admit("a", { profile: "m" })).toEqual(["admitted a"]);
    expect(desk.admit("b", { profile: "n" })).toEqual(["admitted b"]);
    expect(desk.ask("a")).toEqual(["granted a"]);
    expect(desk.ask("b")).toEqual(["granted b"]);
    expect(desk.admit("c", { profile: "m" })).toEqual([]);
    expect(thrownBy(() => desk.admit("d", { profile: "n" })).code).toBe("queue_full");
    expect(desk.end("a")).toEqual(["admitted c"]);
  });

  it("show the profile of every lane, and the empty one while it has somebody", () => {
    const desk = new Desk();
    expect(profilesOf(desk)).toEqual([""]);
    desk.admit("a", { profile: "m" });
    expect(profilesOf(desk)).toEqual(["m"]);
    desk.admit("b");
    expect(profilesOf(desk)).toEqual(["", "m"]);
  });

  it("all take a change of caps", () => {
    const desk = new Desk({ maxChildren: 1 });
    for (const profile of ["m", "n"]) {
      desk.admit(`${profile}1`, { profile });
      desk.admit(`${profile}2`, { profile });
    }
    expect(desk.backend({ maxChildren: 2 })).toEqual(["admitted m2", "admitted n2"]);
  });
});

describe("setResidency", () => {
  it("lets turns through while the profile is resident, and stops none that is under way", () => {
    const desk = new Desk({ ...MANAGED, slots: 2 });
    desk.admit("a", { profile: "m" });
    desk.admit("b", { profile: "m" });
    desk.ask("a");
    expect(desk.leaseOf("a")).toBe("lease_none");
    expect(desk.report("m", "loading")).toEqual([]);
    expect(desk.report("m", "resident", { vramBytes: 7, tookMs: 9 })).toEqual(["granted a"]);
    desk.report("m", "unloading");
    expect(desk.leaseOf("a")).not.toBe("lease_none");
    expect(desk.ask("b")).toEqual([]);
    expect(desk.report("m", "resident")).toEqual(["granted b"]);
  });

  it("takes `draining`, which is the scheduler's own word, as resident", () => {
    const desk = new Desk(MANAGED);
    desk.report("m", "draining");
    expect(lanes(desk.state, 0)).toMatchObject([{ profile: "m", residency: "resident" }]);
  });

  it("does not touch what needs nothing loaded, and backends that it does not know", () => {
    const desk = new Desk();
    desk.admit("a", { profile: "m" });
    desk.report("m", "absent");
    expect(desk.ask("a")).toEqual(["granted a"]);
    desk.run({ type: "set_residency", report: { backend: "moon", profile: "m", state: "absent" } });
    expect(lanes(desk.state, 0)).toMatchObject([{ profile: "m", residency: null }]);
    const managed = new Desk(MANAGED);
    managed.admit("a");
    managed.report("", "absent");
    expect(managed.ask("a")).toEqual(["granted a"]);
  });

  it("refuses that residency comes or goes while it lives: nothing is loaded twice, and nothing changes", () => {
    const made = new Desk({ residency: { vramBytes: null } });
    made.admit("a", { profile: "m@1" });
    expect(made.ask("a")).toEqual(["load m@1"]);
    const plain = { type: "set_backend", caps: caps({ slots: 9 }) } as const;
    expect(thrownBy(() => made.run(plain)).code).toBe("residency_fixed");
    expect(made.backend({ slots: 2, residency: { vramBytes: 5 } })).toEqual([]);
    expect(made.report("m@1", "resident")).toEqual(["granted a"]);
    const unmanaged = new Desk();
    const managed = { residency: { vramBytes: null } };
    expect(thrownBy(() => unmanaged.backend(managed)).code).toBe("residency_fixed");
    expect(unmanaged.state.backends.get("local")?.caps.residency).toBeUndefined();
  });
});
