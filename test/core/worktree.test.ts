import { expect, it } from "vitest";
import { branchOf, worktreeLine } from "../../src/core/worktree.ts";

const end = { path: "/w/task_1", branch: branchOf("task_1"), commits: 2, dirty: true, kept: true };

it("says in one line what is left of a worktree", () => {
  expect(worktreeLine(end)).toBe(
    "worktree: branch troupe/task_1, 2 commits ahead, with changes that are not committed, in /w/task_1",
  );
  expect(worktreeLine({ ...end, commits: 1, dirty: false })).toContain(
    "1 commit ahead, nothing uncommitted, in",
  );
  expect(worktreeLine({ ...end, commits: 0, dirty: false, kept: false })).toBe(
    "worktree: nothing was changed; it was removed with its branch troupe/task_1",
  );
  expect(worktreeLine({ ...end, commits: null, dirty: null, note: "no time" })).toBe(
    "worktree: branch troupe/task_1, an unknown number of commits ahead, in /w/task_1 (no time)",
  );
});
