import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Walk } from "../../src/toolsets/file-walk.ts";
import type { WalkBounds } from "../../src/toolsets/file-walk.ts";
import { Workspace } from "../../src/toolsets/workspace.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-walk-"));
  mkdirSync(join(folder, "a/b/c"), { recursive: true });
  mkdirSync(join(folder, "skipped"));
  for (const name of ["z.txt", "a/1.txt", "a/b/2.txt", "a/b/c/3.txt", "skipped/4.txt"])
    writeFileSync(join(folder, name), "12345");
  symlinkSync("..", join(folder, "a/loop"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function walked(over: Partial<WalkBounds> = {}, path = ".") {
  const bounds = {
    maxDepth: 9,
    maxEntries: 99,
    withSizes: true,
    skip: new Set(["skipped"]),
    signal: new AbortController().signal,
  };
  const walk = new Walk(new Workspace(folder), { ...bounds, ...over });
  const entries = [];
  for await (const entry of walk.entries(path)) entries.push(entry);
  return { paths: entries.map((entry) => entry.path), entries, walk };
}

describe("Walk", () => {
  it("goes level by level, names in order, never through links or into what is skipped", async () => {
    const { paths, entries, walk } = await walked();
    expect(paths).toEqual([
      "a",
      "skipped",
      "z.txt",
      "a/1.txt",
      "a/b",
      "a/loop",
      "a/b/2.txt",
      "a/b/c",
      "a/b/c/3.txt",
    ]);
    expect(entries.find(({ path }) => path === "z.txt")).toEqual({ path: "z.txt", kind: "file", size: 5 });
    expect(entries.find(({ path }) => path === "a/loop")?.kind).toBe("link");
    expect(walk.truncated).toBe(false);
  });

  it("stops at the depth and says that there is more, without calling the listing cut", async () => {
    const { paths, walk } = await walked({ maxDepth: 1 }, "a");
    expect(paths).toEqual(["a/1.txt", "a/b", "a/loop"]);
    expect([walk.truncated, walk.cutShort]).toEqual([true, false]);
  });

  it("stops at the number of entries, and does not call an exact fit cut", async () => {
    expect((await walked({ maxEntries: 4 })).walk.cutShort).toBe(true);
    expect((await walked({ maxEntries: 4 })).paths).toHaveLength(4);
    expect((await walked({ maxEntries: 9 })).walk.cutShort).toBe(false);
  });

  it("names paths by where they really are when it begins at a link", async () => {
    expect((await walked({ maxDepth: 1 }, "a/loop")).paths).toEqual(["a", "skipped", "z.txt"]);
  });
});
