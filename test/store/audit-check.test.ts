import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkAudit, lastAuditRows } from "../../src/store/audit-check.ts";
import { chained, CHAIN_START, type ChainHead } from "../../src/store/audit-chain.ts";
import { noteOf } from "./audit-notes.ts";

let folder: string;
let path: string;
const lines: string[] = [];
const heads: ChainHead[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-audit-check-"));
  path = join(folder, "log");
  let head = CHAIN_START;
  // More than one piece of the file.
  for (let at = 0; at < 2_000; at += 1) {
    const next = chained(head, noteOf(`täsk_${at}`), at);
    ({ head } = next);
    lines.push(next.line);
    heads.push(head);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const put = (rows: readonly string[]): void => writeFileSync(path, rows.map((row) => `${row}\n`).join(""));

describe("checkAudit", () => {
  it("counts the rows of a whole log, and gives the last one's hash", () => {
    put(lines);
    expect(checkAudit(path)).toEqual({ rows: 2_000, head: heads.at(-1), broken: null, holds: null });
  });

  it("knows a hash that the log holds, and one that it does not: rows were cut off the end", () => {
    put(lines.slice(0, 1_500));
    expect(checkAudit(path, heads[99]?.hash)).toMatchObject({ broken: null, holds: true });
    expect(checkAudit(path, heads[1_700]?.hash)).toMatchObject({ broken: null, holds: false });
    expect(checkAudit(path, CHAIN_START.hash)).toMatchObject({ holds: true });
  });

  it("leaves out what a server is just writing", () => {
    writeFileSync(path, `${lines[0]}\n${lines[1]?.slice(0, 30)}`);
    expect(checkAudit(path)).toMatchObject({ rows: 1, broken: null });
  });

  it("ends at a line without an end", () => {
    writeFileSync(path, `${lines[0]}\n${"x".repeat(1_000_000)}`);
    expect(checkAudit(path)).toMatchObject({ rows: 1, broken: { line: 2, seq: null } });
  });

  it("is of an empty log that nothing was noted", () => {
    put([]);
    expect(checkAudit(path)).toEqual({ rows: 0, head: CHAIN_START, broken: null, holds: null });
    expect(() => checkAudit(join(folder, "nowhere"))).toThrow("ENOENT");
  });
});

it("gives the last rows, and none behind a broken one", () => {
  put(lines);
  expect(lastAuditRows(path, 3).map(({ seq }) => seq)).toEqual([1_998, 1_999, 2_000]);
  put([...lines.slice(0, 5), ...lines.slice(6)]);
  expect(lastAuditRows(path, 2).map(({ seq }) => seq)).toEqual([4, 5]);
});
