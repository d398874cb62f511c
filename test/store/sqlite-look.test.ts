import { MIGRATIONS } from "../../src/store/sqlite-schema.ts";
import { mkdtempSync, rmSync, writeFileSync, mkdirSync, readdirSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock as clock } from "../../src/base/clock.ts";
import { systemRandom as random } from "../../src/base/ids.ts";
import { lookAtSqlite } from "../../src/store/sqlite-look.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-look-"));
  path = join(folder, "troupe.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openSqliteStore({ path, clock, random, durability: "full" });

test("sees nothing where nothing is, and makes nothing", () => {
  expect(lookAtSqlite(path)).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
});

test("sees a sound store that nobody has", async () => {
  await open().close();
  expect(lookAtSqlite(path)).toMatchObject({
    version: MIGRATIONS.length,
    newestVersion: MIGRATIONS.length,
    owner: null,
    problem: null,
    checked: true,
  });
  expect(lookAtSqlite(path)?.bytes).toBeGreaterThan(4_000);
  // It let go of everything that it looked at.
  await open().close();
});

test("sees who has it, leaves the pages alone then, and takes nothing from the owner", async () => {
  const store = open();
  expect(lookAtSqlite(path)).toMatchObject({
    version: MIGRATIONS.length,
    owner: { pid: process.pid, since: expect.stringMatching(/^\d{4}-/) as string },
    problem: null,
    checked: false,
  });
  expect(() => open()).toThrow(/owned by another live server/);
  expect((await store.list({})).items).toEqual([]);
  await store.close();
});

test("sees that nobody has it after the owner was killed", { timeout: 30_000 }, async () => {
  const script = `
    import { openSqliteStore } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/sqlite.ts"))};
    import { systemClock as clock } from ${JSON.stringify(join(import.meta.dirname, "../../src/base/clock.ts"))};
    import { systemRandom as random } from ${JSON.stringify(join(import.meta.dirname, "../../src/base/ids.ts"))};
    openSqliteStore({ path: ${JSON.stringify(path)}, clock, random, durability: "full" });
    console.log("open");
    setInterval(() => {}, 1000);
  `;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(owner.stdout, "data");
  expect(lookAtSqlite(path)?.owner).toMatchObject({ pid: owner.pid });
  owner.kill("SIGKILL");
  await once(owner, "close");
  expect(lookAtSqlite(path)).toMatchObject({ owner: null, problem: null, checked: true });
  await open().close();
});

test("says what stands in its place", () => {
  writeFileSync(path, "a letter to Ann, and no database\n".repeat(100));
  expect(lookAtSqlite(path)).toMatchObject({
    version: null,
    problem: expect.stringContaining("not a database") as string,
  });
  rmSync(path);
  mkdirSync(path);
  expect(lookAtSqlite(path)).toMatchObject({ version: null, problem: "it is no file" });
  rmSync(path, { recursive: true });
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE songs (title TEXT)");
  other.close();
  expect(lookAtSqlite(path)?.problem).toBe("it is a database of another program");
});

test("tells a store of the future by its version", async () => {
  await open().close();
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 99");
  newer.close();
  expect(lookAtSqlite(path)).toMatchObject({ version: 99, newestVersion: MIGRATIONS.length });
});
