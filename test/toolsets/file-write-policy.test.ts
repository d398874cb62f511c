import { describe, expect, it } from "vitest";
import { anyOf, deniedFiles, keptFiles, unwritableFiles } from "../../src/toolsets/file-write-policy.ts";

const KEPT: readonly (readonly [string, string])[] = [
  [".git", ".git"],
  [".git/hooks/pre-commit", ".git"],
  ["vendor/x/.GIT/HEAD", ".git"],
  ["AGENTS.md", "instructions to agents"],
  ["docs/claude.local.md", "instructions to agents"],
  [".github/copilot-instructions.md", "instructions to agents"],
  [".cursorrules", "instructions to agents"],
  [".claude/settings.json", "configuration of agents"],
  [".aider.conf.yml", "configuration of agents"],
  [".vscode/tasks.json", "configuration of editors"],
  [".devcontainer/devcontainer.json", "configuration of editors"],
  [".yarnrc.yml", "package managers"],
  [".pnpmfile.cjs", "package managers"],
  ["bunfig.toml", "package managers"],
  [".cargo/config.toml", "package managers"],
  [".envrc", "shells and tool managers"],
  [".mise.toml", "shells and tool managers"],
  [".husky/pre-push", "what git runs"],
  [".gitattributes", "what git runs"],
  [".gitmodules", "what git runs"],
  [".pre-commit-config.yaml", "what git runs"],
  ["x/authorized_keys", "keys of ssh"],
];

const FREE = [
  "src/agents.ts",
  "docs/agents.mdx",
  "Makefile",
  "package.json",
  ".github/workflows/ci.yml",
  ".gitignore",
  "git/config.ts",
  "environment.ts",
];

it("keptFiles keeps the server's own config from being written, wherever else its name is free", () => {
  const policy = keptFiles(["/home/me/work/config.yaml"]);
  expect(policy("config.yaml", "/home/me/work/config.yaml")).toContain("only a person writes it");
  expect(policy("sub/config.yaml", "/home/me/work/sub/config.yaml")).toBeNull();
});

describe("unwritableFiles", () => {
  const policy = unwritableFiles({ allow: [] });

  it.each(KEPT)("keeps %j back by the rule %j", (path, rule) => {
    expect(policy(path, `/work/${path}`)).toContain(rule);
  });

  it.each(FREE)("leaves %j", (path) => {
    expect(policy(path, `/work/${path}`)).toBeNull();
  });

  it("judges what lies inside the root that is served, but .git wherever that lies", () => {
    expect(policy("a.txt", "/home/me/.config/x/.claude/work/a.txt")).toBeNull();
    expect(policy("config", "/home/me/project/.git/config")).toContain("no config allows it");
  });

  it("names the key that lets some be written, and lets those", () => {
    expect(policy("AGENTS.md", "/work/AGENTS.md")).toContain("tools.file.allow");
    const some = unwritableFiles({ allow: ["docs/AGENTS.md", ".vscode/**", ".git/**"] });
    expect(some("docs/AGENTS.md", "/work/docs/AGENTS.md")).toBeNull();
    expect(some(".vscode/deep/a.json", "/work/.vscode/deep/a.json")).toBeNull();
    expect(some("AGENTS.md", "/work/AGENTS.md")).not.toBeNull();
    expect(some(".git/config", "/work/.git/config")).not.toBeNull();
  });
});

describe("deniedFiles", () => {
  const policy = deniedFiles(["secrets", "*.sqlite", "data/**"]);

  it("takes a folder for everything in it, and names the pattern", () => {
    for (const path of ["secrets", "x/secrets/deep/a.txt", "a.sqlite", "data", "data/x/y"]) {
      expect(policy(path, `/work/${path}`)).toContain("tools.file.deny");
    }
    for (const path of ["secrets.txt", "x/data/y", "."]) expect(policy(path, `/work/${path}`)).toBeNull();
  });
});

it("anyOf says the first reason, or none", () => {
  const policy = anyOf([deniedFiles(["a"]), unwritableFiles({ allow: [] })]);
  expect(policy("a", "/w/a")).toContain("tools.file.deny");
  expect(policy("AGENTS.md", "/w/AGENTS.md")).toContain("instructions to agents");
  expect(policy("b", "/w/b")).toBeNull();
});
