// T56: a repository that runs programs of its own when somebody's git looks at it, as the base of worktrees.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { GitWorktrees } from "../../src/worktrees.ts";
import { git, HostileRepository } from "../git-repository.ts";

let hostile: HostileRepository;
beforeEach(() => {
  hostile = new HostileRepository();
});
afterEach(() => rmSync(hostile.base, { recursive: true, force: true }));

describe("T56 a hostile repository", () => {
  it("runs nothing when a worktree is made, found again, looked at, kept and removed", async () => {
    const folder = join(hostile.base, "worktrees");
    const searchPath = process.env["PATH"] ?? "";
    const worktrees = new GitWorktrees({ processes: nodeProcesses, clock: systemClock, folder, searchPath });
    const placeOf = (id: string) => ({
      base: hostile.repository,
      branch: `troupe/${id}`,
      path: join(folder, id),
    });
    const [clean, changed] = [placeOf("task_1"), placeOf("task_2")];
    for (const place of [clean, changed, clean]) await worktrees.make(place);
    expect(readFileSync(join(clean.path, "a.txt"), "utf8")).toBe("one\n");
    expect(readFileSync(join(clean.path, "big.bin"), "utf8")).toBe("big\n");
    writeFileSync(join(changed.path, "a.txt"), "two\n");
    expect(await worktrees.leave(clean)).toMatchObject({ kept: false });
    expect(await worktrees.leave(changed)).toMatchObject({ commits: 0, dirty: true, kept: true });
    expect(existsSync(clean.path)).toBe(false);
    expect(hostile.ran()).toBe("");
  });

  it("runs nothing that a task put in the place of its checkout's own git folder", async () => {
    const folder = join(hostile.base, "worktrees");
    const searchPath = process.env["PATH"] ?? "";
    const worktrees = new GitWorktrees({ processes: nodeProcesses, clock: systemClock, folder, searchPath });
    const place = { base: hostile.repository, branch: "troupe/task_1", path: join(folder, "task_1") };
    await worktrees.make(place);
    rmSync(join(place.path, ".git"));
    git(place.path, "init", "--quiet");
    git(place.path, "config", "core.fsmonitor", join(hostile.base, "trap"));
    git(place.path, "config", "filter.evil.clean", join(hostile.base, "trap"));
    // Its files are as they were: nothing is lost with it.
    expect(await worktrees.leave(place)).toMatchObject({ commits: 0, dirty: false, kept: false });
    expect(hostile.ran()).toBe("");
  });

  it("control: git as a person runs it runs hooks, filters and the watcher", () => {
    const path = join(hostile.base, "naive");
    const looks = [
      ["worktree", "add", "--quiet", "-b", "naive", path],
      ["status", "--porcelain"],
    ];
    for (const look of looks) {
      try {
        git(hostile.repository, ...look);
      } catch {
        // What a trap answers is no answer, and git may give up: by then it was run.
      }
    }
    for (const what of ["reference-transaction", "smudge", "clean", "process", "fsmonitor"]) {
      expect(hostile.ran()).toContain(what);
    }
  });
});
