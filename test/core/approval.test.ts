import { expect, test } from "vitest";
import { asksFirst, verdictOf } from "../../src/core/approval.ts";

test.each([
  ["always", false, true],
  ["always", true, true],
  ["outside_workspace", false, false],
  ["outside_workspace", true, true],
  ["never", true, false],
] as const)("%s, of a toolset that reaches out %j, asks: %j", (approve, reachesOut, asks) => {
  expect(asksFirst({ approve, reachesOut, timeoutMs: 1 })).toBe(asks);
});

test.each(["y", "yes", "YES", " yes\n", "Yes.", "ok", "allow", "approved!"])("%j allows", (text) => {
  expect(verdictOf(text)).toEqual({ allowed: true, reason: null });
});

test.each(["n", "no", "No.", "deny", "", "  "])("%j denies", (text) => {
  expect(verdictOf(text)).toEqual({ allowed: false, reason: null });
});

test.each([
  "yes but only the first",
  "not yes",
  "yes\nno",
  "use the other file",
  "ｙｅｓ",
  "true",
  "1",
  "yes yes",
])("%j denies, and is the reason", (text) => {
  expect(verdictOf(text)).toEqual({ allowed: false, reason: text });
});
