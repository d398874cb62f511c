import { closeSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openRecord, partNumber, partPath, partsOf } from "../../src/store/audit-parts.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-audit-parts-"));
  path = join(folder, "log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function putPart(number: number): string {
  const part = partPath(path, number);
  mkdirSync(`${path}.d`, { recursive: true });
  writeFileSync(part, "");
  return part;
}

function opened() {
  const { parts, live } = openRecord(path);
  if (live !== null) closeSync(live);
  return { parts, isLive: live !== null };
}

it("lists full files by their numbers, and nothing else of the folder", () => {
  expect(partsOf(path)).toEqual([]);
  const parts = [1_000_000, 2, 10].map(putPart);
  writeFileSync(join(`${path}.d`, "12"), "");
  writeFileSync(join(`${path}.d`, "000011.gz"), "");
  expect(partsOf(path)).toEqual([parts[1], parts[2], parts[0]]);
  expect(parts.map(partNumber)).toEqual([1_000_000, 2, 10]);
});

it("opens what there is, and needs something", () => {
  expect(() => opened()).toThrow("ENOENT");
  writeFileSync(path, "");
  expect(opened()).toEqual({ parts: [], isLive: true });
  const part = putPart(1);
  expect(opened()).toEqual({ parts: [part], isLive: true });
  rmSync(path);
  expect(opened()).toEqual({ parts: [part], isLive: false });
});

it("counts a file once that is put away just after it was opened", () => {
  mkdirSync(`${path}.d`);
  writeFileSync(path, "");
  // One file under both names is what such a reader sees.
  linkSync(path, partPath(path, 1));
  expect(opened()).toEqual({ parts: [], isLive: true });
});
