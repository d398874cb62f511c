import { describe, expect, test } from "vitest";
import {
  difference,
  middleOf,
  spreadOf,
  type RequestOutcome,
  type WorkloadOutcome,
} from "../../../bench/calibrate/outcome.ts";

/** Ends in milliseconds; a word is another end. */
function outcome(loads: number, ...ends: readonly (number | RequestOutcome["ended"])[]): WorkloadOutcome {
  const requests = ends.map((end): RequestOutcome => ({
    ended: typeof end === "number" ? "done" : end,
    endMs: typeof end === "number" ? end : 1,
    outputTokens: 0,
    loadMs: 0,
    promptTokens: 0,
    promptMs: 0,
  }));
  return { loads, requests };
}

describe("the difference of two servers", () => {
  test("is none between a server and one that is twice as slow", () => {
    expect(difference(outcome(2, 100, 300, "busy"), outcome(2, 200, 600, "busy"))).toEqual({
      sameEnds: true,
      sameLoads: true,
      clearPairs: 1,
      wrongPairs: 0,
      worstCompletion: 0,
      meanCompletion: 0,
    });
  });

  test("counts pairs that come the other way round, where the simulator is sure of them", () => {
    const simulated = outcome(1, 100, 105, 1_000);
    expect(difference(outcome(1, 105, 100, 1_000), simulated)).toMatchObject({
      clearPairs: 2,
      wrongPairs: 0,
    });
    expect(difference(outcome(1, 1_000, 100, 900), simulated)).toMatchObject({
      clearPairs: 2,
      wrongPairs: 1,
    });
  });

  test("is told in shares of the makespan of each", () => {
    const found = difference(outcome(1, 500, 1_000), outcome(1, 25, 100));
    expect([found.worstCompletion, found.meanCompletion]).toEqual([0.25, 0.125]);
  });

  test("sees another end and another number of loads, and compares what is done on both sides only", () => {
    const found = difference(outcome(3, 100, "busy", 300), outcome(2, 100, 200, 300));
    expect(found).toMatchObject({ sameEnds: false, sameLoads: false, clearPairs: 1, worstCompletion: 0 });
  });
});

describe("several rounds", () => {
  test("are one with the median of each figure", () => {
    const runs = [outcome(1, 100, 500), outcome(1, 300, 400), outcome(1, 200, 900)];
    const middle = middleOf(runs);
    expect(middle?.requests.map(({ endMs }) => endMs)).toEqual([200, 500]);
    expect(spreadOf(runs, middle ?? outcome(0))).toBeGreaterThan(0);
  });

  test("are none when they loaded or ended differently", () => {
    expect(middleOf([outcome(1, 1), outcome(2, 1)])).toBeNull();
    expect(middleOf([outcome(1, 1), outcome(1, "gone")])).toBeNull();
    expect(() => middleOf([])).toThrow(RangeError);
  });
});
