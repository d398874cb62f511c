import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProcessHost } from "../src/base/process.ts";
import { currentUid } from "../src/base/owner.ts";
import { nodeProcesses } from "../src/base/process-node.ts";
import { branchOf } from "../src/core/worktree.ts";
import { call, say } from "../providers/script.ts";
import { fileWriteToolset } from "../src/toolsets/file-write.ts";
import { realRig } from "./runtime/rig.ts";
import { git, makeRepository } from "./git-repository.ts";
import { worktreesHere } from "./worktrees-here.ts";

let base: string;
let repository: string;
let folder: string;
beforeEach(() => {
  ({ base, repository } = makeRepository());
  folder = join(base, "worktrees");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const isRoot = currentUid() === 0;
const made = () => worktreesHere(folder);
const placeOf = (id: string) => ({ base: repository, branch: branchOf(id), path: join(folder, id) });
const branches = () => git(repository, "branch", "--list", "--format=%(refname:short)").trim().split("\n");

describe("a worktree", { timeout: 60_000 }, () => {
  it("is a checkout of its own branch, that git itself takes for clean", async () => {
    const place = placeOf("task_1");
    await made().make(place);
    expect(readFileSync(join(place.path, "a.txt"), "utf8")).toBe("one\n");
    expect(git(place.path, "status", "--porcelain")).toBe("");
    expect(git(place.path, "branch", "--show-current").trim()).toBe("troupe/task_1");
    // Commands of a server of root run as somebody else, who must get in; what lies there is as closed as ever.
    expect(statSync(folder).mode & 0o777).toBe(isRoot ? 0o711 : 0o700);
    expect((isRoot ? statSync(place.path) : statSync(folder)).mode & 0o777).toBe(0o700);
    expect(git(repository, "status", "--porcelain")).toBe("");
  });

  it("R1 is found again with what was done in it, by another process too", async () => {
    const place = placeOf("task_1");
    await made().make(place);
    writeFileSync(join(place.path, "a.txt"), "two\n");
    await made().make(place);
    expect(readFileSync(join(place.path, "a.txt"), "utf8")).toBe("two\n");
  });

  it("R1 is made anew where a server died while it made one", async () => {
    const place = placeOf("task_1");
    git(repository, "worktree", "add", "--quiet", "--no-checkout", "-b", place.branch, place.path);
    await made().make(place);
    expect(git(place.path, "status", "--porcelain")).toBe("");
    mkdirSync(join(folder, "task_2"));
    writeFileSync(join(folder, "task_2/left"), "");
    await made().make(placeOf("task_2"));
    expect(readdirSync(join(folder, "task_2"))).not.toContain("left");
  });

  it("R2 is removed with its branch when nothing was done in it, and says so again after a crash", async () => {
    const place = placeOf("task_1");
    const worktrees = made();
    await worktrees.make(place);
    mkdirSync(join(place.path, "build"));
    writeFileSync(join(place.path, "build/out"), "ignored");
    writeFileSync(join(place.path, ".troupe-0123456789abcdef01234567.tmp"), "half");
    const { branch, path } = place;
    expect(await worktrees.leave(place)).toEqual({ branch, path, commits: 0, dirty: false, kept: false });
    expect(existsSync(place.path)).toBe(false);
    expect(branches()).toEqual(["main"]);
    expect(git(repository, "worktree", "list").trim().split("\n")).toHaveLength(1);
    expect(git(repository, "for-each-ref", "refs/troupe-base")).toBe("");
    expect(await made().leave(place)).toBeNull();
    expect(readdirSync(folder)).toEqual([".clean-sha1.git"]);
  });

  it.each([
    ["a changed file", (at: string) => writeFileSync(join(at, "a.txt"), "two\n")],
    ["a new file", (at: string) => writeFileSync(join(at, "new.txt"), "")],
    ["a deleted file", (at: string) => rmSync(join(at, "a.txt"))],
    ["a changed mode", (at: string) => chmodSync(join(at, "a.txt"), 0o755)],
    ["a change that is only staged", (at: string) => void git(at, "update-index", "--chmod=+x", "a.txt")],
    [
      "a link in the place of a folder",
      (at: string) => {
        rmSync(join(at, "src"), { recursive: true });
        symlinkSync("/etc", join(at, "src"));
      },
    ],
    [
      "what was told to be ignored",
      (at: string) => {
        writeFileSync(join(at, ".gitignore"), "*\n");
        writeFileSync(join(at, "new.txt"), "");
      },
    ],
  ])("R2 is kept with %s", async (_, change) => {
    const place = placeOf("task_1");
    await made().make(place);
    change(place.path);
    expect(await made().leave(place)).toMatchObject({ commits: 0, dirty: true, kept: true });
    expect(existsSync(place.path)).toBe(true);
  });

  it("R2 is kept with commits, on its branch or beside it, and told the same twice", async () => {
    const [one, two] = [placeOf("task_1"), placeOf("task_2")];
    for (const place of [one, two]) {
      await made().make(place);
      if (place === two) git(place.path, "checkout", "--quiet", "--detach");
      writeFileSync(join(place.path, "a.txt"), "two\n");
      git(place.path, "commit", "--quiet", "--all", "-m", "more");
    }
    const end = await made().leave(one);
    expect(end).toMatchObject({ commits: 1, dirty: false, kept: true, branch: "troupe/task_1" });
    expect(await made().leave(one)).toEqual(end);
    expect(await made().leave(two)).toMatchObject({ commits: 1, dirty: false, kept: true });
    expect(git(repository, "log", "--format=%s", "troupe/task_1").split("\n")[0]).toBe("more");
  });

  it("begins where its base is: a worktree of a worktree has that one's commits", async () => {
    const parent = placeOf("task_1");
    await made().make(parent);
    writeFileSync(join(parent.path, "a.txt"), "two\n");
    git(parent.path, "commit", "--quiet", "--all", "-m", "more");
    const child = { ...placeOf("task_2"), base: parent.path };
    await made().make(child);
    expect(readFileSync(join(child.path, "a.txt"), "utf8")).toBe("two\n");
    expect(await made().leave(child)).toMatchObject({ commits: 0, kept: false });
  });

  it("two at once of one repository do not disturb each other", async () => {
    const worktrees = made();
    const places = ["task_1", "task_2", "task_3"].map(placeOf);
    await Promise.all(places.map((place) => worktrees.make(place)));
    const ends = await Promise.all(places.map((place) => worktrees.leave(place)));
    expect(ends.map((end) => end?.kept)).toEqual([false, false, false]);
  });
});

describe("refusals", { timeout: 60_000 }, () => {
  it("names what is missing: a repository, its top folder, a commit", async () => {
    const place = placeOf("task_1");
    const at = (folderOf: string) => made().make({ ...place, base: folderOf });
    await expect(at(base)).rejects.toThrow(/is no git repository/);
    await expect(at(join(repository, "src"))).rejects.toThrow(/not its top folder/);
    await expect(at(join(base, "gone"))).rejects.toThrow(/worktree/);
    const empty = join(base, "empty");
    mkdirSync(empty);
    git(empty, "init", "--quiet");
    await expect(at(empty)).rejects.toThrow(/has no commit yet/);
  });

  it("keeps what it cannot look at, and says why", async () => {
    const place = placeOf("task_1");
    await made().make(place);
    rmSync(join(repository, ".git/worktrees/task_1"), { recursive: true });
    expect(await made().leave(place)).toMatchObject({ commits: null, dirty: null, kept: true });
    expect(existsSync(place.path)).toBe(true);
  });

  it("R2 removes nothing when what git says gets lost on the way, or git cannot be started", async () => {
    const place = placeOf("task_1");
    await made().make(place);
    writeFileSync(join(place.path, "a.txt"), "two\n");
    git(place.path, "commit", "--quiet", "--all", "-m", "more");
    const lossy = (run: ProcessHost["run"]) => worktreesHere(folder, { processes: { run } });
    const mute = lossy(async (...asked) => ({ ...(await nodeProcesses.run(...asked)), stdout: "" }));
    const absent = lossy(() => Promise.reject(new Error("no more processes")));
    for (const worktrees of [mute, absent]) {
      expect(await worktrees.leave(place)).toMatchObject({ commits: null, dirty: null, kept: true });
    }
    // Some answers arrive and others do not.
    for (const lost of ["rev-parse", "rev-list", "diff-index", "update-index", "ls-files"]) {
      const partly = lossy(async (argv, options) => {
        const done = await nodeProcesses.run(argv, options);
        return argv.includes(lost) ? { ...done, stdout: "" } : done;
      });
      expect(await partly.leave(place)).toMatchObject({ kept: true });
    }
    expect(branches()).toContain("troupe/task_1");
    expect(existsSync(place.path)).toBe(true);
  });

  it("stops when it is called off", async () => {
    const reason = new Error("cancelled");
    await expect(made().make(placeOf("task_1"), AbortSignal.abort(reason))).rejects.toThrow("cancelled");
  });
});

it("a whole task works in its own checkout, and its result says what it left there", async () => {
  const { api, runtime } = realRig({
    settings: { workspaceRoot: repository, worktreeFolder: folder },
    worktrees: made(),
    toolsets: [fileWriteToolset()],
    reply: ({ messages }) =>
      messages.at(-1)?.role === "tool"
        ? [say("written")]
        : [call("write_file", { path: "new.txt", content: "mine" })],
  });
  const asked = { goal: "write", isolation: "worktree", toolsets: ["file_write"] } as const;
  const { taskId } = await api.delegate(asked);
  const end = await api.collect(taskId);
  expect(end.failure).toBeNull();
  expect(end).toMatchObject({ state: "done", worktree: { commits: 0, dirty: true, kept: true } });
  expect(end.worktree).toMatchObject({ path: join(folder, taskId), branch: `troupe/${taskId}` });
  expect(readFileSync(join(folder, taskId, "new.txt"), "utf8")).toBe("mine");
  expect(existsSync(join(repository, "new.txt"))).toBe(false);
  await runtime.close();
});
