// `slots: auto` on the simulated box: it finds what the box runs at once, and loses little on the way.

import { describe, expect, it } from "vitest";
import { play, type CapsCase, type CapsUnderTest, type Stretch } from "../../../bench/caps/play.ts";

const CHILDREN = 32;
const AUTO: CapsUnderTest = { slots: 1, maxChildren: CHILDREN, autoSlots: { most: 16 } };

const box = (parallel: number, more: Partial<Stretch> = {}): Stretch => ({
  parallel,
  promptTokens: 800,
  ...more,
});

function work(...stretches: [Stretch, ...Stretch[]]): CapsCase {
  const size = { children: CHILDREN, turns: 14, outputTokens: 140, growthTokens: 60, toolMs: 1_500 };
  return { name: "test", stretches, ...size };
}

const pinned = (slots: number): CapsUnderTest => ({ slots, maxChildren: CHILDREN });

describe("a workload that is played", () => {
  it("takes every turn, holds nothing afterwards, and is the same again from the same seed", async () => {
    const played = await play(work(box(2)), AUTO, 7);
    expect(played).toMatchObject({ turns: CHILDREN * 14, problems: [] });
    expect(await play(work(box(2)), AUTO, 7)).toEqual(played);
  });

  it("is the faster the more the box runs, up to that", async () => {
    const [one, two, three] = await Promise.all(
      [1, 2, 3].map((slots) => play(work(box(2)), pinned(slots), 1)),
    );
    expect(two?.makespanMs).toBeLessThan(0.65 * (one?.makespanMs ?? 0));
    expect((three?.makespanMs ?? 0) / (two?.makespanMs ?? 0)).toBeCloseTo(1, 1);
  });
});

describe("slots that are found on the box", () => {
  it.each([
    ["1", box(1), 1],
    ["2", box(2), 2],
    ["4", box(4), 4],
    ["8", box(8), 8],
    ["1, in spite of a setting of 4", box(4, { forced: 1 }), 1],
  ])("are those of a box that runs %s", async (_, stretch, runs) => {
    for (const seed of [1, 2, 3]) {
      const found = await play(work(stretch), AUTO, seed);
      expect(found.path.filter((slots) => slots === runs).length).toBeGreaterThanOrEqual(6);
      const best = await play(work(stretch), pinned(runs), seed);
      expect(best.makespanMs / found.makespanMs).toBeGreaterThanOrEqual(0.94);
    }
  });

  it.each([
    ["4, then 1", [box(4), box(1)], 1],
    ["1, then 4", [box(1), box(4)], 4],
    ["8, then 2", [box(8), box(2)], 2],
  ] as const)("are found again on a box that runs %s", async (_, [before, after], runs) => {
    for (const seed of [1, 2, 3]) {
      const { path } = await play(work(before, after), AUTO, seed);
      expect(path.at(-1)).toBe(runs);
    }
  });

  it("stay within the bound", async () => {
    const found = await play(work(box(8)), { ...AUTO, autoSlots: { most: 3 } }, 1);
    expect(Math.max(...found.path)).toBe(3);
    expect(found.reason).toBe("3: the most that is allowed");
  });
});
