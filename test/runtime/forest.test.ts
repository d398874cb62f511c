// Random trees of agents under random people: whatever comes together, every task ends once, everybody who waits is
// told, nothing is lost, doubled or left behind.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forestArbitrary, ForestRun, type Forest } from "./forest.ts";
import { wrongIn } from "./harvest.ts";

/** For a longer search: `FOREST_RUNS=5000 vitest run test/runtime/forest.test.ts`. */
const RUNS = Number(process.env["FOREST_RUNS"] ?? 45);

async function wrongAfter(forest: Forest): Promise<readonly string[]> {
  return wrongIn(await new ForestRun(forest).play());
}

describe("a forest of agents", () => {
  test("left alone comes to its end, with one place and one slot as well", async () => {
    await fc.assert(
      fc.asyncProperty(forestArbitrary, async (forest) => {
        expect(await wrongAfter({ ...forest, actions: [], slots: 1, places: 1 })).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  }, 3_600_000);

  test("among people comes to its end: one end each, told once, every receipt final, nothing held", async () => {
    await fc.assert(
      fc.asyncProperty(forestArbitrary, async (forest) => {
        expect(await wrongAfter(forest)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  }, 3_600_000);
});
