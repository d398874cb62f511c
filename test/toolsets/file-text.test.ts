import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readStart, readWindow } from "../../src/toolsets/file-text.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-text-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;

async function withText<T>(
  text: string,
  use: (handle: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T> {
  const path = join(folder, "file");
  writeFileSync(path, text);
  const handle = await open(path);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

describe("readWindow", () => {
  it("gives the lines of any window, and says truly whether more follow", async () => {
    const line = fc.stringMatching(/^[a-zé€ ]{0,12}$/);
    const cases = fc.tuple(
      fc.array(line, { maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([lines, ended, start, maxLines]) => {
        const text = lines.map((each) => `${each}\n`).join("") + (ended ? "" : "tail");
        const all = ended ? lines : [...lines, "tail"];
        const window = { start, maxLines, maxChars: 1000, maxLineChars: 100, maxBytes: 1_000_000, signal };
        const piece = await withText(text, (handle) => readWindow(handle, text.length, window));
        expect(piece.lines).toEqual(all.slice(start - 1, start - 1 + maxLines));
        expect(piece.more).toBe(all.length > start - 1 + maxLines);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps letters whole that lie across two reads", async () => {
    const text = `${"x".repeat(65_535)}€${"y".repeat(65_534)}é\nend\n`;
    const window = {
      start: 1,
      maxLines: 9,
      maxChars: 400_000,
      maxLineChars: 200_000,
      maxBytes: 1_000_000,
      signal,
    };
    const piece = await withText(text, (handle) => readWindow(handle, text.length, window));
    expect(piece.lines.join("\n")).toBe(text.trimEnd());
    const start = await withText(text, (handle) => readStart(handle, 1_000_000, signal));
    expect(start?.text).toBe(text);
  });
});

describe("readStart", () => {
  it("stops at its bound, and knows binary files", async () => {
    expect(await withText("abcdef", (handle) => readStart(handle, 3, signal))).toEqual({
      text: "abc",
      bytes: 3,
    });
    expect(await withText("a\0b", (handle) => readStart(handle, 10, signal))).toBeNull();
  });
});
