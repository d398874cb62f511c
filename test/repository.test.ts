// A forged `.git` is tried in test/security/worktrees.test.ts.

import { chownSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { currentUid } from "../src/base/owner.ts";
import { nodeProcesses } from "../src/base/process-node.ts";
import { Git } from "../src/git-runner.ts";
import { Repositories } from "../src/repository.ts";
import { git, makeRepository } from "./git-repository.ts";

let base: string;
let repository: string;
beforeEach(() => {
  ({ base, repository } = makeRepository());
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function repositories(uid: number | null = currentUid()): Repositories {
  const folder = join(base, "worktrees");
  const searchPath = process.env["PATH"] ?? "";
  return new Repositories({
    git: new Git({ processes: nodeProcesses, clock: systemClock, folder, searchPath }),
    folder,
    uid,
    hasAppeared: async () => false,
  });
}

describe("Repositories", () => {
  it("G1 finds a repository by its checkout and by every worktree that it knows of", async () => {
    const found = await repositories().of(repository);
    expect(found).toMatchObject({ common: join(repository, ".git"), format: "sha1" });
    expect(existsSync(join(found.clean, "objects"))).toBe(true);
    git(repository, "worktree", "add", "--quiet", join(base, "other"));
    expect(await repositories().of(join(base, "other"))).toMatchObject({ common: join(repository, ".git") });
  });

  it("G1 says what is no checkout of its own: a bare one, a submodule, a folder in between", async () => {
    const bare = join(base, "bare.git");
    git(base, "clone", "--quiet", "--bare", repository, bare);
    await expect(repositories().of(bare)).rejects.toThrow(/bare repository/);
    const outer = join(base, "outer");
    mkdirSync(outer);
    git(outer, "init", "--quiet");
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repository, "inner");
    await expect(repositories().of(join(outer, "inner"))).rejects.toThrow(/does not know of it/);
    await expect(repositories().of(join(repository, "src"))).rejects.toThrow(/not its top folder/);
  });

  it.skipIf(currentUid() !== 0)(
    "G2 of a server of root: git acts as the owner, and never as root for another",
    async () => {
      expect(await repositories().of(repository)).toMatchObject({ as: null, worker: { uid: 65_534 } });
      for (const path of [base, repository, join(repository, ".git")]) chownSync(path, 1234, 1234);
      const found = await repositories().of(repository);
      expect(found).toMatchObject({ as: { uid: 1234, gid: 1234 }, worker: null });
      expect(statSync(found.clean).uid).toBe(1234);
      expect(statSync(found.home)).toMatchObject({ uid: 1234, gid: 1234 });
      expect(statSync(found.home).mode & 0o777).toBe(0o700);
    },
  );

  it("is nobody else's business where root is not", async () => {
    expect(await repositories(null).of(repository)).toMatchObject({ as: null, worker: null });
  });
});
