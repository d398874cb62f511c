// What parents have had of a lane, and who is let in by it.

import { describe, expect, it } from "vitest";
import { CREDIT_CHILDREN, gpuMsOf, Shares, type Bill } from "../../src/scheduler/shares.ts";
import { Desk, sample } from "./desk.ts";

const bill = (): Bill => ({ prepaidMs: null, spentMs: 0 });

/** A child of this parent that is let in, costs so much and ends. */
function child(shares: Shares, parent: string, ms: number): void {
  const task = bill();
  shares.open(parent, task);
  shares.prepay(parent, task);
  shares.spend(parent, ms, task);
  shares.close(parent, task);
}

describe("Shares", () => {
  it("charge a child its cost in the end, whatever was charged when it was let in", () => {
    const shares = new Shares();
    child(shares, "p", 100);
    expect([shares.of("p"), shares.each]).toEqual([100, 100]);
    const task = bill();
    shares.open("p", task);
    shares.prepay("p", task);
    shares.prepay("p", task);
    expect([shares.of("p"), task.prepaidMs]).toEqual([200, 100]);
    shares.spend("p", 60, task);
    expect(shares.of("p")).toBe(200);
    shares.spend("p", 60, task);
    expect(shares.of("p")).toBe(220);
    shares.close("p", task);
    expect([shares.of("p"), shares.each]).toEqual([220, 104]);
    const idle = bill();
    shares.open("p", idle);
    shares.prepay("p", idle);
    shares.close("p", idle);
    expect(shares.of("p")).toBe(220);
  });

  it("let newcomers begin where all are on the average", () => {
    const shares = new Shares();
    const [p, q] = [bill(), bill()];
    for (let index = 0; index < 3; index++) child(shares, "p", 100);
    shares.open("p", p);
    shares.open("q", q);
    shares.prepay("p", p);
    shares.spend("p", 100, p);
    expect([shares.of("p"), shares.of("q"), shares.of("new")]).toEqual([400, 300, 350]);
  });

  it("let newcomers begin no higher than those who wait, but for some children", () => {
    const shares = new Shares();
    shares.open("q", bill());
    for (let index = 0; index < 10; index++) {
      shares.spend("", 5_000, null);
      child(shares, "q", 100);
    }
    expect([shares.of("q"), shares.of("new")]).toEqual([1_000, 900 + CREDIT_CHILDREN * 100]);
  });

  it("forget what a parent has not asked for, but for some children", () => {
    const shares = new Shares();
    const [p, q] = [bill(), bill()];
    shares.open("p", p);
    shares.open("q", q);
    shares.prepay("q", q);
    for (let index = 0; index < 10; index++) child(shares, "p", 100);
    expect(shares.of("q")).toBe(0);
    shares.open("q", bill());
    expect(shares.of("q")).toBe(500 - CREDIT_CHILDREN * 100);
  });

  it("take what comes after a task has ended, and from nobody they know", () => {
    const shares = new Shares();
    shares.spend("p", 100, null);
    shares.close("p", bill());
    expect(shares.of("p")).toBe(0);
    child(shares, "p", 5);
    shares.spend("p", 7, null);
    expect(shares.of("p")).toBe(12);
  });

  it("close accounts that owe nothing once there are many", () => {
    const shares = new Shares();
    for (let index = 0; index < 200; index++) child(shares, `p${index}`, 0);
    child(shares, "last", 50);
    expect(shares.of("p0")).toBe(50);
  });
});

describe("children that wait for a place", () => {
  it("are let in of the parent whose children have cost least, not of the one with fewest", () => {
    const desk = new Desk({ maxChildren: 1, slots: 9 });
    desk.admit("p1", { parentId: "p" });
    for (const task of ["p2", "q1", "p3", "q2", "q3", "q4"])
      desk.admit(task, { parentId: task[0] as string });
    const cost = (task: string, ms: number): string[] => {
      desk.run({ type: "observe", sample: sample(task, task[0] as string, ms) });
      return desk.end(task);
    };
    expect(cost("p1", 100)).toEqual(["admitted q1"]);
    expect(cost("q1", 20)).toEqual(["admitted q2"]);
    expect(cost("q2", 20)).toEqual(["admitted q3"]);
    expect(cost("q3", 20)).toEqual(["admitted q4"]);
    expect(cost("q4", 20)).toEqual(["admitted p2"]);
    expect(cost("p2", 20)).toEqual(["admitted p3"]);
  });

  it("are let in soon for a newcomer, whatever people and parents that only go on have had", () => {
    const desk = new Desk({ maxChildren: 2, slots: 9, maxQueued: 999 });
    desk.session("talk");
    desk.admit("h0", { parentId: "h" });
    const [live = ""] = desk.admit("q0", { parentId: "q" }).map((each) => each.replace("admitted ", ""));
    for (let index = 1; index < 120; index++) desk.admit(`q${index}`, { parentId: "q" });
    let last = live;
    const next = (): void => {
      desk.run({ type: "observe", sample: sample(last, last[0] as string, 100) });
      last = (desk.end(last)[0] as string).replace("admitted ", "");
    };
    for (let index = 0; index < 50; index++) {
      desk.run({ type: "observe", sample: sample("talk", null, 400) });
      desk.run({ type: "observe", sample: sample("h0", "h", 400) });
      next();
    }
    desk.admit("r0", { parentId: "r" });
    for (let passed = 0; passed <= CREDIT_CHILDREN && last !== "r0"; passed++) next();
    expect(last).toBe("r0");
  });

  it("have the positions in which they are let in", () => {
    const desk = new Desk({ maxChildren: 1 });
    for (const task of ["p1", "p2", "q1", "p3", "q2"]) desk.admit(task, { parentId: task[0] as string });
    desk.run({ type: "observe", sample: sample("p1", "p", 100) });
    desk.end("p1");
    const served = ["q1"];
    const waiting = ["p2", "p3", "q2"].toSorted((a, b) => (desk.position(a) ?? 0) - (desk.position(b) ?? 0));
    for (let last = "q1"; waiting.length >= served.length; last = served.at(-1) as string) {
      desk.run({ type: "observe", sample: sample(last, last[0] as string, 100) });
      served.push((desk.end(last)[0] as string).replace("admitted ", ""));
    }
    expect(served).toEqual(["q1", ...waiting]);
  });
});

describe("gpuMsOf", () => {
  it("is what the server told, else how long it ran there", () => {
    expect(gpuMsOf({ ...sample("a", null, 5), promptMs: 3, totalMs: 99 })).toBe(8);
    expect(gpuMsOf({ ...sample("a", null, 0), totalMs: 99, waitMs: 40, loadMs: 9 })).toBe(50);
    expect(gpuMsOf({ ...sample("a", null, 0), totalMs: 9, waitMs: 40 })).toBe(0);
    expect(gpuMsOf({ ...sample("a", null, 5), promptMs: Number.NaN })).toBe(5);
    expect(gpuMsOf({ ...sample("a", null, -5), promptMs: Number.POSITIVE_INFINITY, totalMs: 7 })).toBe(7);
  });
});
