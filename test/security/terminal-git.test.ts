// T56: what a task leaves behind in a repository must not be run by the git of whoever works there next. Each attack is
// led from the terminal, then git looks at the repository as a person's editor does all day; without walls it runs.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SERVICE_UID } from "../../src/sandbox/sandbox.ts";
import { git, makeRepository } from "../git-repository.ts";
import { missing } from "../sandbox/machine.ts";
import { makeField, type Attacker, type Field } from "./terminal-ground.ts";

let { ground, walled, bare, clear } = {} as Field;
let ran: string;
let base: string;
let repository: string;
beforeAll(() => {
  ({ base, repository } = makeRepository());
  addRepositories();
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  ({ ground, walled, bare, clear } = makeField());
  ran = join(ground.base, "ran");
  cpSync(repository, ground.workspace, { recursive: true, verbatimSymlinks: true });
});
afterEach(() => clear());

/** One that is checked out, one in it, one that is not checked out; and a repository that is none of them. */
function addRepositories(): void {
  const local = ["-c", "protocol.file.allow=always"];
  const inner = join(base, "inner");
  const outer = join(base, "outer");
  for (const folder of [inner, outer]) {
    mkdirSync(folder);
    git(folder, "init", "--quiet");
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "begin");
  }
  const add = (to: string, from: string, at: string): void => {
    git(to, ...local, "submodule", "--quiet", "add", from, at);
    git(to, "commit", "--quiet", "-m", at);
  };
  add(outer, inner, "deep");
  add(repository, outer, "libs/outer");
  add(repository, inner, "later");
  git(repository, ...local, "submodule", "--quiet", "update", "--init", "--recursive", "libs/outer");
  git(repository, "submodule", "--quiet", "deinit", "later");
  const one = join(repository, "projects/one");
  mkdirSync(one, { recursive: true });
  git(one, "init", "--quiet");
  writeFileSync(join(repository, ".git/info/exclude"), "projects\n");
}

/** Whether git ran something outside, after the attack by this one. */
async function isRun(by: Attacker, attack: string): Promise<boolean> {
  // Whoever runs the tests, the task owns the repository.
  if (process.getuid?.() === 0)
    execFileSync("chown", ["-R", `${SERVICE_UID}:${SERVICE_UID}`, ground.workspace]);
  await by.run(attack.replaceAll("TRAP", `touch ${ran}; false`));
  git(ground.workspace, "status");
  git(join(ground.workspace, "projects/one"), "status");
  const found = existsSync(ran);
  rmSync(ran, { force: true });
  return found;
}

const FSMONITOR = `printf '[core]\n\trepositoryformatversion = 0\n\tfsmonitor = "TRAP"\n'`;
const INTO = (path: string): string =>
  `rm -rf ${path}/.git; git init --quiet ${path} && ${FSMONITOR} >${path}/.git/config`;
const ATTACKS: Readonly<Record<string, string>> = {
  "its config": `${FSMONITOR} >.git/config`,
  "another common folder": `mkdir evil; for each in objects refs HEAD; do ln -s ../.git/$each evil/$each; done
    ${FSMONITOR} >evil/config; echo ../evil >.git/commondir`,
  "a submodule's repository": INTO("libs/outer"),
  "a submodule of a submodule": INTO("libs/outer/deep"),
  "a submodule that was not checked out": INTO("later"),
  "the link of a submodule": `git init --quiet evil; ${FSMONITOR} >evil/.git/config
    cp .git/modules/libs/outer/index evil/.git/; echo 'gitdir: ../../evil/.git' >libs/outer/.git`,
  "a repository in a folder": `mv projects/one/.git old; git init --quiet projects/one
    ${FSMONITOR} >projects/one/.git/config`,
  "another folder in its place": `mv .git old; cp -r old .git; ${FSMONITOR} >.git/config`,
};

describe.skipIf(missing !== null)("git outside, after a task that had the terminal", () => {
  it.each(Object.entries(ATTACKS))("runs nothing by way of %s", async (_, attack) => {
    expect([await isRun(walled, attack), await isRun(bare, attack)]).toEqual([false, true]);
  });

  it("can be asked by the task itself, which reads the repository", async () => {
    await isRun(walled, "true");
    const { output } = await walled.run(
      "git log --format=%s | tail -1; echo two >>a.txt; git status --short; git diff --stat",
    );
    expect(output).toMatch(/^begin\n M a\.txt\n a\.txt \| 1 \+/);
  });
});
