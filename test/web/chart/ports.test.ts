import { expect, test } from "vitest";
import { ported } from "../../../web/chart/ports.js";

const at = (x: number, y: number) => ({ x, y });
const boxes = new Map([
  ["a", { x: 0, y: 0, width: 30, height: 10 }],
  ["b", { x: 0, y: 50, width: 40, height: 10 }],
]);
const line = (id: string, [from, to]: readonly [string, string], middle: { x: number; y: number }) => ({
  id,
  from,
  to,
  points: [at(-1, -1), middle, at(-1, -1)],
});

test("arrows touch their boxes side by side, in the order in which they come", () => {
  const points = ported(
    [
      line("right", ["a", "b"], at(25, 30)),
      line("left", ["a", "b"], at(5, 30)),
      line("back", ["b", "a"], at(35, 30)),
    ],
    boxes,
  );
  expect(points.get("left")).toEqual([at(7.5, 10), at(7.5, 17), at(5, 30), at(10, 43), at(10, 50)]);
  expect(points.get("right")).toEqual([at(15, 10), at(15, 17), at(25, 30), at(20, 43), at(20, 50)]);
  expect(points.get("back")).toEqual([at(30, 50), at(30, 43), at(35, 30), at(22.5, 17), at(22.5, 10)]);
});

test("an arrow that comes from above touches the top", () => {
  expect(
    ported([line("down", ["b", "a"], at(5, -30))], boxes)
      .get("down")
      ?.slice(-2),
  ).toEqual([at(15, -7), at(15, 0)]);
});

test("a line at a box that has no place keeps its points", () => {
  const points = [at(0, 0), at(1, 1), at(2, 2)];
  expect(ported([{ id: "x", from: "nowhere", to: "gone", points }], boxes).get("x")).toEqual(points);
});
