import { expect, test } from "vitest";
import { addUsage, NO_USAGE } from "../../src/core/limits.ts";

test("usage adds up field by field, and what is left out counts as nothing", () => {
  const once = addUsage(NO_USAGE, { promptTokens: 3, gpuMs: 5 });
  expect(addUsage(once, { promptTokens: 1, generations: 1 })).toEqual({
    ...NO_USAGE,
    promptTokens: 4,
    gpuMs: 5,
    generations: 1,
  });
});
