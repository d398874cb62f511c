import { describe, expect, it, test } from "vitest";
import type { Phase, State } from "../../../src/core/lifecycle.ts";
import { shortTime, timeInStates } from "../../../web/model/task-times.js";

let seq = 0;
const event = (time: number, [state, phase]: readonly [State, Phase | null], type = "turn.started") => ({
  seq: (seq += 1),
  time,
  state,
  phase,
  type: type as "turn.started",
});
const QUEUED = ["spawned", "queued"] as const;
const WAITING = ["running", "waiting_slot"] as const;
const GENERATING = ["running", "generating"] as const;
const TOOLS = ["running", "calling_tools"] as const;

const life = [
  event(1_000, QUEUED),
  event(1_500, WAITING),
  event(1_500, WAITING),
  event(2_000, GENERATING),
  event(2_600, TOOLS),
  event(2_700, GENERATING),
  event(3_000, ["steering", null], "steer.delivered"),
  event(3_100, GENERATING),
];

describe("the stays of a task", () => {
  const { stays, totals, last } = timeInStates(life, 4_000);

  it("follow each other without a gap, and events that change nothing leave them alone", () => {
    expect(stays).toEqual([
      { path: "spawned.queued", from: 1_000, to: 1_500 },
      { path: "running.waiting_slot", from: 1_500, to: 2_000 },
      { path: "running.generating", from: 2_000, to: 2_600 },
      { path: "running.calling_tools", from: 2_600, to: 2_700 },
      { path: "running.generating", from: 2_700, to: 3_000 },
      { path: "steering", from: 3_000, to: 3_100 },
      { path: "running.generating", from: 3_100, to: null },
    ]);
  });

  it("add up, what lasts until now, and so do the states that they lie in", () => {
    expect(Object.fromEntries(totals)).toEqual({
      spawned: { ms: 500, visits: 1 },
      "spawned.queued": { ms: 500, visits: 1 },
      running: { ms: 2_400, visits: 2 },
      "running.waiting_slot": { ms: 500, visits: 1 },
      "running.generating": { ms: 1_800, visits: 3 },
      "running.calling_tools": { ms: 100, visits: 1 },
      steering: { ms: 100, visits: 1 },
    });
    const outer = ["spawned", "running", "steering"].reduce(
      (sum, path) => sum + (totals.get(path)?.ms ?? 0),
      0,
    );
    expect(outer).toBe(4_000 - 1_000);
  });

  it("tell the last change, when it was and what told of it", () => {
    expect(last).toEqual({ from: "steering", to: "running.generating", at: 3_100, cause: "turn.started" });
  });

  it("are the same for events in any order and twice", () => {
    expect(timeInStates([...life.toReversed(), ...life], 4_000)).toEqual({ stays, totals, last });
  });
});

test("no time is spent in an end", () => {
  const { totals, stays } = timeInStates([...life, event(5_000, ["done", null], "task.done")], 99_000);
  expect(stays.at(-1)).toEqual({ path: "done", from: 5_000, to: null });
  expect(totals.get("done")).toEqual({ ms: 0, visits: 1 });
  expect(totals.get("running.generating")?.ms).toBe(2_800);
});

test("a clock that was set back makes no stay negative", () => {
  const { stays, totals } = timeInStates([event(5_000, QUEUED), event(4_000, WAITING)], 4_500);
  expect(stays.map(({ from, to }) => [from, to])).toEqual([
    [5_000, 5_000],
    [5_000, null],
  ]);
  expect(totals.get("running")?.ms).toBe(0);
});

test("a task without events was nowhere", () => {
  expect(timeInStates([], 1)).toEqual({ stays: [], totals: new Map(), last: null });
});

test.each([
  [0, "0.0s"],
  [440, "0.4s"],
  [9_949, "9.9s"],
  [9_960, "10s"],
  [59_400, "59s"],
  [200_000, "3m 20s"],
  [7_500_000, "2h 5m"],
  [273_600_000, "3d 4h"],
])("%i milliseconds are written as %s", (ms, text) => {
  expect(shortTime(ms)).toBe(text);
});
