import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/ids.ts";
import { openRecords } from "../src/records.ts";
import { MemoryStore } from "../src/store/memory.ts";
import { checkAudit } from "../src/store/audit-check.ts";

const world = { clock: systemClock, random: systemRandom };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-records-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keeping = () => ({
  path: join(folder, "t.db"),
  durability: "normal" as const,
  keepMs: 1,
  maxBytes: 1_000_000,
});

test("a store in a file has its record beside it, which goes on after a restart", async () => {
  for (const target of ["a", "b"]) {
    const records = await openRecords(keeping(), world);
    records.audit.note({ actor: "troupe", action: "x", target, digest: null, outcome: "ok" });
    await records.letGo();
    await records.letGo();
  }
  expect(checkAudit(join(folder, "t.db.audit"))).toMatchObject({ rows: 2, broken: null });
});

test("where the record cannot be written the store is let go of", async () => {
  mkdirSync(join(folder, "t.db.audit"));
  await expect(openRecords(keeping(), world)).rejects.toMatchObject({ code: "audit_unusable" });
  rmSync(join(folder, "t.db.audit"), { recursive: true });
  await (await openRecords(keeping(), world)).letGo();
});

test("a program's own store has no record beside it", async () => {
  const own = new MemoryStore(world);
  const records = await openRecords({ ...keeping(), path: null, durability: "none" }, world, own);
  expect(records.store).toBe(own);
  records.audit.ready();
  await records.letGo();
});
