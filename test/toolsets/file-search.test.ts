import { rmSync, writeFileSync } from "node:fs";
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
