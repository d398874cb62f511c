// What goes wrong around a worktree: each ends in a clear error, and nothing is lost.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentUid } from "../src/base/owner.ts";
import { branchOf } from "../src/core/worktree.ts";
import { withGit, type GitWorktrees } from "../src/worktrees.ts";
import { git, makeRepository } from "./git-repository.ts";
import { missing, sandboxHere } from "./sandbox/machine.ts";
import { attackerIn } from "./security/terminal-ground.ts";
import { worktreesHere } from "./worktrees-here.ts";

let base: string;
let repository: string;
let folder: string;
let worktrees: GitWorktrees;
beforeEach(() => {
  ({ base, repository } = makeRepository());
  folder = join(base, "worktrees");
  worktrees = worktreesHere(folder);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const placeOf = (id: string, of = repository, within = folder) => ({
  base: of,
  branch: branchOf(id),
  path: join(within, id),
});
const shellIn = (path: string) => attackerIn(path, withGit(sandboxHere(), worktrees));
const ofRoot = currentUid() === 0;

/** Root of a container may not. */
function canMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), "troupe-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "none", at], { stdio: "ignore" });
    execFileSync("umount", ["-l", at]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(at);
  }
}

describe("names that are taken", { timeout: 60_000 }, () => {
  it("a branch named troupe is in the way of all of them, and is said to be", async () => {
    git(repository, "branch", "troupe");
    await expect(worktrees.make(placeOf("task_1"))).rejects.toThrow(/git worktree says: .*troupe/);
    expect(git(repository, "rev-parse", "troupe")).toBe(git(repository, "rev-parse", "main"));
  });

  it("a branch of the task's name with somebody's commits stays as it is", async () => {
    git(repository, "checkout", "--quiet", "-b", "troupe/task_1");
    writeFileSync(join(repository, "a.txt"), "theirs\n");
    git(repository, "commit", "--quiet", "--all", "-m", "theirs");
    git(repository, "checkout", "--quiet", "main");
    await expect(worktrees.make(placeOf("task_1"))).rejects.toThrow(/troupe\/task_1.*nothing else has/);
    expect(git(repository, "show", "troupe/task_1:a.txt")).toBe("theirs\n");
    expect(await worktrees.leave(placeOf("task_1"))).toBeNull();
    expect(git(repository, "show", "troupe/task_1:a.txt")).toBe("theirs\n");
  });

  it("a half-made one is made anew also where the repository is on no branch", async () => {
    git(repository, "checkout", "--quiet", "--detach");
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "on no branch");
    const place = placeOf("task_1");
    git(repository, "worktree", "add", "--quiet", "--no-checkout", "-b", place.branch, place.path);
    await worktrees.make(place);
    expect(git(place.path, "log", "-1", "--format=%s")).toBe("on no branch\n");
  });
});

describe("repositories of all kinds", { timeout: 60_000 }, () => {
  it("one with submodules has empty folders for them, and is clean", async () => {
    const outer = join(base, "outer");
    git(base, "init", "--quiet", outer);
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repository, "inner");
    git(outer, "commit", "--quiet", "-m", "with a submodule");
    const place = placeOf("task_1", outer);
    await worktrees.make(place);
    expect(existsSync(join(place.path, "inner/a.txt"))).toBe(false);
    expect(await worktrees.leave(place)).toMatchObject({ commits: 0, dirty: false, kept: false });
  });

  it("one without a commit, and a bare one, are refused", async () => {
    for (const args of [["--quiet"], ["--quiet", "--bare"]]) {
      const at = join(base, `empty${args.length}`);
      git(base, "init", ...args, at);
      await expect(worktrees.make(placeOf("task_1", at))).rejects.toMatchObject({ code: "worktree_failed" });
    }
  });
});

describe("several at once", () => {
  it(
    "two servers on one repository make, leave and keep theirs beside each other",
    { timeout: 60_000 },
    async () => {
      const servers = ["one", "two"].map((name) => join(base, name));
      const made = servers.flatMap((within, number) =>
        [1, 2, 3].map((task) => ({
          by: worktreesHere(within),
          place: placeOf(`task_${number}${task}`, repository, within),
          changed: task === 2,
        })),
      );
      await Promise.all(made.map(({ by, place }) => by.make(place)));
      for (const { place, changed } of made) if (changed) writeFileSync(join(place.path, "a.txt"), "two\n");
      const ends = await Promise.all(made.map(({ by, place }) => by.leave(place)));
      for (const [index, end] of ends.entries()) {
        const { changed, place } = made[index] as (typeof made)[number];
        expect(end).not.toBeNull();
        expect(existsSync(place.path)).toBe(end?.kept);
        expect(changed ? end?.kept : true).toBe(true);
      }
      expect(ends.filter((end) => end?.note !== undefined)).toEqual([]);
    },
  );
});

describe.skipIf(missing !== null)("behind the walls", { timeout: 60_000 }, () => {
  const work = "echo two >a.txt && git commit -qam inside";

  it.each([
    [
      "removes the checkout by git",
      (path: string) => void git(repository, "worktree", "remove", "--force", path),
    ],
    ["deletes its folder", (path: string) => rmSync(path, { recursive: true })],
    [
      "removes it with its branch",
      (path: string) => {
        git(repository, "worktree", "remove", "--force", path);
        git(repository, "branch", "-D", "troupe/task_1");
      },
    ],
  ])("what was committed comes home where a person %s meanwhile", async (_, removal) => {
    const place = placeOf("task_1");
    await worktrees.make(place);
    const shell = shellIn(place.path);
    expect(await shell.run(work)).toMatchObject({ exit_code: 0 });
    removal(place.path);
    await shell.end();
    const end = await worktrees.leave(place);
    expect(end).toMatchObject({
      commits: 1,
      dirty: null,
      kept: true,
      note: expect.stringMatching(/was removed/),
    });
    expect(git(repository, "show", "troupe/task_1:a.txt")).toBe("two\n");
    expect(existsSync(place.path)).toBe(false);
    expect(existsSync(join(folder, ".inner-task_1.git"))).toBe(false);
  });

  it("a repository that is gone leaves the work where it is", async () => {
    const place = placeOf("task_1");
    await worktrees.make(place);
    const shell = shellIn(place.path);
    await shell.run(work);
    await shell.end();
    rmSync(repository, { recursive: true });
    const end = await worktrees.leave(place);
    expect(end).toMatchObject({ commits: null, dirty: null, kept: true, note: expect.any(String) });
    expect(readFileSync(join(place.path, "a.txt"), "utf8")).toBe("two\n");
    expect(existsSync(join(folder, ".inner-task_1.git/objects"))).toBe(true);
  });

  it.skipIf(!ofRoot)(
    "in a repository of another user a server of root leaves nothing of root's",
    async () => {
      execFileSync("chown", ["-R", "1234:1234", repository]);
      const place = placeOf("task_1");
      await worktrees.make(place);
      expect(statSync(join(place.path, "a.txt"))).toMatchObject({ uid: 1234, gid: 1234 });
      const shell = shellIn(place.path);
      expect(await shell.run(`id -u; ${work}`)).toMatchObject({ exit_code: 0, output: "1234\n" });
      await shell.end();
      expect(await worktrees.leave(place)).toMatchObject({ commits: 1, dirty: false, kept: true });
      const roots = execFileSync("find", [repository, place.path, "-uid", "0"], { encoding: "utf8" });
      expect(roots).toBe("");
      const clean = placeOf("task_2");
      await worktrees.make(clean);
      expect(await worktrees.leave(clean)).toMatchObject({ kept: false });
      expect(existsSync(clean.path)).toBe(false);
    },
  );

  it.skipIf(!ofRoot)(
    "in a repository of root's that nobody else may enter commands have a copy of its objects",
    async () => {
      chmodSync(repository, 0o700);
      const place = placeOf("task_1");
      await worktrees.make(place);
      const shell = shellIn(place.path);
      expect(await shell.run(`git log --format=%s && ${work}`)).toMatchObject({
        exit_code: 0,
        output: "begin\n",
      });
      await shell.end();
      expect(await worktrees.leave(place)).toMatchObject({ commits: 1, dirty: false, kept: true });
      expect(git(repository, "show", "troupe/task_1:a.txt")).toBe("two\n");
      const others = execFileSync("find", [repository, place.path, "-not", "-uid", "0"], {
        encoding: "utf8",
      });
      expect(others).toBe("");
    },
  );

  it.skipIf(!ofRoot || !canMount())("a full disk is said, and nothing is lost by it", async () => {
    const small = join(base, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=711", "none", small]);
    try {
      const within = join(small, "worktrees");
      const here = worktreesHere(within);
      const place = placeOf("task_1", repository, within);
      writeFileSync(join(repository, "big.bin"), randomText(3_000_000));
      git(repository, "add", "--all");
      git(repository, "commit", "--quiet", "-m", "big");
      await expect(here.make(place)).rejects.toThrow(/No space left|unable to write|ENOSPC/);
      // As the runtime does at the end of the task, which has failed.
      expect(await here.leave(place)).toBeNull();
      expect(existsSync(place.path)).toBe(false);
      git(repository, "reset", "--quiet", "--hard", "HEAD~1");
      await here.make(place);
      const shell = attackerIn(place.path, withGit(sandboxHere(), here));
      expect(await shell.run(work)).toMatchObject({ exit_code: 0 });
      await shell.run("cat /dev/urandom >full 2>/dev/null");
      await shell.end();
      const end = await here.leave(place);
      expect(end).toMatchObject({ kept: true });
      expect(end?.note).toMatch(/space|write/);
      rmSync(join(place.path, "full"));
      expect(await here.leave(place)).toMatchObject({ commits: 1, dirty: false, kept: true });
      expect(git(repository, "show", "troupe/task_1:a.txt")).toBe("two\n");
    } finally {
      execFileSync("umount", ["-l", small]);
    }
  });
});

/** Text that does not get smaller when it is packed. */
function randomText(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, length)));
  return bytes;
}
