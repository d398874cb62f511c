import { expect, test } from "vitest";
import { stayBars, stayShares } from "../../../web/model/stay-bars.js";

const stays = [
  { path: "spawned.queued", from: 0, to: 100 },
  { path: "running.generating", from: 100, to: 900 },
  { path: "steering", from: 900, to: 901 },
  { path: "running.generating", from: 901, to: 950 },
  { path: "running.calling_tools", from: 950, to: null },
];

test("bars follow each other over the whole axis, and what is too short to be seen goes to the one before", () => {
  const bars = stayBars(stays, { from: 0, to: 1_000 });
  expect(bars).toEqual([
    { path: "spawned.queued", from: 0, to: 100, left: 0, width: 0.1 },
    { path: "running.generating", from: 100, to: 950, left: 0.1, width: 0.85 },
    { path: "running.calling_tools", from: 950, to: 1_000, left: 0.95, width: 0.05 },
  ]);
  expect(bars.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(1);
});

test("an axis shows what lies on it", () => {
  expect(stayBars(stays, { from: 500, to: 700 })).toEqual([
    { path: "running.generating", from: 500, to: 700, left: 0, width: 1 },
  ]);
  expect(stayBars(stays, { from: 5, to: 5 })).toEqual([]);
  expect(stayBars([], { from: 0, to: 5 })).toEqual([]);
});

test("a long life has bars within bounds", () => {
  const long = Array.from({ length: 20_000 }, (_, at) => ({
    path: at % 2 === 0 ? "running.generating" : "running.calling_tools",
    from: at,
    to: at + 1,
  }));
  const bars = stayBars(long, { from: 0, to: 20_000 });
  expect(bars.length).toBeLessThanOrEqual(500);
  expect(bars.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(1);
});

test("shares add up to the whole life, the most first", () => {
  const shares = stayShares(stays, 1_000);
  expect(shares.map(({ path, ms }) => [path, ms])).toEqual([
    ["running.generating", 849],
    ["spawned.queued", 100],
    ["running.calling_tools", 50],
    ["steering", 1],
  ]);
  expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  expect(stayShares([], 1)).toEqual([]);
});
