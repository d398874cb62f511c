import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "../../src/base/clock.ts";
import { systemRandom as random } from "../../src/base/ids.ts";
import { hasAppeared, markWithoutRepository } from "../../src/config/unwritten.ts";
import { branchOf } from "../../src/core/worktree.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { git, makeRepository } from "../git-repository.ts";
import { claimed, ended, submitted } from "../store/specimens.ts";
import { worktreesHere } from "../worktrees-here.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

const ENDED = "task_aaaa";
const LIVE = "task_bbbb";
const FORGOTTEN = "task_cccc";
const DIRTY = "task_dddd";

/** Each starts dozens of programs. */
const SLOW = { timeout: 60_000 };

let base: string;
let repository: string;
let folder: string;
beforeEach(async () => {
  ({ base, repository } = makeRepository());
  folder = join(base, "data/troupe/worktrees");
  mkdirSync(join(base, "home"));
  mkdirSync(join(base, "work"));
  const store = openSqliteStore({ path: join(base, "home/troupe.db"), clock, random, durability: "full" });
  for (const id of [ENDED, DIRTY]) await ended(store, id);
  await claimed(store, LIVE);
  await submitted(store, "task_eeee");
  await store.close();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function left(id: string, change: string | null): Promise<string> {
  const path = join(folder, id);
  await worktreesHere(folder).make({ base: repository, branch: branchOf(id), path });
  if (change !== null) writeFileSync(join(path, "a.txt"), change);
  return path;
}

async function typed(...args: string[]) {
  const env = {
    TROUPE_HOME: join(base, "home"),
    HOME: base,
    XDG_DATA_HOME: join(base, "data"),
    PATH: process.env["PATH"] ?? "",
    NO_COLOR: "1",
  };
  const terminal = new ScriptedTerminal({ env, cwd: join(base, "work") });
  const code = await runLine(["worktrees", ...args], terminal);
  return { code, out: terminal.out, err: terminal.err };
}

test("worktrees are listed with what became of their tasks, and as JSON", SLOW, async () => {
  expect(await typed()).toMatchObject({ code: 0, out: "", err: "No task left a worktree.\n" });
  const path = await left(ENDED, "two\n");
  git(path, "commit", "--quiet", "--all", "-m", "more");
  await left(LIVE, null);
  await left(FORGOTTEN, "three\n");
  const { code, out } = await typed("ls");
  expect(code).toBe(0);
  expect(out).toMatch(/^task_aaaa +done +troupe\/task_aaaa +1 +clean +\d+ MiB +\/.*task_aaaa$/m);
  expect(out).toMatch(/^task_bbbb +spawned +troupe\/task_bbbb +0 +clean /m);
  expect(out).toMatch(/^task_cccc +forgotten +troupe\/task_cccc +0 +not committed /m);
  const { items } = JSON.parse((await typed("--json")).out) as { items: readonly object[] };
  expect(items[0]).toMatchObject({ task_id: ENDED, state: "done", commits: 1, dirty: false, path });
});

test("--all takes away what ended and left nothing uncommitted, and says what stays", SLOW, async () => {
  const path = await left(ENDED, "two\n");
  git(path, "commit", "--quiet", "--all", "-m", "more");
  for (const [id, change] of [
    [LIVE, null],
    [FORGOTTEN, null],
    [DIRTY, "three\n"],
  ] as const)
    await left(id, change);
  const { code, out, err } = await typed("remove", "--all");
  expect(code).toBe(0);
  expect(out).toBe(`${path}; not merged, so they stay: troupe/task_aaaa\n${join(folder, FORGOTTEN)}\n`);
  expect(err).toMatch(/^2 worktrees left: /);
  expect([ENDED, LIVE, FORGOTTEN, DIRTY].map((id) => existsSync(join(folder, id)))).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect(git(repository, "show", "troupe/task_aaaa:a.txt")).toBe("two\n");
});

test(
  "one by its id: not of a task that is at work, and with --force only what is not committed",
  SLOW,
  async () => {
    await left(LIVE, null);
    const path = await left(DIRTY, "three\n");
    const refused = await typed("remove", "task_b", "--force");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/task_bbbb is spawned\. Cancel it first/);
    const dirty = await typed("remove", "task_d");
    expect([dirty.code === 0, dirty.err]).toEqual([false, expect.stringMatching(/--force/)]);
    expect(existsSync(path)).toBe(true);
    expect(await typed("remove", "task_d", "--force")).toMatchObject({ code: 0, out: `${path}\n` });
    expect(existsSync(path)).toBe(false);
    await left(ENDED, null);
    expect((await typed("remove", "task_")).err).toMatch(/got task_, which 2 have/);
    expect((await typed("remove", "task_f")).err).toMatch(/got task_f, which none has/);
    expect((await typed("remove")).code).toBe(2);
    expect((await typed("remove", "--all", "--force")).code).toBe(2);
  },
);

test("where no store can be asked nothing is taken for ended", SLOW, async () => {
  const path = await left(ENDED, null);
  rmSync(join(base, "home/troupe.db"));
  expect((await typed()).out).toMatch(/^task_aaaa +unknown /m);
  expect(await typed("remove", "--all")).toMatchObject({ out: "" });
  expect((await typed("remove", ENDED)).err).toMatch(/not known to have ended/);
  expect(existsSync(path)).toBe(true);
  expect(await typed("remove", ENDED, "--force")).toMatchObject({ code: 0 });
  expect(existsSync(path)).toBe(false);
});

test("a person vouches for a repository that appeared where agents have a shell", SLOW, async () => {
  await markWithoutRepository(join(base, "home"), join(base, "work"));
  expect(await hasAppeared(join(base, "home"), join(base, "work"))).toBe(true);
  expect(await typed("trust", ".")).toMatchObject({
    code: 0,
    err: expect.stringContaining(join(base, "work")),
  });
  expect(await hasAppeared(join(base, "home"), join(base, "work"))).toBe(false);
});
