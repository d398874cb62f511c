import { expect, it } from "vitest";
import { failure, worktreeEnd } from "../../src/http/end-schema.ts";

it("takes what is known of a worktree and what is not", () => {
  const known = { path: "/w/task_1", branch: "troupe/task_1", commits: 1, dirty: false, kept: true };
  expect(worktreeEnd.parse(known)).toEqual(known);
  const unknown = { ...known, commits: null, dirty: null, note: "it was not looked at in time" };
  expect(worktreeEnd.parse(unknown)).toEqual(unknown);
  expect(worktreeEnd.safeParse({ ...known, commits: 0.5 }).success).toBe(false);
});

it("takes a failure by its code, its words and whether trying again may help", () => {
  const known = { code: "timeout", message: "It took too long.", retryable: true };
  expect(failure.parse(known)).toEqual(known);
  expect(failure.safeParse({ ...known, retryable: "yes" }).success).toBe(false);
});
