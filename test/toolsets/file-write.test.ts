import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { draftName } from "../../src/toolsets/file-draft.ts";
import { fileWriteToolset } from "../../src/toolsets/file-write.ts";
import { FileVersions } from "../../src/toolsets/file-versions.ts";
import { call as callAt, codeOf, makeFiles } from "./file-fixture.ts";
import type { CallOptions } from "./file-fixture.ts";

let base: string;
let workspace: string;
let versions: FileVersions;
beforeEach(() => {
  ({ base, workspace } = makeFiles());
  versions = new FileVersions();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const call = (name: string, input: object, over: Partial<CallOptions> = {}) =>
  callAt(name, input, { at: workspace, versions, ...over });
const code = (name: string, input: object, over: Partial<CallOptions> = {}) =>
  codeOf(name, input, { at: workspace, versions, ...over });
const text = (path: string): string => readFileSync(join(workspace, path), "utf8");
const versionIn = (answer: { readonly text: string }): string =>
  /version (\w+)/.exec(answer.text)?.[1] ?? "none";

describe("write_file", () => {
  it("makes a file and its folders, and replaces what it wrote itself", async () => {
    const made = await call("write_file", { path: "new/deep/a.md", content: "héllo\n" });
    expect(made.text).toMatch(/^Made new\/deep\/a\.md \(7 bytes, version [0-9a-f]{16}\)\.$/);
    expect((await call("write_file", { path: "new/deep/a.md", content: "x" })).text).toContain("Replaced");
    expect(text("new/deep/a.md")).toBe("x");
  });

  it("replaces a file only for who has read it as it is, or names its version", async () => {
    expect(await code("write_file", { path: "a.txt", content: "x" })).toBe("not_read");
    expect(text("a.txt")).toBe("one\ntwo\nthree\n");
    const version = versionIn(await call("read_file", { path: "a.txt" }));
    expect(await code("write_file", { path: "a.txt", content: "x" }, { taskId: "task_2" })).toBe("not_read");
    expect(await code("write_file", { path: "a.txt", content: "x", if_version: "0".repeat(16) })).toBe(
      "conflict",
    );
    await call("write_file", { path: "a.txt", content: "x", if_version: version }, { taskId: "task_2" });
    expect(await code("write_file", { path: "a.txt", content: "y" })).toBe("conflict");
    expect(text("a.txt")).toBe("x");
  });

  it("counts on no version of a file that is gone", async () => {
    const version = versionIn(await call("read_file", { path: "a.txt" }));
    rmSync(join(workspace, "a.txt"));
    expect(await code("write_file", { path: "a.txt", content: "x", if_version: version })).toBe("conflict");
    expect((await call("write_file", { path: "a.txt", content: "x" })).text).toContain("Made");
  });

  it("may be called again after a crash: the text is there already, whatever the version was", async () => {
    const input = { path: "a.txt", content: "x" };
    await call("read_file", { path: "a.txt" });
    await call("write_file", input);
    expect((await call("write_file", input, { versions: new FileVersions() })).text).toContain(
      "exactly this",
    );
    const [write, ...others] = fileWriteToolset().tools("leaf");
    expect(write).toMatchObject({ repeatable: true, definition: { name: "write_file" } });
    expect(others.map(({ repeatable }) => repeatable)).toEqual([false, false, false]);
  });

  it("keeps the mode of what it replaces, and refuses what is too long or no Unicode", async () => {
    chmodSync(join(workspace, "a.txt"), 0o755);
    await call("read_file", { path: "a.txt" });
    await call("write_file", { path: "a.txt", content: "x" });
    expect(statSync(join(workspace, "a.txt")).mode & 0o777).toBe(0o755);
    expect(await code("write_file", { path: "b.txt", content: "x".repeat(5_000_000) })).toBe("too_large");
    expect(await code("write_file", { path: "b.txt", content: "\uD800" })).toBe("bad_text");
    expect(existsSync(join(workspace, "b.txt"))).toBe(false);
  });

  it("of two calls at once for one file, lets one be first and tells the other", async () => {
    const ends = await Promise.all(
      ["a", "b"].map((content) =>
        code("write_file", { path: "both.txt", content }, { taskId: `task_${content}` }),
      ),
    );
    expect(ends.filter((end) => end.startsWith("accepted"))).toHaveLength(1);
    expect(ends).toContain("not_read");
  });
});

describe("edit_file", () => {
  it("changes what was read, again and again, and says the new version", async () => {
    await call("read_file", { path: "a.txt" });
    const first = await call("edit_file", { path: "a.txt", old_text: "two", new_text: "2" });
    expect(first.text).toMatch(/^Changed one place of a\.txt \(12 bytes, version/);
    expect(
      (await call("edit_file", { path: "a.txt", old_text: "e", new_text: "E", all: true })).text,
    ).toContain("3 places");
    expect(text("a.txt")).toBe("onE\n2\nthrEE\n");
  });

  it("refuses what was not read, what changed since, and what is not there", async () => {
    const edit = { path: "a.txt", old_text: "two", new_text: "2" };
    expect(await code("edit_file", edit)).toBe("not_read");
    await call("read_file", { path: "a.txt" });
    writeFileSync(join(workspace, "a.txt"), "two, mended\n");
    expect(await code("edit_file", edit)).toBe("conflict");
    expect(text("a.txt")).toBe("two, mended\n");
    expect(await code("edit_file", { ...edit, path: "gone.txt" })).toBe("not_found");
    await call("read_file", { path: "a.txt" });
    expect(await code("edit_file", { ...edit, old_text: "four" })).toBe("no_match");
  });

  it("leaves bytes that are no text alone, and a mark at the beginning where it is", async () => {
    await call("read_file", { path: "binary.bin" });
    expect(await code("edit_file", { path: "binary.bin", old_text: "a", new_text: "b" })).toBe("not_text");
    writeFileSync(join(workspace, "latin.txt"), new Uint8Array([0x61, 0xe9, 0x0a]));
    await call("read_file", { path: "latin.txt" });
    expect(await code("edit_file", { path: "latin.txt", old_text: "a", new_text: "b" })).toBe("not_text");
    writeFileSync(join(workspace, "bom.txt"), "\uFEFFone\r\ntwo\r\n");
    await call("read_file", { path: "bom.txt" });
    await call("edit_file", { path: "bom.txt", old_text: "one\ntwo", new_text: "one\n2" });
    expect(text("bom.txt")).toBe("\uFEFFone\r\n2\r\n");
  });

  it("neither edits a file beyond the bound nor makes one", async () => {
    writeFileSync(join(workspace, "long.txt"), "x".repeat(5_000_000));
    await call("read_file", { path: "long.txt" });
    expect(await code("edit_file", { path: "long.txt", old_text: "x", new_text: "", all: true })).toBe(
      "too_large",
    );
    await call("write_file", { path: "wide.txt", content: "x".repeat(3000) });
    const edit = { path: "wide.txt", old_text: "x", new_text: "y".repeat(3000), all: true };
    expect(await code("edit_file", edit)).toBe("too_large");
  });
});

describe("move_file and delete_file", () => {
  it("moves a file with what is known of it, into folders that it makes", async () => {
    await call("read_file", { path: "a.txt" });
    expect((await call("move_file", { from: "a.txt", to: "b/c.txt" })).text).toContain(
      "Moved a.txt to b/c.txt",
    );
    expect(existsSync(join(workspace, "a.txt"))).toBe(false);
    await call("edit_file", { path: "b/c.txt", old_text: "one", new_text: "1" });
    expect(text("b/c.txt")).toBe("1\ntwo\nthree\n");
  });

  it("never replaces a file, and moves neither folders nor what is not there", async () => {
    expect(await code("move_file", { from: "a.txt", to: "empty.txt" })).toBe("exists");
    expect(await code("move_file", { from: "a.txt", to: "./a.txt" })).toBe("same_path");
    expect(await code("move_file", { from: "src", to: "source" })).toBe("not_a_file");
    expect(await code("move_file", { from: "gone.txt", to: "here/x.txt" })).toBe("not_found");
    expect(existsSync(join(workspace, "here"))).toBe(false);
    expect(text("a.txt")).toBe("one\ntwo\nthree\n");
    expect(text("empty.txt")).toBe("");
  });

  it("lets two that swap names at once both come to an end", async () => {
    const ends = await Promise.all([
      code("move_file", { from: "a.txt", to: "empty.txt" }),
      code("move_file", { from: "empty.txt", to: "a.txt" }),
    ]);
    expect(ends).toEqual(["exists", "exists"]);
  });

  it("deletes what was read, once, and no folder", async () => {
    expect(await code("delete_file", { path: "a.txt" })).toBe("not_read");
    await call("read_file", { path: "a.txt" });
    expect((await call("delete_file", { path: "a.txt" })).text).toContain("Deleted a.txt (14 bytes");
    expect(await code("delete_file", { path: "a.txt" })).toBe("not_found");
    expect(await code("delete_file", { path: "empty" })).toBe("not_a_file");
  });
});

it("what a crash left half written is neither listed, searched nor read over", async () => {
  mkdirSync(join(workspace, "half"));
  const left = draftName("task_1", "call_9");
  writeFileSync(join(workspace, "half", left), "needle");
  expect((await call("list_dir", { path: "half" })).text).toBe("half is empty.");
  expect((await call("search_files", { path: "half", text: "needle" })).text).toContain("Nothing found");
  expect(await code("write_file", { path: `half/${left}`, content: "x" })).toBe("kept_back");
  expect(readdirSync(join(workspace, "half"))).toEqual([left]);
});
