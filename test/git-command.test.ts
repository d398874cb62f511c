import { describe, expect, it } from "vitest";
import { gitArgv, gitEnv } from "../src/git-command.ts";

describe("gitArgv", () => {
  it("N3 names the git folder itself, and looks for hooks where none are", () => {
    const argv = gitArgv(["branch", "-D", "x"], { gitDir: "/r/.git", workTree: "/w" });
    expect(argv.slice(-5)).toEqual(["--git-dir=/r/.git", "--work-tree=/w", "branch", "-D", "x"]);
    expect(argv.join(" ")).toContain("-c core.hooksPath=/dev/null -c core.fsmonitor=false");
    expect(gitArgv(["status"], {}).some((arg) => arg.startsWith("--git-dir"))).toBe(false);
  });
});

describe("gitEnv", () => {
  it("N1 holds nothing but what git needs, and no network", () => {
    const env = gitEnv("/usr/bin", {});
    expect(env["PATH"]).toBe("/usr/bin");
    expect(env["GIT_ALLOW_PROTOCOL"]).toBe("none");
    expect(env["GIT_CONFIG_GLOBAL"]).toBe("/dev/null");
    expect(
      Object.keys(env).filter((key) => !/^(GIT_|PATH$|HOME$|XDG_CONFIG_HOME$|LC_ALL$)/.test(key)),
    ).toEqual([]);
    expect(env).not.toHaveProperty("GIT_INDEX_FILE");
  });

  it("N2 lends objects by a path that may hold a colon", () => {
    const env = gitEnv("/usr/bin", { index: "/w.index", objects: "/a:b/objects" });
    expect(env["GIT_ALTERNATE_OBJECT_DIRECTORIES"]).toBe('"/a:b/objects"');
    expect(env["GIT_INDEX_FILE"]).toBe("/w.index");
  });
});
