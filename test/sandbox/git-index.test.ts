import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitlinksIn, type HashBytes } from "../../src/sandbox/git-index.ts";
import { git } from "../git-repository.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-index-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An index with files and with links to commits, as git itself writes it. */
function indexOf(version: number, hashBytes: HashBytes): Uint8Array {
  const format = hashBytes === 32 ? "sha256" : "sha1";
  git(folder, "init", "--quiet", `--object-format=${format}`);
  for (const name of ["a".repeat(200), "b-file", "libs-"]) {
    writeFileSync(join(folder, name), "");
    git(folder, "add", name);
  }
  // One entry with the longer flags, which only versions from 3 have.
  if (version > 2) {
    writeFileSync(join(folder, "meant"), "");
    git(folder, "add", "--intent-to-add", "meant");
  }
  const commit = "1".repeat(hashBytes * 2);
  for (const path of ["libs/one", "libs/öne/two", "vendor"]) {
    git(folder, "update-index", "--add", "--cacheinfo", `160000,${commit},${path}`);
  }
  git(folder, "update-index", "--index-version", String(version));
  return new Uint8Array(readFileSync(join(folder, ".git/index")));
}

describe("gitlinksIn", () => {
  it.each([
    [2, 20],
    [3, 20],
    [4, 20],
    [2, 32],
    [4, 32],
  ] as const)("finds them in version %d with hashes of %d bytes", (version, hashBytes) => {
    const index = indexOf(version, hashBytes);
    expect(new DataView(index.buffer).getUint32(4)).toBe(version);
    expect(gitlinksIn(index, hashBytes)).toEqual(["libs/one", "libs/öne/two", "vendor"]);
  });

  it("refuses what is no index, and ends whatever it is given", () => {
    expect(() => gitlinksIn(new TextEncoder().encode("no index of git at all"), 20)).toThrow(RangeError);
    const index = indexOf(4, 20);
    const kindOf = (spoilt: Uint8Array): string => {
      try {
        return Array.isArray(gitlinksIn(spoilt, 20)) ? "links" : "another thing";
      } catch (error) {
        return (error as Error).name;
      }
    };
    fc.assert(
      fc.property(fc.nat(index.length - 1), fc.nat(255), fc.nat(index.length), (at, byte, length) => {
        const spoilt = index.slice(0, length);
        if (at < length) spoilt[at] = byte;
        expect(["links", "RangeError", "TypeError"]).toContain(kindOf(spoilt));
      }),
    );
  });
});
