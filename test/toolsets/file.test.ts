import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call as callAt, codeOf, makeFiles } from "./file-fixture.ts";
import type { CallOptions } from "./file-fixture.ts";

let base: string;
let workspace: string;
beforeAll(() => {
  ({ base, workspace } = makeFiles());
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const call = (name: string, input: object, over: Partial<CallOptions> = {}) =>
  callAt(name, input, { at: workspace, ...over });
const code = (name: string, input: object, over: Partial<CallOptions> = {}) =>
  codeOf(name, input, { at: workspace, ...over });

describe("read_file", () => {
  it("shows a window of lines and says how to go on", async () => {
    expect(await call("read_file", { path: "a.txt", start_line: 2, max_lines: 1 })).toEqual({
      text: "a.txt, lines 2-2 (14 bytes, version b6285c57e8797db5):\ntwo\n[truncated: call read_file with start_line 3 to go on]",
      truncated: true,
    });
    expect(await call("read_file", { path: "a.txt", start_line: 3, max_lines: 1 })).toEqual({
      text: "a.txt, lines 3-3 (14 bytes, version b6285c57e8797db5):\nthree",
      truncated: false,
    });
  });

  it("says so of empty files, lines behind the end, binary files, folders and what is not there", async () => {
    expect((await call("read_file", { path: "empty.txt" })).text).toBe(
      "empty.txt is empty (0 bytes, version e3b0c44298fc1c14).",
    );
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
