import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ToolError } from "../../src/base/errors.ts";
import { fileToolset } from "../../src/toolsets/file.ts";
import { relativePath } from "../../src/toolsets/workspace.ts";
import type { FilePolicy } from "../../src/toolsets/workspace.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { toolContext } from "./tool-context.ts";

let base: string;
let workspace: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "troupe-file-"));
  workspace = join(base, "workspace");
  mkdirSync(join(workspace, "src/deep/er"), { recursive: true });
  mkdirSync(join(base, "workspace-other"));
  mkdirSync(join(workspace, ".git"));
  mkdirSync(join(workspace, "empty"));
  writeFileSync(join(base, "secret.txt"), "SECRET\n");
  writeFileSync(join(base, "workspace-other/x.txt"), "SECRET\n");
  writeFileSync(join(workspace, "a.txt"), "one\ntwo\nthree\n");
  writeFileSync(join(workspace, "empty.txt"), "");
  writeFileSync(join(workspace, "binary.bin"), new Uint8Array([1, 2, 0, 3]));
  writeFileSync(join(workspace, "src/main.ts"), "export const needle = 1;\r\n// Needle again\n");
  writeFileSync(join(workspace, "src/deep/er/x.md"), "no match\nhere is a needle\n");
  writeFileSync(join(workspace, ".git/config"), "needle\n");
  symlinkSync("../secret.txt", join(workspace, "link-file-out"));
  symlinkSync("/etc", join(workspace, "link-dir-out"));
  symlinkSync("link-file-out", join(workspace, "link-chain-out"));
  symlinkSync("link-loop", join(workspace, "link-loop"));
  symlinkSync("../workspace-other", join(workspace, "link-sibling"));
  symlinkSync("a.txt", join(workspace, "link-inside"));
  symlinkSync("src", join(workspace, "link-dir-inside"));
  symlinkSync("/proc/self/root", join(workspace, "link-proc-root"));
  symlinkSync("/proc/self/environ", join(workspace, "link-environ"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

async function call(
  name: string,
  input: object,
  over: { readonly signal?: AbortSignal; readonly at?: string; readonly policy?: FilePolicy } = {},
) {
  const tool = fileToolset(over.policy)
    .tools("leaf")
    .find(({ definition }) => definition.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const outcome = await tool.run(
    checkArguments(tool.definition, input),
    toolContext(over.at ?? workspace, over.signal),
  );
  if (outcome.type !== "result") throw new Error("expected a result");
  return { text: outcome.value as string, truncated: outcome.truncated ?? false };
}

async function code(name: string, input: object, over: Parameters<typeof call>[2] = {}): Promise<string> {
  return call(name, input, over).then(
    ({ text }) => `accepted: ${text}`,
    (error: unknown) => (error instanceof ToolError ? error.code : `other: ${String(error)}`),
  );
}

const OUTSIDE: readonly (readonly [string, string])[] = [
  ["../secret.txt", "bad_path"],
  ["a/../../secret.txt", "bad_path"],
  ["src/..", "bad_path"],
  ["..\\secret.txt", "bad_path"],
  ["/etc/passwd", "bad_path"],
  ["~", "bad_path"],
  ["~/secret", "bad_path"],
  ["%2e%2e/secret.txt", "not_found"],
  ["a.txt\0.md", "bad_path"],
  ["a\uD800", "bad_path"],
  ["link-file-out", "outside_workspace"],
  ["link-chain-out", "outside_workspace"],
  ["link-dir-out/passwd", "outside_workspace"],
  ["link-sibling/x.txt", "outside_workspace"],
  ["link-loop", "bad_path"],
  ["link-proc-root/etc/passwd", "outside_workspace"],
  ["link-environ", "outside_workspace"],
];

describe("W1 nothing outside of the workspace is reached", () => {
  it.each(OUTSIDE)("read_file refuses %j with %s", async (path, expected) => {
    expect(await code("read_file", { path })).toBe(expected);
  });

  it.each(["..", "/", "/etc", "link-dir-out", "link-sibling", "link-proc-root", "link-loop"])(
    "list_dir and search_files refuse %j",
    async (path) => {
      expect(await code("list_dir", { path })).toMatch(/^(bad_path|outside_workspace)$/);
      expect(await code("search_files", { path, text: "root" })).toMatch(/^(bad_path|outside_workspace)$/);
    },
  );

  it("names and paths longer than the system allows are refused", async () => {
    expect(await code("read_file", { path: "x".repeat(300) })).toBe("bad_path");
    expect(await code("read_file", { path: "x/".repeat(3000) })).toBe("bad_arguments");
    expect(() => relativePath("x/".repeat(3000), workspace)).toThrow(/at most 4096 characters/);
  });

  it("a folder whose name begins like the workspace's is outside", async () => {
    expect(await code("read_file", { path: `${workspace}-other/x.txt` })).toBe("bad_path");
  });

  it("search_files finds nothing behind links that lead out", async () => {
    expect((await call("search_files", { text: "SECRET" })).text).toMatch(/^Nothing found for "SECRET"/);
  });

  it("links inside that stay inside are fine, and so is the absolute path of a file inside", async () => {
    for (const path of ["link-inside", "a.txt", "./a.txt", join(workspace, "a.txt")]) {
      expect((await call("read_file", { path })).text).toBe("a.txt, lines 1-3 (14 bytes):\none\ntwo\nthree");
    }
    expect((await call("list_dir", { path: "link-dir-inside" })).text).toBe("src/deep/\nsrc/main.ts 42");
  });

  it("a workspace reached through a link is itself", async () => {
    symlinkSync(workspace, join(base, "alias"));
    expect((await call("read_file", { path: "a.txt" }, { at: join(base, "alias") })).text).toContain("one");
    expect(await code("read_file", { path: "link-file-out" }, { at: join(base, "alias") })).toBe(
      "outside_workspace",
    );
  });

  it("kernel interfaces are refused even where the workspace is /", async () => {
    expect(await code("read_file", { path: "/proc/self/environ" }, { at: "/" })).toBe("outside_workspace");
    expect(await code("read_file", { path: "dev/null" }, { at: "/" })).toBe("outside_workspace");
  });

  it("a workspace that is not there is said so", async () => {
    expect(await code("list_dir", {}, { at: join(base, "gone") })).toBe("no_workspace");
  });

  it("the policy keeps files inside from being read, by where they really are", async () => {
    const policy: FilePolicy = (path) => (path.startsWith(".git/") ? "kept back" : null);
    symlinkSync(".git/config", join(workspace, "link-git"));
    expect(await code("read_file", { path: ".git/config" }, { policy })).toBe("not_allowed");
    expect(await code("read_file", { path: "link-git" }, { policy })).toBe("not_allowed");
    rmSync(join(workspace, "link-git"));
  });
});

describe("W2 opening never waits", () => {
  it("refuses a pipe without a writer, at once", async () => {
    execFileSync("mkfifo", [join(workspace, "pipe")]);
    expect(await code("read_file", { path: "pipe" })).toBe("not_a_file");
    expect((await call("search_files", { text: "needle", glob: "pipe" })).text).toContain("Nothing found");
    expect((await call("list_dir", {})).text).toContain("pipe (no regular file)");
    rmSync(join(workspace, "pipe"));
  });

  it("refuses a socket", async () => {
    const server = createServer().listen(join(workspace, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await code("read_file", { path: "socket" })).toBe("not_a_file");
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("read_file", () => {
  it("shows a window of lines and says how to go on", async () => {
    expect(await call("read_file", { path: "a.txt", start_line: 2, max_lines: 1 })).toEqual({
      text: "a.txt, lines 2-2 (14 bytes):\ntwo\n[truncated: call read_file with start_line 3 to go on]",
      truncated: true,
    });
    expect(await call("read_file", { path: "a.txt", start_line: 3, max_lines: 1 })).toEqual({
      text: "a.txt, lines 3-3 (14 bytes):\nthree",
      truncated: false,
    });
  });

  it("says so of empty files, lines behind the end, binary files, folders and what is not there", async () => {
    expect((await call("read_file", { path: "empty.txt" })).text).toBe("empty.txt is empty (0 bytes).");
    expect((await call("read_file", { path: "a.txt", start_line: 9 })).text).toContain(
      "has nothing at line 9",
    );
    expect((await call("read_file", { path: "binary.bin" })).text).toContain("is a binary file of 4 bytes");
    expect(await code("read_file", { path: "src" })).toBe("not_a_file");
    expect(await code("read_file", { path: "nope.txt" })).toBe("not_found");
    expect(await code("read_file", { path: "a.txt/b" })).toBe("not_a_folder");
  });

  it("reads every line of a long file exactly once when it goes on as told", async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `line ${index} ${"é".repeat(index % 50)}`);
    writeFileSync(join(workspace, "long.txt"), `${lines.join("\n")}\n`);
    const seen: string[] = [];
    for (let start: number | null = 1; start !== null;) {
      const { text, truncated } = await call("read_file", { path: "long.txt", start_line: start });
      expect(text.length).toBeLessThan(24_000);
      const shown = text.split("\n").slice(1, truncated ? -1 : undefined);
      seen.push(...shown);
      start = truncated ? Number(/start_line (\d+)/.exec(text)?.[1]) : null;
    }
    expect(seen).toEqual(lines);
    rmSync(join(workspace, "long.txt"));
  });

  it("cuts a line of ten megabytes and goes on behind it", async () => {
    writeFileSync(join(workspace, "wide.txt"), `${"x".repeat(10_000_000)}\nlast\n`);
    const { text, truncated } = await call("read_file", { path: "wide.txt" });
    expect(truncated).toBe(true);
    expect(text).toContain("… [9998000 more characters in this line]\nlast");
    expect(text.length).toBeLessThan(3000);
    rmSync(join(workspace, "wide.txt"));
  });

  it("stops reading a sparse file of 4 GB at its bound", async () => {
    writeFileSync(join(workspace, "huge.txt"), "head\n".repeat(20_000));
    truncateSync(join(workspace, "huge.txt"), 4 * 1024 ** 3);
    const { text, truncated } = await call("read_file", { path: "huge.txt", start_line: 30_000 });
    expect(truncated).toBe(true);
    expect(text).toContain("has nothing at line 30000");
    rmSync(join(workspace, "huge.txt"));
  });

  it("stops when the task is cancelled", async () => {
    const signal = AbortSignal.abort(new Error("cancelled"));
    await expect(call("read_file", { path: "a.txt" }, { signal })).rejects.toThrow("cancelled");
    await expect(call("list_dir", {}, { signal })).rejects.toThrow("cancelled");
    await expect(call("search_files", { text: "x" }, { signal })).rejects.toThrow("cancelled");
  });
});

describe("list_dir", () => {
  it("lists names in order, with folders, sizes and links marked", async () => {
    const { text } = await call("list_dir", {});
    expect(text.split("\n")).toEqual(
      expect.arrayContaining(["a.txt 14", "src/", "link-inside (link)", ".git/", "empty.txt 0"]),
    );
    expect((await call("list_dir", { path: "empty" })).text).toBe("empty is empty.");
  });

  it("goes as deep as asked, never into .git", async () => {
    const { text, truncated } = await call("list_dir", { depth: 5 });
    expect(text).toContain("src/deep/er/x.md");
    expect(text).not.toContain(".git/config");
    expect(truncated).toBe(false);
    expect((await call("list_dir", { depth: "2" })).text).toContain("src/main.ts 42");
  });

  it("cuts a folder of many entries with a mark", async () => {
    const many = join(base, "many");
    mkdirSync(many);
    for (let index = 0; index < 1000; index++) writeFileSync(join(many, `f${index}`), "");
    const { text, truncated } = await call("list_dir", {}, { at: many });
    expect(truncated).toBe(true);
    expect(text.split("\n")).toHaveLength(401);
    expect(text).toMatch(/\[truncated: only 400 entries are shown/);
  });
});

describe("search_files", () => {
  it("finds literal text in any case, with path and line, outside of .git", async () => {
    expect((await call("search_files", { text: "needle" })).text.split("\n")).toEqual([
      "src/main.ts:1: export const needle = 1;",
      "src/main.ts:2: // Needle again",
      "src/deep/er/x.md:2: here is a needle",
    ]);
    expect((await call("search_files", { text: "Needle", case_sensitive: true })).text).toBe(
      "src/main.ts:2: // Needle again",
    );
  });

  it("takes the text literally", async () => {
    writeFileSync(join(workspace, "re.txt"), "a.*b\naxxb\n");
    expect((await call("search_files", { text: "a.*b", glob: "re.txt" })).text).toBe("re.txt:1: a.*b");
    rmSync(join(workspace, "re.txt"));
  });

  it("looks at the files of a pattern, lists them without a text, and takes a file as path", async () => {
    expect((await call("search_files", { text: "needle", glob: "*.md" })).text).toBe(
      "src/deep/er/x.md:2: here is a needle",
    );
    expect((await call("search_files", { glob: "src/**/*.md" })).text).toBe("src/deep/er/x.md");
    expect((await call("search_files", { text: "again", path: "src/main.ts" })).text).toBe(
      "src/main.ts:2: // Needle again",
    );
    expect((await call("search_files", { text: "zzz" })).text).toMatch(
      /^Nothing found for "zzz" in \d+ files\.$/,
    );
    expect(await code("search_files", {})).toBe("bad_arguments");
    expect(await code("search_files", { text: "x", path: "nope" })).toBe("not_found");
  });

  it("stops at 100 matches, cuts long lines, and says so", async () => {
    writeFileSync(join(workspace, "hits.txt"), `${"y".repeat(5000)}hit${"z".repeat(5000)}\n`.repeat(150));
    const { text, truncated } = await call("search_files", { text: "HIT" });
    const lines = text.split("\n");
    expect(lines).toHaveLength(101);
    expect(lines[0]).toMatch(/^hits\.txt:1: …y+hitz+…$/);
    expect(lines[0]?.length).toBeLessThan(230);
    expect(truncated).toBe(true);
    rmSync(join(workspace, "hits.txt"));
  });

  it("survives letters that change their length when folded", async () => {
    writeFileSync(join(workspace, "fold.txt"), "İİİ\nneedlE İ\n");
    expect((await call("search_files", { text: "needle", glob: "fold.txt" })).text).toMatch(
      /^fold\.txt:2: needle/,
    );
    rmSync(join(workspace, "fold.txt"));
  });
});
