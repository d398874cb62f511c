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

test("no sum of usage is beyond exact numbers, and what is no number counts nothing", () => {
  const most = addUsage(
    { ...NO_USAGE, costMicros: Number.MAX_SAFE_INTEGER },
    { costMicros: 5, gpuMs: Number.NaN },
  );
  expect(most).toEqual({ ...NO_USAGE, costMicros: Number.MAX_SAFE_INTEGER });
  expect(addUsage(NO_USAGE, { promptTokens: 1e300 }).promptTokens).toBe(Number.MAX_SAFE_INTEGER);
});
