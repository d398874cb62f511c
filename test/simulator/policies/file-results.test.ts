import { describe, expect, test } from "vitest";
import {
  fileTextOf,
  isFileRefusal,
  joined,
  listingOf,
  searchOf,
} from "../../../src/simulator/policies/file-results.ts";
import { exchangesOf, type Exchange } from "../../../src/simulator/policies/transcript.ts";
import { assistant, result } from "../fixtures.ts";

function exchange(tool: string, input: object, value: unknown): Exchange {
  const [found] = exchangesOf([assistant("", [tool, input]), result(tool, value)]);
  if (!found) throw new Error("no exchange");
  return found;
}

const entry = (path: string, isFolder: boolean, bytes: number | null) => ({
  path,
  name: path.slice(path.lastIndexOf("/") + 1),
  isFolder,
  bytes,
});

describe("listings", () => {
  test.each([
    ["plain lines with whole paths", "src/core/\nsrc/a.ts 12\nsrc/b c.md ?\nsrc/l (link)"],
    ["plain lines with names", "core/\na.ts 12\nb c.md ?"],
  ])("%s", (_, text) => {
    expect(listingOf(exchange("list_dir", { path: "src" }, text))).toEqual({
      path: "src",
      entries: [
        entry("src/core", true, null),
        entry("src/a.ts", false, 12),
        entry("src/b c.md", false, null),
      ],
      truncated: false,
    });
  });

  test("JSON entries of either kind", () => {
    const value = {
      entries: [{ name: "core", type: "dir" }, { path: "src/a.ts", size: 12 }, "b/"],
      truncated: true,
    };
    expect(listingOf(exchange("list_dir", { path: "src/" }, value))).toEqual({
      path: "src/",
      entries: [entry("src/core", true, null), entry("src/a.ts", false, 12), entry("src/b", true, null)],
      truncated: true,
    });
  });

  test("what is empty or cut says so", () => {
    expect(listingOf(exchange("list_dir", {}, "docs is empty.")).entries).toEqual([]);
    const cut = listingOf(exchange("list_dir", {}, "a 1\n[truncated: only 1 entries are shown]"));
    expect([cut.path, cut.entries.length, cut.truncated]).toEqual([".", 1, true]);
  });
});

describe("texts", () => {
  test("the head gives the bytes and is no line of the file", () => {
    const text = "a.md, lines 1-2 (20 bytes):\n# Title\nbody";
    expect(fileTextOf(exchange("read_file", { path: "a.md" }, text))).toEqual({
      path: "a.md",
      text: "# Title\nbody",
      lines: 2,
      bytes: 20,
      truncated: false,
    });
  });

  test("a piece of a file is marked", () => {
    const text = "a.md, lines 1-2 (900 bytes):\nx\ny\n[truncated: call read_file with start_line 3 to go on]";
    expect(fileTextOf(exchange("read_file", { path: "a.md" }, text))).toMatchObject({
      lines: 2,
      truncated: true,
    });
  });

  test.each(["a.md is empty (0 bytes).", "a.bin is a binary file of 9 bytes; read_file shows text only."])(
    "%j has no lines",
    (text) => {
      expect(fileTextOf(exchange("read_file", { path: "a" }, text))).toMatchObject({ text: "", lines: 0 });
    },
  );

  test.each([
    [{ content: "x\ny\n" }, 2],
    [{ text: "x", total_lines: 90 }, 90],
    [{ lines: ["x", "y"] }, 2],
    ["x\ny", 2],
  ])("%j has %j lines", (value, lines) => {
    expect(fileTextOf(exchange("read_file", { path: "a" }, value)).lines).toBe(lines);
  });
});

describe("searches", () => {
  test("plain matches have a place, files found by name have none", () => {
    const byText = searchOf(
      exchange("search_files", { text: "x", path: "src" }, "src/a.ts:3: const x = 1\nsrc/b.ts:9:x"),
    );
    expect(byText).toEqual({
      term: "x",
      path: "src",
      matches: [
        { path: "src/a.ts", line: 3, text: "const x = 1" },
        { path: "src/b.ts", line: 9, text: "x" },
      ],
      truncated: false,
    });
    const byName = searchOf(exchange("search_files", { glob: "*.md" }, "a.md\nb/c.md"));
    expect(byName.matches).toEqual([
      { path: "a.md", line: null, text: "" },
      { path: "b/c.md", line: null, text: "" },
    ]);
  });

  test("nothing found is no match, JSON matches are read", () => {
    expect(
      searchOf(exchange("search_files", { text: "x" }, 'Nothing found for "x" in 3 files.')).matches,
    ).toEqual([]);
    const value = { matches: [{ path: "a", line: 1, text: " x " }, { no: "path" }] };
    expect(searchOf(exchange("search_files", { pattern: "x" }, value)).matches).toEqual([
      { path: "a", line: 1, text: "x" },
    ]);
  });
});

describe("refusals in plain words", () => {
  test.each([
    ["list_dir", "There is no src in the workspace.", true],
    ["list_dir", "src/a.ts 12\nb/", false],
    ["list_dir", "a file with many words.md 12", false],
    ["list_dir", "src is empty.", false],
    ["read_file", "There is no a.md in the workspace. Use list_dir to see what is there.", true],
    ["read_file", "a.md, lines 1-1 (9 bytes):\none line of words only", false],
    ["read_file", "a.md is empty (0 bytes).", false],
    ["search_files", "Expected text, glob, or both, got neither.", true],
    ["search_files", "a.ts:1: four words and more", false],
    ["search_files", 'Nothing found for "x" in 3 files.', false],
  ])("%s: %j is %j", (tool, text, refused) => {
    expect(isFileRefusal(tool, text)).toBe(refused);
  });
});

test("paths are joined without doubling the folder", () => {
  expect([joined(".", "a"), joined("src/", "a"), joined("src", "src/a"), joined("./src", "a")]).toEqual([
    "a",
    "src/a",
    "src/a",
    "src/a",
  ]);
});
