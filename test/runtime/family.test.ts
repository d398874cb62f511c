import { describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import type { SchedulingClass } from "../../src/core/lifecycle.ts";
import type { TaskEnd, TaskSpec } from "../../src/core/task.ts";
import { Family, type Member } from "../../src/runtime/family.ts";
import { specOf } from "./specimens.ts";

const END: TaskEnd = { state: "done", result: null, truncated: false, failure: null };

/** A member that writes down what it was told. */
class Noting implements Member {
  readonly id: string;
  readonly spec: TaskSpec;
  ending = false;
  readonly told: string[];

  constructor(id: string, told: string[], rest: Partial<TaskSpec>) {
    this.id = id;
    this.spec = specOf({ id, rootId: "root", ...rest });
    this.told = told;
  }

  cancel(reason: string, force: boolean): void {
    this.told.push(`${this.id} cancel ${reason} ${force}`);
  }

  async announceMail(): Promise<void> {
    this.told.push(`${this.id} mail`);
    await settle();
    this.told.push(`${this.id} mail read`);
  }

  childEnded(): void {
    this.told.push(`${this.id} child ended`);
  }

  childSpawned(): void {
    this.told.push(`${this.id} child spawned`);
  }

  inheritClass(schedulingClass: SchedulingClass | null): void {
    this.told.push(`${this.id} inherits ${schedulingClass}`);
  }
}

/** root → a → (c, d), root → b. */
function tree(): { family: Family<Noting>; told: string[]; gone: string[] } {
  const [told, gone]: [string[], string[]] = [[], []];
  const family = new Family<Noting>((member) => gone.push(member.id));
  const parents: Record<string, string | null> = { root: null, a: "root", b: "root", c: "a", d: "a" };
  for (const [id, parent] of Object.entries(parents)) family.add(new Noting(id, told, { parentId: parent }));
  told.length = 0;
  return { family, told, gone };
}

describe("Family", () => {
  test("F1 knows who lives, and whose child each is", () => {
    const { family } = tree();
    expect(family.size).toBe(5);
    expect([family.isLive("c"), family.isLive("x")]).toEqual([true, false]);
    expect([family.liveChildren("root"), family.liveCount("a"), family.liveCount("d")]).toEqual([
      ["a", "b"],
      2,
      0,
    ]);
  });

  test("gives a subtree with parents before their children", () => {
    const { family } = tree();
    const ids = family.subtree("root").map(({ id }) => id);
    expect(ids.toSorted()).toEqual(["a", "b", "c", "d", "root"]);
    for (const [child, parent] of [
      ["c", "a"],
      ["d", "a"],
      ["a", "root"],
    ] as const)
      expect(ids.indexOf(parent)).toBeLessThan(ids.indexOf(child));
    expect(family.subtree("nobody")).toEqual([]);
  });

  test("F2 tells the parent of an end after its mail was read, and once", async () => {
    const { family, told, gone } = tree();
    family.ended("c", END);
    family.ended("c", END);
    await settle();
    await settle();
    expect(told).toEqual(["a mail", "a mail read", "a child ended"]);
    expect([gone, family.isLive("c")]).toEqual([["c"], false]);
  });

  test("tells the parent of a lost child too, though nothing came by mail", async () => {
    const { family, told } = tree();
    family.lost("c");
    await settle();
    expect(told).toEqual(["a child ended"]);
  });

  test("F3 a child whose parent ends, has ended or is unknown starts cancelled, unless it was detached", () => {
    const { family, told } = tree();
    const spec = specOf({ id: "new", parentId: "a" });
    expect(family.isOrphan(spec)).toBe(false);
    (family.get("a") as Noting).ending = true;
    expect(family.isOrphan(spec)).toBe(true);
    expect(family.isOrphan({ ...spec, parentId: "nobody" })).toBe(true);
    expect(family.isOrphan({ ...spec, parentId: null })).toBe(false);
    expect(family.isOrphan({ ...spec, parentId: "nobody", detached: true })).toBe(false);
    expect(told).toEqual([]);
  });

  test("a detached child is nobody's to wait for or to cancel, and its end is still told", async () => {
    const { family, told } = tree();
    family.add(new Noting("free", told, { parentId: "root", detached: true }));
    expect(family.liveChildren("root")).toEqual(["a", "b"]);
    family.cancelChildren("root", "enough");
    expect(told.some((line) => line.startsWith("free"))).toBe(false);
    told.length = 0;
    family.ended("free", END);
    await settle();
    await settle();
    expect(told).toEqual(["root mail", "root mail read", "root child ended"]);
  });

  test("cancels all below a task, parents first", () => {
    const { family, told } = tree();
    family.cancelChildren("root", "enough");
    const cancelled = told.map((line) => line.split(" ")[0] ?? "");
    expect(cancelled.toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(cancelled.indexOf("a")).toBeLessThan(cancelled.indexOf("c"));
  });

  test("lends a class to whole subtrees", () => {
    const { family, told } = tree();
    family.inheritClass(["a"], "resuming");
    expect(told.toSorted()).toEqual(["a inherits resuming", "c inherits resuming", "d inherits resuming"]);
  });

  test("whoever waits for an end hears it; with null when it was lost, called off or the box closes", async () => {
    const { family } = tree();
    const stop = new AbortController();
    const waits = [
      family.whenEnded("c"),
      family.whenEnded("d"),
      family.whenEnded("b", stop.signal),
      family.whenEnded("a"),
    ];
    family.ended("c", END);
    family.lost("d");
    stop.abort();
    family.close();
    expect(await Promise.all(waits)).toEqual([END, null, null, null]);
    const aborted = AbortSignal.abort();
    expect(await family.whenEnded("a", aborted)).toBeNull();
    expect(await family.whenEnded("a")).toBeNull();
  });

  test("whoever waits for the last child is told with it", async () => {
    const { family } = tree();
    await family.childless("d");
    let alone = false;
    void family.childless("a").then(() => (alone = true));
    family.ended("c", END);
    await settle();
    expect(alone).toBe(false);
    family.lost("d");
    await settle();
    expect(alone).toBe(true);
  });
});
