// T56: what a task leaves behind in a repository must not be run by the git of whoever works there next. Each attack is
// led from the terminal, then git looks at the repository as a person's editor does all day; without walls it runs.

import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SERVICE_UID } from "../../src/sandbox/sandbox.ts";
import { git } from "../git-repository.ts";
import { missing } from "../sandbox/machine.ts";
import { makeField, type Attacker, type Field } from "./terminal-ground.ts";

let { ground, walled, bare, clear } = {} as Field;
let ran: string;
beforeEach(() => {
  ({ ground, walled, bare, clear } = makeField());
  ran = join(ground.base, "ran");
  git(ground.workspace, "init", "--quiet");
  writeFileSync(join(ground.workspace, "a.txt"), "one\n");
  git(ground.workspace, "add", "a.txt");
  git(ground.workspace, "commit", "--quiet", "-m", "begin");
});
afterEach(() => clear());

/** Whether git ran something outside, after the attack by this one. */
async function isRun(by: Attacker, attack: string): Promise<boolean> {
  // Whoever runs the tests, the task owns the repository.
  if (process.getuid?.() === 0)
    execFileSync("chown", ["-R", `${SERVICE_UID}:${SERVICE_UID}`, ground.workspace]);
  await by.run(attack.replaceAll("TRAP", `touch ${ran}; false`));
  git(ground.workspace, "status");
  const found = existsSync(ran);
  rmSync(ran, { force: true });
  return found;
}

const FSMONITOR = `printf '[core]\n\trepositoryformatversion = 0\n\tfsmonitor = "TRAP"\n'`;
const ATTACKS: Readonly<Record<string, string>> = {
  "its config": `${FSMONITOR} >.git/config`,
  "another common folder": `mkdir evil; for each in objects refs HEAD; do ln -s ../.git/$each evil/$each; done
    ${FSMONITOR} >evil/config; echo ../evil >.git/commondir`,
  "another folder in its place": `mv .git old; cp -r old .git; ${FSMONITOR} >.git/config`,
};

describe.skipIf(missing !== null)("git outside, after a task that had the terminal", () => {
  it.each(Object.entries(ATTACKS))("runs nothing by way of %s", async (_, attack) => {
    expect([await isRun(walled, attack), await isRun(bare, attack)]).toEqual([false, true]);
  });

  it("can be asked by the task itself, which reads the repository", async () => {
    await isRun(walled, "true");
    const { output } = await walled.run(
      "git log --format=%s; echo two >>a.txt; git status --short; git diff --stat",
    );
    expect(output).toMatch(/^begin\n M a\.txt\n a\.txt \| 1 \+/);
  });
});
