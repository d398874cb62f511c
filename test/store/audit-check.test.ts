import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkAudit } from "../../src/store/audit-check.ts";
import { chained, CHAIN_START, type ChainHead } from "../../src/store/audit-chain.ts";
import { partPath } from "../../src/store/audit-parts.ts";
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

afterEach(() => rmSync(`${path}.d`, { recursive: true, force: true }));

const put = (rows: readonly string[]): void => writeFileSync(path, rows.map((row) => `${row}\n`).join(""));

const WHOLE = { files: 1, broken: null, holds: null };
const holding = (expected: string | undefined) => checkAudit(path, { expected: expected ?? null });

describe("checkAudit", () => {
  it("counts the rows of a whole log, and gives the last one's hash", () => {
    put(lines);
    expect(checkAudit(path)).toEqual({ ...WHOLE, rows: 2_000, head: heads.at(-1) });
  });

  it("knows a hash that the log holds, and one that it does not: rows were cut off the end", () => {
    put(lines.slice(0, 1_500));
    expect(holding(heads[99]?.hash)).toMatchObject({ broken: null, holds: true });
    expect(holding(heads[1_700]?.hash)).toMatchObject({ broken: null, holds: false });
    expect(holding(CHAIN_START.hash)).toMatchObject({ holds: true });
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
    expect(checkAudit(path)).toEqual({ ...WHOLE, rows: 0, head: CHAIN_START });
    expect(() => checkAudit(join(folder, "nowhere"))).toThrow("ENOENT");
  });
});

describe("checkAudit over several files", () => {
  /** 500 rows each, the last of them in the file itself. */
  const split = (): readonly string[] => {
    mkdirSync(`${path}.d`, { recursive: true });
    const parts = [0, 500, 1_000].map((from, at) => {
      const part = partPath(path, at + 1);
      writeFileSync(part, lines.slice(from, from + 500).join("\n") + "\n");
      return part;
    });
    put(lines.slice(1_500));
    return [...parts, path];
  };

  it("walks through all of them", () => {
    split();
    expect(checkAudit(path)).toEqual({ ...WHOLE, files: 4, rows: 2_000, head: heads.at(-1) });
    rmSync(path);
    expect(checkAudit(path)).toMatchObject({ files: 3, rows: 1_500, broken: null });
  });

  it.each([0, 1, 2])("names the file after one that is gone, whichever it was", (gone) => {
    const files = split();
    rmSync(files[gone] ?? "");
    expect(checkAudit(path)).toMatchObject({
      rows: gone * 500,
      broken: { file: files[gone + 1], line: 1, why: expect.stringContaining("a whole file before") },
    });
  });

  it("names the file and the line of a row that was changed, and takes no foreign file for a part", () => {
    const files = split();
    writeFileSync(join(`${path}.d`, "notes.txt"), "by a person");
    writeFileSync(
      files[1] ?? "",
      lines.slice(500, 1_000).join("\n").replace('"täsk_777"', '"täsk_778"') + "\n",
    );
    expect(checkAudit(path).broken).toMatchObject({ file: files[1], line: 278, seq: 778 });
  });

  it("begins after a row whose file a person took away, if that is the one", () => {
    const files = split();
    rmSync(files[0] ?? "");
    expect(checkAudit(path, { after: heads[499]?.hash ?? "" })).toMatchObject({ rows: 1_500, broken: null });
    expect(checkAudit(path, { after: heads[498]?.hash ?? "" }).broken).toMatchObject({ line: 1 });
  });
});
