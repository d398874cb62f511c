import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FileVersions, versionOf, versionOfBytes } from "../../src/toolsets/file-versions.ts";

const folder = mkdtempSync(join(tmpdir(), "troupe-versions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function versionAt(path: string): Promise<string> {
  const handle = await open(path);
  try {
    return await versionOf(handle, new AbortController().signal);
  } finally {
    await handle.close();
  }
}

describe("versions", () => {
  it("of a file is that of its bytes, wherever it lies", async () => {
    for (const name of ["a", "b"]) writeFileSync(join(folder, name), "x".repeat(200_000));
    const bytes = new TextEncoder().encode("x".repeat(200_000));
    expect(await versionAt(join(folder, "a"))).toBe(versionOfBytes(bytes));
    expect(await versionAt(join(folder, "b"))).toBe(versionOfBytes(bytes));
    expect(versionOfBytes(bytes)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("of a file of 4 GB comes without reading it, and changes with its size", async () => {
    const path = join(folder, "huge");
    writeFileSync(path, "");
    truncateSync(path, 4 * 1024 ** 3);
    const before = await versionAt(path);
    expect(await versionAt(path)).toBe(before);
    truncateSync(path, 4 * 1024 ** 3 + 1);
    expect(await versionAt(path)).not.toBe(before);
  });
});

describe("FileVersions", () => {
  it("V1 knows what a task was shown or wrote, for that task alone", () => {
    const versions = new FileVersions();
    versions.note("task_1", "/w/a", { version: "1", size: 1 });
    expect(versions.seen("task_1", "/w/a")).toEqual({ version: "1", size: 1 });
    expect(versions.seen("task_2", "/w/a")).toBeNull();
    expect(versions.writerOf("/w/a", "1")).toBeNull();
    versions.wrote("task_2", "/w/a", { version: "2", size: 2 });
    expect(versions.seen("task_1", "/w/a")?.version).toBe("1");
    expect(versions.writerOf("/w/a", "2")).toBe("task_2");
    expect(versions.writerOf("/w/a", "3")).toBeNull();
  });

  it("V2 lets one at a file at a time, in order, and goes on after one that failed", async () => {
    const versions = new FileVersions();
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const work = [
      versions.alone("/w/a", async () => {
        order.push("1 begins");
        await first.promise;
        order.push("1 ends");
        throw new Error("1 fails");
      }),
      versions.alone("/w/a", () => Promise.resolve(order.push("2"))),
      versions.alone("/w/b", () => Promise.resolve(order.push("other")).then(() => first.resolve())),
      versions.alone("/w/a", () => Promise.resolve(order.push("3"))),
    ];
    const ends = await Promise.allSettled(work);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
    expect(order.filter((step) => step !== "other")).toEqual(["1 begins", "1 ends", "2", "3"]);
  });

  it("V3 forgets the oldest first", () => {
    const versions = new FileVersions();
    for (let n = 0; n <= 20_000; n++) versions.note("task_1", `/w/${n}`, { version: "1", size: 1 });
    expect(versions.seen("task_1", "/w/0")).toBeNull();
    expect(versions.seen("task_1", "/w/1")).not.toBeNull();
  });
});
