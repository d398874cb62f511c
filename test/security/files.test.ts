// Attacks on the file tools (T37, T38, T41, T42, T44 of the acceptance suite), each with a positive control: the same
// attack on naive tools, which it must get through. T39, the race, is in files-race.test.ts, T45 and T46 in
// files-many-agents.test.ts.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FileStage } from "./file-stage.ts";
import { naiveFiles } from "./file-naive.ts";

const stage = new FileStage();

/** Everything in the workspace by name; links are not followed. */
const allNames = () => execFileSync("find", [stage.workspace], { encoding: "utf8" });

/** What each tool makes of one path. */
async function everyTool(path: string): Promise<Readonly<Record<string, string>>> {
  return {
    read: await stage.code("read_file", { path }),
    write: await stage.code("write_file", { path, content: "x", if_version: "0" }),
    writeNew: await stage.code("write_file", { path, content: "x" }),
    edit: await stage.code("edit_file", { path, old_text: "SECRET", new_text: "x", if_version: "0" }),
    remove: await stage.code("delete_file", { path, if_version: "0" }),
    moveFrom: await stage.code("move_file", { from: path, to: "moved.txt" }),
    moveTo: await stage.code("move_file", { from: "empty.txt", to: path }),
  };
}

describe("T37 paths that lead out by their text", () => {
  const PATHS = [
    "../secret.txt",
    "a/../../secret.txt",
    "src/../../secret.txt",
    "..\\secret.txt",
    "/etc/passwd",
    "~/.ssh/authorized_keys",
    "~",
    "a.txt\0.md",
    "x".repeat(300),
    "a\uD800",
    "..",
    "/",
  ];
  it.each(PATHS)("%j is refused by every tool", async (path) => {
    for (const [tool, got] of Object.entries(await everyTool(path))) {
      expect([tool, got]).toEqual([tool, "bad_path"]);
    }
    expect(stage.secret()).toBe("SECRET\n");
  });

  it("5,000 characters do not even fit the argument", async () => {
    expect(new Set(Object.values(await everyTool("x/".repeat(2500))))).toEqual(new Set(["bad_arguments"]));
  });

  it("%2e and full-width dots are names, and make files inside", async () => {
    for (const path of ["%2e%2e/secret.txt", "．．/secret.txt", "..%2fsecret.txt"]) {
      expect(await stage.code("write_file", { path, content: "x" })).toMatch(/^accepted/);
    }
    expect(stage.secret()).toBe("SECRET\n");
  });

  it("a name that is no UTF-8 is listed, and reached by no other file's name", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${stage.workspace}/src/`), Buffer.from([0xff, 0xfe])]), "odd");
    const { text } = await stage.call("list_dir", { path: "src" });
    expect(text).toContain("\uFFFD");
    expect(await stage.code("read_file", { path: "src/\uFFFD\uFFFD" })).toBe("not_found");
  });

  it("control: naive tools write outside", async () => {
    await naiveFiles(stage.workspace).write("../secret.txt", "pwned");
    expect(stage.secret()).toBe("pwned");
  });
});

describe("T38 links that lead out", () => {
  it.each(["link-file-out", "link-chain-out", "link-loop", "link-inside", "link-environ", "dangling"])(
    "the link %j is neither written, edited, moved, moved over nor deleted",
    async (path) => {
      symlinkSync("../new.txt", join(stage.workspace, "dangling"));
      const target = readlinkSync(join(stage.workspace, path));
      const { read, ...others } = await everyTool(path);
      expect(Object.values(others)).toEqual(Object.values(others).map(() => "is_link"));
      expect(read).toMatch(path === "link-inside" ? /^accepted/ : /^(outside_workspace|bad_path|not_found)$/);
      expect(readlinkSync(join(stage.workspace, path))).toBe(target);
      expect(stage.secret()).toBe("SECRET\n");
      expect(existsSync(join(stage.base, "new.txt"))).toBe(false);
    },
  );

  it.each(["link-sibling/x.txt", "link-sibling/new.txt", "link-sibling/deep/new.txt", "link-dir-out/passwd"])(
    "%j below a link is out of reach",
    async (path) => {
      for (const [tool, got] of Object.entries(await everyTool(path))) {
        expect([tool, got]).toEqual([tool, "outside_workspace"]);
      }
      expect(await stage.code("list_dir", { path: path.slice(0, path.indexOf("/")) })).toBe(
        "outside_workspace",
      );
      expect(readdirSync(join(stage.base, "workspace-other"))).toEqual(["x.txt"]);
    },
  );

  it("a folder that a link inside leads to is written at its own place", async () => {
    expect(
      (await stage.call("write_file", { path: "link-dir-inside/new.txt", content: "x" })).text,
    ).toContain("Made src/new.txt");
  });

  it("a second name of a file outside is not written through: it is replaced here alone", async () => {
    execFileSync("ln", [join(stage.base, "secret.txt"), join(stage.workspace, "hard.txt")]);
    await stage.call("read_file", { path: "hard.txt" });
    await stage.call("write_file", { path: "hard.txt", content: "x" });
    expect(stage.secret()).toBe("SECRET\n");
  });

  it("control: naive tools write through links", async () => {
    const naive = naiveFiles(stage.workspace);
    await naive.write("link-chain-out", "pwned");
    expect(stage.secret()).toBe("pwned");
    await naive.write("link-sibling/new.txt", "pwned");
    await naive.remove("link-sibling/x.txt");
    expect(readdirSync(join(stage.base, "workspace-other"))).toEqual(["new.txt"]);
  });
});

describe("T41 what is no file", () => {
  it("the process's own interfaces are out of reach, also for a workspace that is /", async () => {
    const at = "/";
    for (const path of ["proc/self/environ", "dev/mem", "dev/null", "sys/power/state"]) {
      expect(await stage.code("read_file", { path }, { at })).toMatch(
        /^(outside_workspace|not_a_file|not_found|not_allowed)$/,
      );
      expect(await stage.code("write_file", { path, content: "x", if_version: "0" }, { at })).toMatch(
        /^(outside_workspace|not_found|not_allowed)$/,
      );
    }
    const path = `link-proc-root${stage.base}/secret.txt`;
    for (const [tool, got] of Object.entries(await everyTool(path))) {
      expect([tool, got]).toEqual([tool, "outside_workspace"]);
    }
  });

  it("a pipe, a socket and a folder are refused at once by every tool", async () => {
    execFileSync("mkfifo", [join(stage.workspace, "pipe")]);
    const server = createServer().listen(join(stage.workspace, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    for (const path of ["pipe", "socket", "src"]) {
      const { moveTo, ...others } = await everyTool(path);
      expect(new Set(Object.values(others))).toEqual(new Set(["not_a_file"]));
      expect(moveTo).toBe("not_a_file");
    }
    expect(lstatSync(join(stage.workspace, "pipe")).isFIFO()).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it("control: naive tools read the server's environment", async () => {
    expect(await naiveFiles(stage.workspace).read("link-environ")).toContain("PATH=");
  });
});

describe("T42 what programs and agents obey unasked", () => {
  const KEPT = [
    ".git/hooks/pre-commit",
    ".git/config",
    ".git/HEAD",
    ".git",
    "vendor/lib/.git/hooks/post-checkout",
    ".GIT/hooks/pre-commit",
    ".env",
    ".env.production",
    ".mcp.json",
    ".bashrc",
    ".profile",
    ".npmrc",
    ".envrc",
    ".ssh/authorized_keys",
    "AGENTS.md",
    "docs/CLAUDE.md",
    ".claude/settings.json",
    ".cursor/mcp.json",
    ".vscode/tasks.json",
    ".husky/pre-commit",
    ".gitattributes",
    "private/notes.txt",
  ];
  it.each(KEPT)("%j is neither made, nor moved to, and the refusal names the rule", async (path) => {
    const before = allNames();
    expect(await stage.code("write_file", { path, content: "x" })).toBe("kept_back");
    expect(await stage.code("move_file", { from: "a.txt", to: path })).toBe("kept_back");
    await expect(stage.call("write_file", { path, content: "x" })).rejects.toThrow(
      /the rule "|tools\.file\.deny/,
    );
    expect(allNames()).toBe(before);
  });

  it("what is there is neither changed, moved away nor deleted, by no detour", async () => {
    writeFileSync(join(stage.workspace, "AGENTS.md"), "be good");
    mkdirSync(join(stage.workspace, ".git/hooks"));
    symlinkSync(".git", join(stage.workspace, "innocent"));
    for (const path of ["AGENTS.md", ".git/config", "innocent/config", "innocent/hooks/x"]) {
      const { read: _, ...changing } = await everyTool(path);
      expect([path, ...new Set(Object.values(changing))]).toEqual([path, "kept_back"]);
    }
    expect(await stage.code("move_file", { from: ".git", to: "x" })).toBe("kept_back");
    expect(await stage.code("move_file", { from: "src", to: ".husky" })).toBe("not_a_file");
    expect(readFileSync(join(stage.workspace, "AGENTS.md"), "utf8")).toBe("be good");
    expect(readFileSync(join(stage.workspace, ".git/config"), "utf8")).toBe("needle\n");
  });

  it("control: naive tools plant a hook", async () => {
    await naiveFiles(stage.workspace).write(".git/hooks/pre-commit", "#!/bin/sh\n");
    expect(existsSync(join(stage.workspace, ".git/hooks/pre-commit"))).toBe(true);
  });
});

describe("T44 sizes", () => {
  it("a file of 4 GB is read in part with a mark, never taken into memory to be edited", async () => {
    writeFileSync(join(stage.workspace, "huge.txt"), "head\n");
    truncateSync(join(stage.workspace, "huge.txt"), 4 * 1024 ** 3);
    writeFileSync(join(stage.workspace, "huge.log"), "head\n".repeat(50_000));
    truncateSync(join(stage.workspace, "huge.log"), 4 * 1024 ** 3);
    expect((await stage.call("read_file", { path: "huge.log" })).truncated).toBe(true);
    const before = process.memoryUsage().rss;
    await stage.call("read_file", { path: "huge.txt" });
    expect(await stage.code("edit_file", { path: "huge.txt", old_text: "head", new_text: "x" })).toBe(
      "too_large",
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 ** 2);
    expect((await stage.call("delete_file", { path: "huge.txt" })).text).toContain("Deleted");
  });

  it("many entries and deep trees end with a mark", async () => {
    mkdirSync(join(stage.workspace, "many"));
    for (let n = 0; n < 20_001; n++) writeFileSync(join(stage.workspace, `many/${n}`), "");
    expect((await stage.call("list_dir", { path: "many" })).truncated).toBe(true);
    expect((await stage.call("search_files", { path: "many", glob: "*.none" })).truncated).toBe(true);
    mkdirSync(join(stage.workspace, "d/".repeat(200)), { recursive: true });
    expect((await stage.call("search_files", { path: "d", glob: "*.none" })).truncated).toBe(true);
  }, 60_000);

  it("control: naive tools take whatever size there is", async () => {
    writeFileSync(join(stage.workspace, "wide.txt"), "x".repeat(10_000_000));
    expect(await naiveFiles(stage.workspace).read("wide.txt")).toHaveLength(10_000_000);
  });
});
