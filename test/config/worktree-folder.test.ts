import { describe, expect, it } from "vitest";
import { worktreeFolderOf } from "../../src/config/worktree-folder.ts";
import { configSchema } from "../../src/core/config-schema.ts";

function folderOf(env: Record<string, string>, rest: { written?: string; uid?: number } = {}) {
  const { written, uid = 1000 } = rest;
  const config = configSchema.parse(
    written === undefined ? {} : { delegation: { worktree_folder: written } },
  );
  return worktreeFolderOf({ config, env, baseDir: "/home/me/.config/troupe", uid }).worktreeFolder;
}

describe("worktreeFolderOf", () => {
  it("is the person's data folder, and one that another user can enter where root runs the server", () => {
    expect(folderOf({ HOME: "/home/me" })).toBe("/home/me/.local/share/troupe/worktrees");
    expect(folderOf({ HOME: "/home/me", XDG_DATA_HOME: "/data" })).toBe("/data/troupe/worktrees");
    expect(folderOf({ HOME: "/home/me", XDG_DATA_HOME: "data" })).toBe(
      "/home/me/.local/share/troupe/worktrees",
    );
    expect(folderOf({ HOME: "/root" }, { uid: 0 })).toBe("/srv/troupe/worktrees");
    expect(folderOf({})).toBeUndefined();
  });

  it("is what the config says, relative to the config", () => {
    expect(folderOf({ HOME: "/home/me" }, { written: "/srv/w" })).toBe("/srv/w");
    expect(folderOf({ HOME: "/home/other" }, { written: "./w" })).toBe("/home/me/.config/troupe/w");
  });

  it("is never in Troupe's home, which no tool may touch: it lies beside it, or is refused", () => {
    const env = { HOME: "/home/me", TROUPE_HOME: "/home/me/.local/share/troupe" };
    expect(folderOf(env)).toBe("/home/me/.local/share/troupe-worktrees");
    for (const written of ["./w", ".", "/home/me"]) {
      expect(() => folderOf({ HOME: "/home/me" }, { written })).toThrow(/outside of Troupe's home/);
    }
  });
});
