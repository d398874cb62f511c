import { expect, test } from "vitest";
import { WORKLOADS } from "../../../bench/calibrate/workloads.ts";

test("names are given once, and every cue is of an earlier request that comes to that moment", () => {
  expect(new Set(WORKLOADS.map(({ name }) => name)).size).toBe(WORKLOADS.length);
  const wrong = WORKLOADS.flatMap(({ name, requests }) =>
    requests
      .filter(({ cue }, at) => cue && (cue.of >= at || (cue.when === "first" && !requests[cue.of]?.tokens)))
      .map((request) => ({ name, request })),
  );
  expect(wrong).toEqual([]);
});
