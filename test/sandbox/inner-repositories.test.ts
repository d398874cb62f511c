import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { innerGitPlaces } from "../../src/sandbox/inner-repositories.ts";
import { git } from "../git-repository.ts";
import { makeGround, type Ground } from "./machine.ts";

let ground: Ground;
beforeEach(() => {
  ground = makeGround();
});
afterEach(() => ground.remove());

/** A repository whose index names these as commits of others. */
function repositoryAt(path: string, links: readonly string[]): void {
  mkdirSync(path, { recursive: true });
  git(path, "init", "--quiet");
  for (const link of links)
    git(path, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},${link}`);
}

describe("innerGitPlaces", () => {
  it("names the repository of each that is checked out, and the folder of each that is not", async () => {
    const { workspace } = ground;
    repositoryAt(workspace, ["libs/a", "b", "gone"]);
    repositoryAt(join(workspace, "libs/a"), ["deep"]);
    mkdirSync(join(workspace, "libs/a/deep"));
    mkdirSync(join(workspace, "b"));
    const inside = (path: string): string => join(workspace, path);
    expect(await innerGitPlaces(workspace)).toEqual([
      inside("b"),
      inside("libs/a/.git"),
      inside("libs/a/deep"),
    ]);
  });

  it("looks where a file .git leads, and at the index that another one shares", async () => {
    const { workspace, base } = ground;
    const elsewhere = join(base, "elsewhere");
    repositoryAt(elsewhere, ["a"]);
    git(elsewhere, "update-index", "--split-index");
    writeFileSync(join(workspace, ".git"), "gitdir: ../elsewhere/.git\n");
    mkdirSync(join(workspace, "a"));
    expect(await innerGitPlaces(workspace)).toEqual([join(workspace, "a")]);
  });

  it("finds none without git, and refuses an index that it cannot read", async () => {
    const { workspace } = ground;
    expect(await innerGitPlaces(workspace)).toEqual([]);
    mkdirSync(join(workspace, ".git"));
    expect(await innerGitPlaces(workspace)).toEqual([]);
    writeFileSync(join(workspace, ".git/index"), "DIRC of another kind");
    await expect(innerGitPlaces(workspace)).rejects.toThrow(/index cannot be searched for submodules/);
  });

  it("G2 finds repositories that are no submodules in the first folders, a broken one too, and no others", async () => {
    const { workspace } = ground;
    for (const path of ["a", "b/c", "d/e/f", "g/h/i/j", "node_modules/k"])
      repositoryAt(join(workspace, path), ["sub"]);
    mkdirSync(join(workspace, "a/sub"));
    writeFileSync(join(workspace, "b/c/.git/index"), "DIRC of another kind");
    symlinkSync(join(workspace, "a/.git"), join(workspace, "b/.git"));
    expect(await innerGitPlaces(workspace)).toEqual(
      ["a/.git", "a/sub", "b/c/.git", "d/e/f/.git"].map((path) => join(workspace, path)),
    );
  });

  it("ends where repositories lead into one another", async () => {
    const { workspace } = ground;
    repositoryAt(workspace, ["a"]);
    mkdirSync(join(workspace, "a"));
    // Its repository is the one around it: the same index again.
    writeFileSync(join(workspace, "a/.git"), "gitdir: ../.git\n");
    mkdirSync(join(workspace, "a/a"));
    expect(await innerGitPlaces(workspace)).toEqual([join(workspace, "a/.git"), join(workspace, "a/a")]);
  });
});
