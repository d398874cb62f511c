import { expect, it } from "vitest";
import { createCap, type CapReason } from "../../src/scheduler/adaptive-state.ts";
import { capInWords } from "../../src/scheduler/adaptive-reason.ts";

it.each<[number, CapReason, string]>([
  [1, { kind: "guess" }, "1: a first guess, until some generations have been measured"],
  [4, { kind: "faster", than: 2 }, "4: faster than 2"],
  [4, { kind: "trying", than: 2 }, "4: trying whether it is faster than 2"],
  [
    2,
    { kind: "trying", than: 4 },
    "2: trying whether it is as fast as 4, of which some waited in the server",
  ],
  [3, { kind: "no_faster", tried: 4 }, "3: the fourth did not make it faster"],
  [21, { kind: "no_faster", tried: 22 }, "21: the 22nd did not make it faster"],
  [11, { kind: "no_faster", tried: 12 }, "11: the 12th did not make it faster"],
  [4, { kind: "no_faster", tried: 8 }, "4: 8 were not faster"],
  [1, { kind: "server_full" }, "1: the server runs one at a time, whatever its settings say"],
  [4, { kind: "server_full" }, "4: the server runs no more at once; the fifth would wait there"],
  [4, { kind: "shared" }, "4: others wait in the server too, and more of ours would only lengthen its queue"],
  [6, { kind: "failed", outcome: "busy" }, "6: the server refused more as too many"],
  [6, { kind: "failed", outcome: "oom" }, "6: more took too much memory"],
  [6, { kind: "failed", outcome: "timeout" }, "6: more ran into a time limit"],
  [3, { kind: "slow_stream" }, "3: with more at once each of them was too slow to be of use"],
  [3, { kind: "late" }, "3: with more at once their first words came too late"],
  [4, { kind: "not_needed" }, "4: more are never in flight"],
  [16, { kind: "most" }, "16: the most that is allowed"],
])("says why %i for %j", (cap, reason, words) => {
  expect(capInWords({ ...createCap(cap, 32), reason })).toBe(words);
});
