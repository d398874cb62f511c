import { expect, test } from "vitest";
import { around, cornered, legs, overlap } from "../../../web/chart/box.js";

const box = (...[x, y, width, height]: [number, number, number, number]) => ({ x, y, width, height });

test("a box by its middle becomes one by its corner", () => {
  expect(cornered({ x: 10, y: 20, width: 4, height: 6 })).toEqual(box(8, 17, 4, 6));
  expect(cornered({})).toEqual(box(0, 0, 0, 0));
});

test("boxes overlap when they share ground, or are nearer than the gap", () => {
  expect(overlap(box(0, 0, 10, 10), box(9, 9, 10, 10))).toBe(true);
  expect(overlap(box(0, 0, 10, 10), box(10, 0, 10, 10))).toBe(false);
  expect(overlap(box(0, 0, 10, 10), box(12, 0, 10, 10), 3)).toBe(true);
  expect(overlap(box(0, 0, 10, 10), box(9, 0, 10, 10), -2)).toBe(false);
});

test("the box around boxes holds them all", () => {
  expect(around([box(0, 5, 10, 1), box(-3, 0, 2, 2)])).toEqual(box(-3, 0, 13, 6));
});

test("a line has a box for each of its straight parts", () => {
  const points = [
    { x: 0, y: 0 },
    { x: 4, y: -2 },
    { x: 4, y: 6 },
  ];
  expect(legs(points)).toEqual([box(0, -2, 4, 2), box(4, -2, 0, 8)]);
  expect(legs([])).toEqual([]);
});
