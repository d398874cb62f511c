import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "../src/core/worktree.ts";
import { KeptWorktrees } from "../src/kept-worktrees.ts";
import { withGit, type GitWorktrees } from "../src/worktrees.ts";
import { git, makeRepository } from "./git-repository.ts";
import { missing, sandboxHere } from "./sandbox/machine.ts";
import { attackerIn } from "./security/terminal-ground.ts";
import { worktreeOptions, worktreesHere } from "./worktrees-here.ts";

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

const kept = () => new KeptWorktrees(worktreeOptions(folder));

async function left(id: string, work: (path: string) => void = () => {}) {
  const place = { base: repository, branch: branchOf(id), path: join(folder, id) };
  await worktrees.make(place);
  work(place.path);
  return place;
}
const committed = (path: string): void => {
  writeFileSync(join(path, "a.txt"), "two\n");
  git(path, "commit", "--quiet", "--all", "-m", "more");
};
const branches = (): string =>
  git(repository, "branch", "--list", "troupe/*", "--format=%(refname:short)").trim();

describe("the worktrees that are left", { timeout: 60_000 }, () => {
  it("are told with what they hold; a folder that is none says why", async () => {
    await left("task_1", committed);
    await left("task_2", (path) => writeFileSync(join(path, "new.txt"), "x"));
    mkdirSync(join(folder, "task_3"));
    const [one, two, three, ...more] = await kept().list();
    const common = { repository: join(repository, ".git"), inside: false };
    expect(one).toMatchObject({
      taskId: "task_1",
      commits: 1,
      dirty: false,
      branch: "troupe/task_1",
      ...common,
    });
    expect(two).toMatchObject({
      taskId: "task_2",
      commits: 0,
      dirty: true,
      path: join(folder, "task_2"),
      ...common,
    });
    expect(two?.bytes).toBeGreaterThan(0);
    expect(three).toMatchObject({ commits: null, dirty: null, repository: null, note: expect.any(String) });
    expect(more).toEqual([]);
    expect(await new KeptWorktrees(optionsIn(join(base, "nowhere"))).list()).toEqual([]);
  });

  it("can be looked at by several at the same moment", async () => {
    await left("task_1", committed);
    const looks = await Promise.all(Array.from({ length: 6 }, () => kept().list()));
    for (const [row] of looks) expect(row).toMatchObject({ commits: 1, dirty: false });
    expect(looks.flat().filter(({ note }) => note !== undefined)).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual([".clean-sha1.git", "task_1"]);
  });

  it("K1 are refused with changes that nobody committed, unless by force", async () => {
    const { path } = await left("task_1", (at) => writeFileSync(join(at, "a.txt"), "two\n"));
    await expect(kept().remove("task_1", { force: false })).rejects.toMatchObject({ code: "worktree_dirty" });
    expect(existsSync(path)).toBe(true);
    expect(await kept().remove("task_1", { force: true })).toEqual({ path, commits: 0, branches: [] });
    expect(existsSync(path)).toBe(false);
    expect(git(repository, "worktree", "list").trim().split("\n")).toHaveLength(1);
  });

  it("K1 are refused where nobody can say what they hold, unless by force", async () => {
    const { path } = await left("task_1", committed);
    rmSync(join(repository, ".git/worktrees/task_1"), { recursive: true });
    await expect(kept().remove("task_1", { force: false })).rejects.toMatchObject({ code: "worktree_held" });
    await kept().remove("task_1", { force: true });
    expect(existsSync(path)).toBe(false);
    expect(branches()).toBe("troupe/task_1");
  });

  it("K2 leave every branch that has commits of its own, and take one that was merged along", async () => {
    await left("task_1", committed);
    expect(await kept().remove("task_1", { force: false })).toMatchObject({
      commits: 1,
      branches: ["troupe/task_1"],
    });
    expect(branches()).toBe("troupe/task_1");
    await left("task_2", committed);
    git(repository, "merge", "--quiet", "--ff-only", "troupe/task_2");
    expect(await kept().remove("task_2", { force: false })).toMatchObject({ commits: 1, branches: [] });
    expect(branches()).toBe("troupe/task_1");
    expect(git(repository, "for-each-ref", "refs/troupe-base")).toBe("");
    expect(await kept().list()).toEqual([]);
  });

  it.skipIf(missing !== null)(
    "K1 bring home first what the task committed inside",
    { timeout: 60_000 },
    async () => {
      const place = await left("task_1");
      const shell = attackerIn(place.path, withGit(sandboxHere(), worktrees));
      await shell.run("echo two >a.txt && git commit -qam inside");
      await shell.end();
      expect(await kept().list()).toMatchObject([{ inside: true }]);
      await kept().remove("task_1", { force: false });
      expect(git(repository, "log", "-1", "--format=%s", "troupe/task_1")).toBe("inside\n");
      expect(existsSync(join(folder, ".inner-task_1.git"))).toBe(false);
    },
  );
});

function optionsIn(at: string) {
  return { ...worktreeOptions(at), searchPath: "", sandbox: null, uid: null };
}
