import { expect, test } from "vitest";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import { toWire } from "../../src/core/wire.ts";
import { spending } from "../../src/http/spending-schema.ts";

const SPENT = { subtree: { ...NO_USAGE, costMicros: 7 }, budget: null, remaining: UNLIMITED_BUDGET };

test("spending has what was used, the task's own budget where it has one, and what is left", () => {
  for (const each of [SPENT, { ...SPENT, budget: { ...UNLIMITED_BUDGET, gpuMs: 5 } }])
    expect(spending.parse(toWire(each))).toEqual(toWire(each));
});

test("nothing is used below nothing, and nothing that is left is left out", () => {
  expect(spending.safeParse(toWire({ ...SPENT, subtree: { ...NO_USAGE, gpuMs: -1 } })).success).toBe(false);
  expect(spending.safeParse({ ...toWire(SPENT), remaining: { tokens: 1 } }).success).toBe(false);
});
