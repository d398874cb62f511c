import { expect, it } from "vitest";
import { carriesDeltas } from "../../src/core/event.ts";

it("carries deltas of all tasks, of none, or of those that are asked for at the time", () => {
  expect([carriesDeltas(true, "a"), carriesDeltas(false, "a"), carriesDeltas(undefined, "a")]).toEqual([
    true,
    false,
    false,
  ]);
  const asked = new Set(["a"]);
  expect([carriesDeltas(asked, "a"), carriesDeltas(asked, "b")]).toEqual([true, false]);
  asked.add("b");
  expect(carriesDeltas(asked, "b")).toBe(true);
});
