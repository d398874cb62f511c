// T56: a repository that runs programs of its own when somebody's git looks at it, as the base of worktrees.

import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { markingSandbox } from "../../src/terminal.ts";
import { hasAppearedIn, withGit } from "../../src/worktrees.ts";
import { git, HostileRepository, makeRepository } from "../git-repository.ts";
import { missing, sandboxHere } from "../sandbox/machine.ts";
import { attackerIn } from "./terminal-ground.ts";
import { worktreesHere } from "../worktrees-here.ts";

const textOf = (path: string): string | null => (existsSync(path) ? readFileSync(path, "utf8") : null);

let hostile: HostileRepository;
beforeEach(() => {
  hostile = new HostileRepository();
});
afterEach(() => rmSync(hostile.base, { recursive: true, force: true }));

/** A task with a worktree of the hostile repository, and a terminal in it. */
async function inTerminal() {
  const { repository, base } = hostile;
  const folder = join(base, "worktrees");
  const worktrees = worktreesHere(folder);
  const place = { base: repository, branch: "troupe/task_1", path: join(folder, "task_1") };
  await worktrees.make(place);
  const shell = attackerIn(place.path, withGit(sandboxHere(), worktrees));
  return { repository, base, folder, worktrees, place, shell };
}

describe("T56 a hostile repository", { timeout: 60_000 }, () => {
  it("runs nothing when a worktree is made, found again, looked at, kept and removed", async () => {
    const folder = join(hostile.base, "worktrees");
    const worktrees = worktreesHere(folder);
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
    const worktrees = worktreesHere(folder);
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

  it.skipIf(missing !== null)(
    "runs nothing of what a task in its terminal told git to run, then or later",
    async () => {
      const { repository, base, folder, worktrees, place, shell } = await inTerminal();
      const before = [".git/config", ".git/HEAD", ".git/packed-refs"].map((each) =>
        textOf(join(repository, each)),
      );
      const trap = join(base, "trap");
      const own = "own=$(git rev-parse --absolute-git-dir)";
      const attacks = [
        `${own}; git config core.fsmonitor ${trap}; git config core.hooksPath ${base}`,
        `${own}; mkdir -p $own/hooks; cp /usr/bin/true $own/hooks/post-checkout; cp ${trap} $own/hooks/`,
        `${own}; printf '%s' ${base} >$own/commondir; rm $own/commondir`,
        `for each in config HEAD hooks/post-checkout refs/heads/evil objects/aa/x worktrees/x/y; do mkdir -p ${repository}/.git/$(dirname $each); echo evil >${repository}/.git/$each; done`,
        `echo "gitdir: ${base}" >.git; rm -f .git; mv .git elsewhere`,
        "git config --unset core.fsmonitor; git config --unset core.hooksPath; echo two >a.txt; git commit -qam two",
      ];
      for (const attack of attacks) await shell.run(attack);
      expect((await shell.run("git log -1 --format=%s")).output).toBe("two\n");
      await shell.run(`git config core.fsmonitor ${trap}; git config core.hooksPath $PWD`);
      await shell.end();
      expect(await worktrees.leave(place)).toMatchObject({ commits: 1, dirty: false, kept: true });
      const after = [".git/config", ".git/HEAD", ".git/packed-refs"].map((each) =>
        textOf(join(repository, each)),
      );
      expect(after).toEqual(before);
      expect(existsSync(join(repository, ".git/refs/heads/evil"))).toBe(false);
      expect(hostile.ran()).toBe("");
      // Nothing of the task is left that a person's git would obey: what runs now is the repository's own.
      expect(readFileSync(join(place.path, ".git"), "utf8")).toBe(
        `gitdir: ${repository}/.git/worktrees/task_1\n`,
      );
      expect(existsSync(join(folder, ".inner-task_1.git"))).toBe(false);
    },
  );

  const tree = "git cat-file -p HEAD^{tree}";
  it.skipIf(missing !== null).each([
    [
      "a tree that would be checked out over git's own folder",
      `sub=$(${tree} | git mktree); new=$({ ${tree}; printf '040000 tree %s\\t.git\\n' $sub; } | git mktree); git reset -q --soft $(git commit-tree -p HEAD -m evil $new)`,
      /hasDotgit/,
    ],
    [
      "a commit without its files",
      "git reset -q --soft $(git commit-tree -p HEAD -m x $(printf '100644 blob 1111111111111111111111111111111111111111\\tx\\n' | git mktree --missing))",
      /1111111111/,
    ],
    [
      "more branches than anybody looks at",
      "for i in {1..30}; do git update-ref refs/heads/b$i $(git commit-tree -p HEAD -m $i HEAD^{tree}); done",
      /more than 16 branches/,
    ],
  ])("takes nothing in that git did not check: %s", async (_, attack, said) => {
    const { place, shell, worktrees, repository } = await inTerminal();
    await shell.run(attack);
    await shell.end();
    const end = await worktrees.leave(place);
    expect(end).toMatchObject({ commits: null, dirty: null, kept: true, note: expect.stringMatching(said) });
    expect(git(repository, "rev-parse", place.branch)).toBe(git(repository, "rev-parse", "main"));
  });

  it.skipIf(missing !== null).each([
    ["link", "ln -s $secret"],
    ["folder", "mkdir"],
    ["pipe that nobody reads", "mkfifo"],
  ])("is led nowhere by a %s in the place where the commits come out", async (_, plant) => {
    const { place, shell, worktrees, base } = await inTerminal();
    const secret = join(base, "secret");
    writeFileSync(secret, "the owner's key\n");
    chmodSync(secret, 0o666);
    const attack = `secret=${secret}; echo two >a.txt; git commit -qam two; ${plant} $(git rev-parse --absolute-git-dir)/troupe-export.pack`;
    expect(await shell.run(attack)).toMatchObject({ exit_code: 0 });
    await shell.end();
    expect(await worktrees.leave(place)).toMatchObject({ commits: 1, dirty: false });
    expect(readFileSync(secret, "utf8")).toBe("the owner's key\n");
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

describe("T56 a forged .git in a folder that agents share", () => {
  it("leads to no other repository of the owner", async () => {
    const { base, repository } = makeRepository();
    try {
      const shared = join(base, "shared");
      mkdirSync(shared);
      const own = join(repository, ".git");
      git(repository, "worktree", "add", "--quiet", join(base, "elsewhere"));
      const forgeries = [`gitdir: ${own}\n`, `gitdir: ${own}/worktrees/elsewhere\n`];
      for (const [number, forgery] of forgeries.entries()) {
        writeFileSync(join(shared, ".git"), forgery);
        const place = {
          base: shared,
          branch: `troupe/task_${number}`,
          path: join(base, `worktrees/task_${number}`),
        };
        await expect(worktreesHere(join(base, "worktrees")).make(place)).rejects.toThrow(
          /does not know of it/,
        );
        expect(existsSync(place.path)).toBe(false);
        // Control: git itself follows it to the owner's files.
        git(shared, "worktree", "add", "--quiet", "--detach", join(base, `naive_${number}`));
        expect(readFileSync(join(base, `naive_${number}/a.txt`), "utf8")).toBe("one\n");
      }
      rmSync(join(shared, ".git"));
      git(shared, "init", "--quiet");
      writeFileSync(join(shared, ".git/commondir"), own);
      const place = { base: shared, branch: "troupe/task_9", path: join(base, "worktrees/task_9") };
      await expect(worktreesHere(join(base, "worktrees")).make(place)).rejects.toThrow(/does not know of it/);
      git(shared, "worktree", "add", "--quiet", "--detach", join(base, "naive_9"), "main");
      expect(existsSync(join(base, "naive_9/a.txt"))).toBe(true);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });

  it("counts for nothing where agents made it, whatever its links lead to", async () => {
    const { base, repository } = makeRepository();
    try {
      const [shared, home] = [join(base, "shared"), join(base, "home")];
      mkdirSync(shared);
      // As every shell is opened; then the agent makes a repository whose parts are another's.
      const sandbox = markingSandbox(sandboxHere({ unsafe: true }), {
        cwd: base,
        env: { TROUPE_HOME: home },
      });
      const shell = attackerIn(shared, sandbox);
      const own = join(repository, ".git");
      await shell.run(
        `mkdir .git && cd .git && cp ${own}/HEAD ${own}/config . && ln -s ${own}/objects ${own}/refs .`,
      );
      await shell.sessions.close();
      const place = { base: shared, branch: "troupe/task_1", path: join(base, "worktrees/task_1") };
      const worktrees = worktreesHere(join(base, "worktrees"), {
        hasAppeared: hasAppearedIn({ TROUPE_HOME: home }),
      });
      await expect(worktrees.make(place)).rejects.toThrow(/troupe worktrees trust/);
      expect(existsSync(place.path)).toBe(false);
      // Control: who does not ask since when it is there hands the other repository's files out.
      await worktreesHere(join(base, "naive")).make({ ...place, path: join(base, "naive/task_1") });
      expect(readFileSync(join(base, "naive/task_1/a.txt"), "utf8")).toBe("one\n");
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });
});
