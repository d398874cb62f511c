import { expect, test } from "vitest";
import { joined, type Stretch } from "../../../web/model/stretches.js";

test("few stretches stay as they are", () => {
  const few: readonly Stretch[] = [
    { from: 1, tone: "queued" },
    { from: 2, tone: "working" },
  ];
  expect(joined(few)).toBe(few);
});

test("the whole of a long life stays in few stretches, and of two that are joined the look of the longer", () => {
  let life: readonly Stretch[] = [];
  for (let at = 0; at < 1_000; at += 1) {
    // One second at work, two at the tools.
    const [work, tools] = [at * 3_000, at * 3_000 + 1_000];
    life = joined([...life, { from: work, tone: "working" }]);
    life = joined([...life, { from: tools, tone: "tools" }]);
  }
  expect(life.length).toBeLessThanOrEqual(64);
  expect(life.slice(0, 16)).toMatchObject(Array.from({ length: 16 }, () => ({ tone: "tools" })));
  const times = life.map(({ from }) => from);
  expect(times[0]).toBe(0);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(life.slice(-2)).toEqual([
    { from: 2_997_000, tone: "working" },
    { from: 2_998_000, tone: "tools" },
  ]);
});
