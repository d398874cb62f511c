import { describe, expect, test } from "vitest";
import { along, spline, withoutStart } from "../../../web/chart/curve.js";

const at = (x: number, y: number) => ({ x, y });
const BOX = { x: 0, y: 0, width: 10, height: 10 };

describe("what is seen of a line that begins in a box", () => {
  test("begins on the border, where it leaves for the last time", () => {
    expect(withoutStart([at(5, 5), at(5, 25)], BOX)).toEqual([at(5, 10), at(5, 25)]);
    expect(withoutStart([at(5, 5), at(20, 5), at(5, 6), at(-5, 6)], BOX)).toEqual([at(0, 6), at(-5, 6)]);
    expect(withoutStart([at(5, 5), at(15, 15)], BOX)).toEqual([at(10, 10), at(15, 15)]);
  });

  test("is all of it where it begins outside or never leaves", () => {
    const outside = [at(20, 20), at(30, 30)];
    expect(withoutStart(outside, BOX)).toBe(outside);
    const inside = [at(4, 4), at(5, 5)];
    expect(withoutStart(inside, BOX)).toBe(inside);
    expect(withoutStart([], BOX)).toEqual([]);
  });
});

test("a point along a line lies at a share of its length", () => {
  const line = [at(0, 0), at(10, 0), at(10, 30)];
  expect(along(line, 0)).toEqual(at(0, 0));
  expect(along(line, 0.25)).toEqual(at(10, 0));
  expect(along(line, 0.5)).toEqual(at(10, 10));
  expect(along(line, 1)).toEqual(at(10, 30));
  expect(along([at(3, 4)], 0.5)).toEqual(at(3, 4));
});

test("a smooth path begins and ends where its line does", () => {
  expect(spline([at(0, 0), at(5, 0)])).toBe("M0,0L5,0");
  expect(spline([at(0, 0), at(6, 6), at(12, 0)])).toBe("M0,0L1,1C2,2 4,4 6,4C8,4 10,2 11,1L12,0");
  expect(spline([at(1, 1)])).toBe("");
});
