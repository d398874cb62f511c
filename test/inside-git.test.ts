// Git inside of the walls, as a task uses it: through the terminal, in a worktree that the server made.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "../src/core/worktree.ts";
import { withGit, type GitWorktrees } from "../src/worktrees.ts";
import { git, makeRepository } from "./git-repository.ts";
import { missing, sandboxHere } from "./sandbox/machine.ts";
import { attackerIn, type Attacker } from "./security/terminal-ground.ts";
import { worktreesHere } from "./worktrees-here.ts";

let base: string;
let repository: string;
let folder: string;
let worktrees: GitWorktrees;
const shells: Attacker[] = [];
beforeEach(() => {
  ({ base, repository } = makeRepository());
  folder = join(base, "worktrees");
  worktrees = worktreesHere(folder);
});
afterEach(async () => {
  for (const shell of shells.splice(0)) await shell.sessions.close();
  rmSync(base, { recursive: true, force: true });
});

const placeOf = (id: string, of = repository) => ({
  base: of,
  branch: branchOf(id),
  path: join(folder, id),
});
/** A task with a worktree and a terminal of its own. */
async function taskIn(id: string, of?: string) {
  const place = placeOf(id, of);
  await worktrees.make(place);
  const shell = attackerIn(place.path, withGit(sandboxHere(), worktrees));
  shells.push(shell);
  return { place, shell };
}

// Where no walls can be built there is no terminal to commit from.
describe.skipIf(missing !== null)("git in a terminal of a worktree", { timeout: 60_000 }, () => {
  it("looks, commits and comes home: the branch, the checkout and what git says of it are one", async () => {
    const { place, shell } = await taskIn("task_1");
    const before = await shell.run("git status --porcelain && git log --format=%s && git branch");
    expect(before).toMatchObject({ exit_code: 0, output: "begin\n* troupe/task_1\n" });
    const work = "echo two >a.txt && echo new >new.txt && git add -A && git commit -q -m 'mend it'";
    expect(await shell.run(work)).toMatchObject({ exit_code: 0, output: "" });
    await shell.end();
    const { path, branch } = place;
    expect(await worktrees.leave(place)).toEqual({ path, branch, commits: 1, dirty: false, kept: true });
    expect(git(repository, "log", "-1", "--format=%s by %an", place.branch)).toBe(
      "mend it by Troupe task_1\n",
    );
    expect(git(repository, "show", `${place.branch}:a.txt`)).toBe("two\n");
    expect(git(place.path, "status", "--porcelain", "--branch")).toBe("## troupe/task_1\n");
    expect(git(repository, "fsck", "--strict", "--connectivity-only")).toBe("");
    expect(readdirSync(folder).toSorted()).toEqual([".clean-sha1.git", "task_1"]);
    expect(statSync(join(place.path, "new.txt")).uid).toBe(statSync(repository).uid);
    // A look after a restart says the same.
    expect(await worktreesHere(folder).leave(place)).toMatchObject({ commits: 1, dirty: false, kept: true });
  });

  it("C4 is brought home by the next server where one died, with what was not committed beside it", async () => {
    const { place, shell } = await taskIn("task_1");
    await shell.run("echo two >a.txt && git commit -qam one && echo three >a.txt");
    await shell.end();
    const next = worktreesHere(folder);
    await next.make(place);
    expect(await next.leave(place)).toMatchObject({ commits: 1, dirty: true, kept: true });
    expect(readFileSync(join(place.path, "a.txt"), "utf8")).toBe("three\n");
  });

  it("C4 loses no branch, no stash and nothing that was only staged", async () => {
    const { place, shell } = await taskIn("task_1");
    const work = [
      "git switch -qc other && echo other >a.txt && git commit -qam other && git switch -q troupe/task_1",
      "echo older >a.txt && git stash -q",
      "echo stashed >a.txt && git stash -q",
      "echo staged >a.txt && git add a.txt && git checkout -q -- a.txt; echo staged >a.txt && git add a.txt && echo one >a.txt",
    ];
    for (const each of work) expect(await shell.run(each)).toMatchObject({ exit_code: 0 });
    await shell.end();
    const end = await worktrees.leave(place);
    expect(end).toMatchObject({ kept: true, commits: 0, note: expect.stringMatching(/further commits/) });
    const more = git(repository, "branch", "--list", "troupe/task_1.*", "--format=%(refname:short)");
    const names = more.trim().split("\n");
    const texts = names.map((name) => git(repository, "show", `${name}:a.txt`).trim());
    expect(texts.toSorted()).toEqual(["older", "one", "other", "stashed"]);
    const staged = names.flatMap((name) =>
      git(repository, "rev-list", "--parents", "-1", name).trim().split(" ").slice(1),
    );
    expect(staged.map((name) => git(repository, "show", `${name}:a.txt`).trim())).toContain("staged");
  });

  it("gives a child's own worktree what its parent has committed by then", async () => {
    const parent = await taskIn("task_1");
    await parent.shell.run("echo two >a.txt && git commit -qam 'for the child'");
    const child = await taskIn("task_2", parent.place.path);
    expect((await child.shell.run("cat a.txt; git log -1 --format=%s")).output).toBe("two\nfor the child\n");
    await parent.shell.run("echo three >a.txt && git commit -qa --amend -m amended");
    await child.shell.end();
    await parent.shell.end();
    expect(await worktrees.leave(child.place)).toMatchObject({ kept: false });
    // What was amended had come home already, and stays reachable.
    expect(await worktrees.leave(parent.place)).toMatchObject({ commits: 1, note: expect.any(String) });
    expect(git(repository, "log", "-1", "--format=%s", "troupe/task_1")).toBe("amended\n");
  });

  it("C4 comes home once at a time, when several children begin with it together", async () => {
    const parent = await taskIn("task_1");
    await parent.shell.run("echo two >a.txt && git commit -qam 'for the children'");
    const children = ["task_2", "task_3", "task_4"].map((id) => placeOf(id, parent.place.path));
    await Promise.all(children.map((place) => worktrees.make(place)));
    for (const { path } of children) expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("two\n");
  });

  it("C4 takes nothing away when a branch beside it is broken", async () => {
    const { place, shell } = await taskIn("task_1");
    await shell.run("git switch -qc other && echo other >a.txt && git commit -qam other");
    const broken = "$(git rev-parse --absolute-git-dir)/refs/heads/broken";
    await shell.run(`git switch -q ${place.branch} && printf '%040d\n' 7 >${broken}`);
    await shell.end();
    expect(await worktrees.leave(place)).toMatchObject({
      kept: true,
      note: expect.stringMatching(/bad object refs\/heads\/broken.*stays in/),
    });
    expect(git(join(folder, ".inner-task_1.git"), "log", "-1", "--format=%s", "other")).toBe("other\n");
  });

  it("says what is wrong with a private folder that the task broke, and keeps everything", async () => {
    const { place, shell } = await taskIn("task_1");
    await shell.run(
      "echo two >a.txt && git commit -qam one; rm -rf $(git rev-parse --absolute-git-dir)/refs/*",
    );
    await shell.end();
    const end = await worktrees.leave(place);
    expect(end).toMatchObject({ commits: null, dirty: null, kept: true });
    expect(end?.note).toMatch(/committed inside/);
    expect(existsSync(join(folder, ".inner-task_1.git/objects"))).toBe(true);
    expect(readFileSync(join(place.path, "a.txt"), "utf8")).toBe("two\n");
  });

  it("works in a shallow repository, and in one of another kind of objects", async () => {
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "second");
    const shallow = join(base, "shallow");
    git(base, "clone", "--quiet", "--depth=1", `file://${repository}`, shallow);
    const modern = join(base, "modern");
    git(base, "init", "--quiet", "--object-format=sha256", modern);
    writeFileSync(join(modern, "a.txt"), "one\n");
    git(modern, "add", "--all");
    git(modern, "commit", "--quiet", "-m", "begin");
    for (const [id, of] of [
      ["task_1", shallow],
      ["task_2", modern],
    ] as const) {
      const { place, shell } = await taskIn(id, of);
      expect(await shell.run("echo two >a.txt && git commit -qam done")).toMatchObject({ exit_code: 0 });
      await shell.end();
      expect(await worktrees.leave(place)).toMatchObject({ commits: 1, dirty: false });
      expect(git(of, "show", `${place.branch}:a.txt`)).toBe("two\n");
    }
  });

  it("shows no git where the repository borrows objects from elsewhere", async () => {
    const borrowing = join(base, "borrowing");
    git(base, "clone", "--quiet", "--shared", repository, borrowing);
    const { shell } = await taskIn("task_1", borrowing);
    expect((await shell.run("cat a.txt; git status 2>&1")).output).toMatch(
      /^one\nfatal: not a git repository/,
    );
  });
});
