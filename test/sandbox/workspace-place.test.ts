import { mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pinsOf, placeOf, workspacePlace } from "../../src/sandbox/workspace-place.ts";
import { makeGround, type Ground } from "./machine.ts";

let ground: Ground;
beforeEach(() => {
  ground = makeGround();
});
afterEach(() => ground.remove());

const markOf = (path: string): string => {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
};

describe("workspacePlace", () => {
  it("P1 says where a folder really is, and what it is known by", async () => {
    const link = join(ground.base, "link");
    symlinkSync(ground.workspace, link);
    const { path, mark } = await placeOf(link);
    expect([path, mark]).toEqual([ground.workspace, markOf(ground.workspace)]);
  });

  it("refuses a workspace that links lead out of the root", async () => {
    const link = join(ground.workspace, "out");
    symlinkSync(ground.base, link);
    const question = { workspace: link, workspaceRoot: ground.workspace, own: [] };
    await expect(workspacePlace(question)).rejects.toMatchObject({ code: "no_workspace" });
    const inside = { workspace: ground.workspace, workspaceRoot: ground.base, own: [] };
    expect(await workspacePlace(inside)).toMatchObject({ path: ground.workspace });
  });

  it("refuses one that holds, is or lies in what is Troupe's own, a system folder, and none at all", async () => {
    const { workspace, base } = ground;
    for (const own of [[join(workspace, "home")], [workspace], [base]]) {
      await expect(workspacePlace({ workspace, own })).rejects.toThrow(/Troupe's own/);
    }
    await expect(workspacePlace({ workspace: "/usr/share", own: [] })).rejects.toThrow(/machine itself/);
    await expect(workspacePlace({ workspace: join(base, "none"), own: [] })).rejects.toThrow(/ENOENT/);
  });
});

describe("a folder of git or of keys", () => {
  it.each([".git", ".git/hooks", "sub/.GIT/modules/a", ".ssh", ".gnupg/x", ".aws"])(
    "P3 is no workspace: %s",
    async (name) => {
      const workspace = join(ground.workspace, name);
      mkdirSync(workspace, { recursive: true });
      const question = { workspace, workspaceRoot: ground.workspace, own: [] };
      await expect(workspacePlace(question)).rejects.toThrow(/it is or lies in \.\w+, which no agent/);
    },
  );
});

describe("pinsOf", () => {
  it("P2 pins git's folder as a whole, and is fine where nothing is to be pinned", async () => {
    const { workspace } = ground;
    expect(await pinsOf(workspace, [join(workspace, "config.yaml")])).toEqual([]);
    const git = join(workspace, ".git");
    mkdirSync(git);
    expect(await pinsOf(workspace, [])).toEqual([{ path: git, kind: "read_only", mark: markOf(git) }]);
  });

  it("P2 closes a workspace in which a link stands for what is to be pinned: whoever swaps it gets around the pin", async () => {
    const { workspace, base } = ground;
    const config = join(workspace, "config.yaml");
    symlinkSync("/etc/hostname", config);
    await expect(pinsOf(workspace, [config])).rejects.toMatchObject({ code: "no_workspace" });
    symlinkSync(base, join(workspace, ".git"));
    await expect(pinsOf(workspace, [])).rejects.toThrow(/\.git must be kept as it is and is no regular file/);
  });

  it("P2 pins a worktree's .git file, and kept files with the folders above them", async () => {
    const { workspace } = ground;
    writeFileSync(join(workspace, ".git"), "gitdir: /x");
    mkdirSync(join(workspace, "a/b"), { recursive: true });
    const kept = join(workspace, "a/b/config.yaml");
    writeFileSync(kept, "");
    const pins = await pinsOf(workspace, [kept, "/elsewhere/config.yaml"]);
    expect(pins.map(({ path, kind }) => `${kind} ${path.slice(workspace.length)}`)).toEqual([
      "in_place /a",
      "in_place /a/b",
      "read_only /.git",
      "read_only /a/b/config.yaml",
    ]);
  });
});
