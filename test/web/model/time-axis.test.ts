import { describe, expect, it } from "vitest";
import type { Item } from "../../../web/model/forest.js";
import { axisOf, barsOf } from "../../../web/model/time-axis.js";

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

function task(createdAt: number, finishedAt: number | null, stretches: Item["stretches"]): Item {
  return {
    state: finishedAt === null ? "running" : "done",
    createdAt,
    finishedAt,
    stretches,
  } as unknown as Item;
}

describe("the axis", () => {
  it("fits what lives and what ended lately, and forgets what ended long ago", () => {
    const items = [task(0, 50 * MINUTE, []), task(90 * MINUTE, null, []), task(88 * MINUTE, 95 * MINUTE, [])];
    expect(axisOf(items, NOW, 0)).toMatchObject({ from: 88 * MINUTE, to: NOW });
  });

  it("stands still where all has ended", () => {
    expect(axisOf([task(0, 50 * MINUTE, [])], NOW, 0)).toMatchObject({ from: 0, to: 50 * MINUTE });
  });

  it("is a few seconds long at least, also with nothing on it", () => {
    expect(axisOf([], NOW, 0)).toMatchObject({ from: NOW - 10_000, to: NOW });
  });

  it("is as long as a person says, with ticks at whole figures", () => {
    const { from, ticks } = axisOf([], NOW, 15);
    expect(from).toBe(85 * MINUTE);
    expect(ticks.map(({ label }) => label)).toEqual(["−5 m", "−10 m"]);
    expect(ticks[0]?.at).toBeCloseTo(2 / 3);
  });
});

describe("the bars of a task", () => {
  const axis = axisOf([], NOW, 1);

  it("lie where it was what it was, up to now", () => {
    const item = task(NOW - 30_000, null, [
      { from: NOW - 30_000, tone: "queued" },
      { from: NOW - 15_000, tone: "working" },
    ]);
    expect(barsOf(item, axis, NOW)).toEqual([
      { left: 0.5, width: 0.25, tone: "queued" },
      { left: 0.75, width: 0.25, tone: "working" },
    ]);
  });

  it("are cut at the edge of the axis, and joined where they look the same", () => {
    const item = task(0, null, [
      { from: 0, tone: "working" },
      { from: NOW - 30_000, tone: "working" },
    ]);
    expect(barsOf(item, axis, NOW)).toEqual([{ left: 0, width: 1, tone: "working" }]);
  });

  it("end with the task, whose end is no bar", () => {
    const item = task(NOW - 60_000, NOW - 30_000, [
      { from: NOW - 60_000, tone: "working" },
      { from: NOW - 30_000, tone: "done" },
    ]);
    expect(barsOf(item, axis, NOW)).toEqual([{ left: 0, width: 0.5, tone: "working" }]);
  });
});
