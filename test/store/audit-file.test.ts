import { execFile } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  mkdirSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { checkAudit } from "../../src/store/audit-check.ts";
import { auditEnd } from "../../src/store/audit-end.ts";
import { AuditFile, type AuditFileOptions } from "../../src/store/audit-file.ts";
import { partPath, partsOf } from "../../src/store/audit-parts.ts";
import { noteOf } from "./audit-notes.ts";

let folder: string;
let path: string;
const open: AuditFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-audit-"));
  path = join(folder, "troupe.db.audit");
});
afterEach(() => {
  for (const file of open.splice(0)) file.close();
  rmSync(folder, { recursive: true, force: true });
});

function audit(at = path, more: Partial<AuditFileOptions> = {}): AuditFile {
  const file = new AuditFile({ path: at, clock: new SimulatedClock(), ...more });
  open.push(file);
  return file;
}

const lines = (): readonly string[] => readFileSync(path, "utf8").split("\n").slice(0, -1);

describe("AuditFile", () => {
  it("L1 L2 has written in order whatever was noted, before anybody else comes to word", async () => {
    const log = audit();
    for (const target of ["a", "b", "c"]) log.note(noteOf(target));
    await Promise.resolve();
    expect(auditEnd(path, 10).rows.map(({ target }) => target)).toEqual(["a", "b", "c"]);
    expect(checkAudit(path)).toMatchObject({ rows: 3, broken: null });
  });

  it("goes on with the chain of the file that is there", () => {
    for (const target of ["a", "b"]) {
      const log = audit();
      log.note(noteOf(target));
      log.close();
      log.close();
    }
    expect(checkAudit(path)).toMatchObject({ rows: 2, broken: null });
  });

  it("L1 cuts off what a crash left of a row, and says so in the next", () => {
    const log = audit();
    for (const target of ["a", "b"]) log.note(noteOf(target));
    log.close();
    const whole = readFileSync(path);
    for (const cut of [1, 40, 150]) {
      writeFileSync(path, whole.subarray(0, whole.length - cut));
      const again = audit();
      again.note(noteOf("c"));
      again.close();
      expect(checkAudit(path).broken).toBeNull();
      expect(auditEnd(path, 10).rows.map(({ action, target }) => target ?? action)).toEqual([
        "a",
        "audit.mend",
        "c",
      ]);
    }
  });

  it("L4 is its owner's alone, under any umask and whatever it was before", async () => {
    audit().close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    audit().close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const probe = join(import.meta.dirname, "audit-probe.ts");
    for (const umask of ["0", "777"]) {
      const other = join(folder, `under-${umask}`);
      await promisify(execFile)(process.execPath, [probe, umask, other]);
      expect(statSync(other).mode & 0o777).toBe(0o600);
    }
  });

  it("refuses to go on after a row that is none, and leaves it as it is", () => {
    audit().close();
    appendFileSync(path, "not a row\n");
    expect(() => audit()).toThrow(expect.objectContaining({ code: "audit_damaged" }));
    expect(lines()).toEqual(["not a row"]);
  });

  it("names the full file that it cannot go on from", () => {
    mkdirSync(partPath(path, 1), { recursive: true });
    expect(() => audit()).toThrow(
      expect.objectContaining({
        code: "audit_unusable",
        message: expect.stringContaining(partPath(path, 1)),
      }),
    );
  });

  it("follows no link, and needs its folder", () => {
    symlinkSync("/etc/passwd", path);
    expect(() => audit()).toThrow(expect.objectContaining({ code: "audit_unusable" }));
    expect(() => audit(join(folder, "nowhere", "x"))).toThrow(
      expect.objectContaining({ code: "audit_unusable" }),
    );
  });

  it("L3 refuses what comes after a note that a full disk did not take, and goes on when there is room", async () => {
    let room = 100;
    const write = (file: number, bytes: Uint8Array): number => {
      if (room === 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      const taken = writeSync(file, bytes.subarray(0, room));
      room -= taken;
      return taken;
    };
    const log = new AuditFile({ path, clock: new SimulatedClock(), write });
    open.push(log);
    log.note(noteOf("a"));
    await Promise.resolve();
    expect(() => log.ready()).toThrow(expect.objectContaining({ code: "audit_failed", kind: "store" }));
    expect(statSync(path).size).toBe(100);
    room = 1_000_000;
    log.ready();
    log.note(noteOf("b"));
    await Promise.resolve();
    expect(checkAudit(path)).toMatchObject({ rows: 2, broken: null });
  });

  it("L2 asks the disk within a second, once for all that came", async () => {
    const clock = new SimulatedClock();
    const log = new AuditFile({ path, clock });
    open.push(log);
    log.note(noteOf("a"));
    log.note(noteOf("b"));
    await Promise.resolve();
    await clock.advance(1_000);
    log.note(noteOf("c"));
    await Promise.resolve();
    log.ready();
    log.close();
    expect(checkAudit(path).rows).toBe(3);
  });
});

describe("a disk that does not keep what it took", () => {
  it("L3 is refused on until it does", async () => {
    const clock = new SimulatedClock();
    let asked = 0;
    const sync = (): Promise<void> => {
      asked += 1;
      return Promise.reject(new Error("ENOSPC: no space left on device"));
    };
    const log = audit(path, { clock, sync });
    log.note(noteOf("a"));
    await Promise.resolve();
    await clock.advance(1_000);
    expect(asked).toBe(1);
    // It has room again when it is asked the next time.
    expect(() => log.ready()).not.toThrow();
    log.note(noteOf("b"));
    await Promise.resolve();
    expect(checkAudit(path)).toMatchObject({ rows: 2, broken: null });
  });
});

describe("a file that is full", () => {
  /** About three rows. */
  const small = { fullBytes: 1_000 };
  const noteOne = async (log: AuditFile, target: string): Promise<void> => {
    log.note(noteOf(target));
    await Promise.resolve();
  };
  const noteAll = async (log: AuditFile, targets: readonly string[]): Promise<void> => {
    for (const target of targets) await noteOne(log, target);
  };
  const targets = (from: number, count: number) => Array.from({ length: count }, (_, at) => `t${from + at}`);

  it("L5 L4 is put away whole, and the chain goes on in the next, over restarts", async () => {
    for (const from of [0, 10, 20]) {
      const log = audit(path, small);
      await noteAll(log, targets(from, 10));
      log.close();
    }
    const parts = partsOf(path);
    expect(parts.length).toBeGreaterThan(5);
    expect(checkAudit(path)).toMatchObject({ rows: 30, files: parts.length + 1, broken: null });
    expect(auditEnd(path, 100).rows.map(({ target }) => target)).toEqual(targets(0, 30));
    expect([`${path}.d`, ...parts, path].map((at) => (statSync(at).mode & 0o777).toString(8))).toEqual([
      "700",
      ...parts.map(() => "600"),
      "600",
    ]);
  });

  it("L5 goes on after a crash between the two files, and in the middle of the next one's first row", async () => {
    const log = audit(path, small);
    await noteAll(log, targets(0, 10));
    log.close();
    const last = partsOf(path).at(-1) ?? "";
    rmSync(path);
    const head = auditEnd(path, 1).rows[0];
    const again = audit(path, small);
    await noteOne(again, "next");
    again.close();
    expect(auditEnd(path, 2).rows.map(({ hash }) => hash)[0]).toBe(head?.hash);
    writeFileSync(path, readFileSync(path).subarray(0, 50));
    const third = audit(path, small);
    await noteOne(third, "third");
    third.close();
    expect(checkAudit(path).broken).toBeNull();
    expect(auditEnd(path, 2).rows.map(({ action, target }) => target ?? action)).toEqual([
      "audit.mend",
      "third",
    ]);
    expect(partsOf(path)).toContain(last);
  });

  it("L5 that cannot be put away is gone on with, and put away when it can be", async () => {
    writeFileSync(`${path}.d`, "in the way");
    const log = audit(path, small);
    await noteAll(log, targets(0, 5));
    log.ready();
    expect(checkAudit(path)).toMatchObject({ rows: 5, files: 1, broken: null });
    rmSync(`${path}.d`);
    await noteAll(log, targets(5, 5));
    log.ready();
    expect(partsOf(path)).toEqual([partPath(path, 1)]);
    expect(checkAudit(path)).toMatchObject({ rows: 10, files: 2, broken: null });
  });

  it("L3 keeps what waits when it is full and the disk is too", async () => {
    let room = 1_100;
    const write = (file: number, bytes: Uint8Array): number => {
      if (room === 0) throw new Error("ENOSPC");
      const taken = writeSync(file, bytes.subarray(0, room));
      room -= taken;
      return taken;
    };
    const log = audit(path, { ...small, write });
    await noteAll(log, targets(0, 6));
    expect(() => log.ready()).toThrow(expect.objectContaining({ code: "audit_failed" }));
    room = 100_000;
    log.ready();
    expect(checkAudit(path)).toMatchObject({ rows: 6, broken: null });
  });
});
