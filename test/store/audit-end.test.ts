import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { chained, CHAIN_START } from "../../src/store/audit-chain.ts";
import { auditEnd } from "../../src/store/audit-end.ts";
import { partPath } from "../../src/store/audit-parts.ts";
import { noteOf } from "./audit-notes.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-audit-end-"));
  path = join(folder, "log");
  mkdirSync(`${path}.d`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function rowsOf(count: number, target = "täsk_"): string[] {
  let head = CHAIN_START;
  return Array.from({ length: count }, (_, at) => {
    const next = chained(head, noteOf(`${target}${at}`), at);
    ({ head } = next);
    return `${next.line}\n`;
  });
}

const shown = (limit: number): readonly number[] => auditEnd(path, limit).rows.map(({ seq }) => seq);

it("gives the last rows of a file, however long they and it are", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 60 }),
      fc.integer({ min: 1, max: 70 }),
      fc.nat({ max: 390 }),
      (count, limit, width) => {
        writeFileSync(path, rowsOf(count, "ä".repeat(width)).join(""));
        const from = Math.max(0, count - limit);
        expect(shown(limit)).toEqual(Array.from({ length: count - from }, (_, at) => from + at + 1));
      },
    ),
  );
});

it("goes on in the files before, and leaves out what is just being written", () => {
  const rows = rowsOf(1_000);
  writeFileSync(partPath(path, 1), rows.slice(0, 400).join(""));
  writeFileSync(partPath(path, 2), rows.slice(400, 998).join(""));
  writeFileSync(path, `${rows[998]}${rows[999]?.slice(0, 40)}`);
  expect(shown(3)).toEqual([997, 998, 999]);
  expect(shown(2_000)).toHaveLength(999);
  expect(auditEnd(path, 2_000).broken).toBeNull();
  rmSync(path);
  expect(shown(1)).toEqual([998]);
});

it("reads no more than it shows: what is wrong long before is for verify to find", () => {
  const rows = rowsOf(1_000);
  rows[3] = "no row\n";
  writeFileSync(path, rows.join(""));
  expect(auditEnd(path, 100).broken).toBeNull();
  expect(auditEnd(path, 1_000)).toMatchObject({
    broken: "what stands before row 5: it is no row of an audit log",
  });
});

it("says what is wrong with what it shows, and shows the rest", () => {
  const rows = rowsOf(10);
  writeFileSync(path, rows.filter((_, at) => at !== 5).join(""));
  expect([shown(10), auditEnd(path, 10).broken]).toEqual([
    [1, 2, 3, 4, 5, 7, 8, 9, 10],
    "row 7 does not follow row 5",
  ]);
  writeFileSync(path, `${rows.join("")}{"seq": 11}\n`);
  expect([shown(1), auditEnd(path, 1).broken]).toEqual([[10], "the last line: it is no row of an audit log"]);
});

it("is empty for an empty log, ends at a line without an end, and needs a log", () => {
  writeFileSync(path, "");
  expect(auditEnd(path, 5)).toEqual({ rows: [], broken: null });
  writeFileSync(path, `${"x".repeat(1_000_000)}\n${rowsOf(1)[0]}`);
  expect(shown(5)).toEqual([1]);
  rmSync(path);
  expect(() => auditEnd(path, 5)).toThrow("ENOENT");
});
