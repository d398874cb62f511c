import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { backupSqlite } from "../../src/store/sqlite-maintenance.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { ADMITTED, claimed, submitted } from "./specimens.ts";

const pathFor = databaseFolder();
const refused = (code: string): unknown => expect.objectContaining({ kind: "config", code });

/** A file and its log as they lie there, with their modes. */
function bytesOf(path: string): unknown {
  return [path, `${path}-wal`].map((file) =>
    existsSync(file) ? [statSync(file).mode, readFileSync(file).toString("base64")] : null,
  );
}

function copied(from: string, to = pathFor()): string {
  for (const tail of ["", "-wal"]) if (existsSync(from + tail)) cpSync(from + tail, to + tail);
  return to;
}

/** What a killed server leaves: the file and its log, after `sql` did to them what hardware might. */
async function crashed(sql: string): Promise<string> {
  const live = pathFor();
  const store = opened(live);
  for (let at = 0; at < 5; at += 1) await submitted(store, `t${at}`);
  const claim = await claimed(store, "c1");
  await store.commit(claim, 1, { events: [ADMITTED] });
  const other = new DatabaseSync(live);
  other.exec(sql);
  const path = copied(live);
  other.close();
  await store.close();
  return path;
}

const LOST_EVENT = "DELETE FROM events WHERE cursor = (SELECT max(cursor) FROM events)";

describe("a look at a file before it is opened", () => {
  it("N1 leaves a damaged file and its log byte for byte, and refuses it at every start", async () => {
    const path = await crashed(LOST_EVENT);
    const before = bytesOf(path);
    for (let start = 0; start < 3; start += 1) {
      expect(() => opened(path)).toThrow(refused("database_corrupt"));
      expect(bytesOf(path)).toEqual(before);
    }
  });

  it("looks whether the newest rows know of each other also when the log was written back", async () => {
    const path = pathFor();
    const store = opened(path);
    await submitted(store, "t1");
    await store.close();
    const other = new DatabaseSync(path);
    other.exec(LOST_EVENT);
    other.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(() => opened(path)).toThrow(refused("database_corrupt"));
  });

  it("N1 leaves a database of another program as it is: mode, bytes and log, and nothing beside it", () => {
    const live = pathFor();
    const other = new DatabaseSync(live);
    other.exec("PRAGMA journal_mode = WAL; CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')");
    const folder = pathFor("another program");
    mkdirSync(folder);
    const path = copied(live, join(folder, "notes.db"));
    other.close();
    for (const tail of ["", "-wal"]) chmodSync(path + tail, 0o664);
    const before = bytesOf(path);
    expect(() => opened(path)).toThrow(refused("database_foreign"));
    expect(bytesOf(path)).toEqual(before);
    expect(readdirSync(folder).filter((name) => !name.endsWith("-shm"))).toEqual([
      "notes.db",
      "notes.db-wal",
    ]);
  });

  it("N1 leaves a crashed file of the future as it is", async () => {
    const path = await crashed("PRAGMA user_version = 99");
    const before = bytesOf(path);
    expect(() => opened(path)).toThrow(refused("database_newer"));
    expect(bytesOf(path)).toEqual(before);
  });

  it.each([
    [3, 3],
    [3, 300],
    [200, 3],
  ])("refuses a backup of %i tasks over a log with %i more, and opens it without", async (first, more) => {
    const live = pathFor();
    const store = opened(live);
    for (let at = 0; at < first; at += 1) await submitted(store, `before${at}`);
    const path = pathFor();
    backupSqlite(live, path);
    for (let at = 0; at < more; at += 1) await submitted(store, `after${at}`);
    cpSync(`${live}-wal`, `${path}-wal`);
    await store.close();
    const before = bytesOf(path);
    expect(() => opened(path)).toThrow(refused("database_foreign_log"));
    expect(() => opened(path)).toThrow("Move that log away");
    expect(bytesOf(path)).toEqual(before);
    renameSync(`${path}-wal`, `${path}-wal.away`);
    const copy = opened(path);
    expect(await copy.counts()).toMatchObject({ spawned: first });
    await copy.close();
  });

  it("refuses to make a new file beside the log of one that is gone", async () => {
    const path = await crashed("SELECT 1");
    rmSync(path);
    expect(() => opened(path)).toThrow(refused("database_foreign_log"));
    expect([existsSync(path), statSync(`${path}-wal`).size > 0]).toEqual([false, true]);
  });

  it("goes on with a file that was being made when the machine stopped", async () => {
    const path = pathFor();
    writeFileSync(path, "");
    writeFileSync(`${path}-journal`, Buffer.alloc(512));
    const store = opened(path);
    await submitted(store, "t1");
    expect(await store.counts()).toMatchObject({ spawned: 1 });
    await store.close();
  });

  it("opens what a killed server left, and takes file and log from the eyes of others", async () => {
    const path = await crashed("SELECT 1");
    for (const tail of ["", "-wal"]) chmodSync(path + tail, 0o664);
    const store = opened(path);
    expect(await store.counts()).toMatchObject({ spawned: 6 });
    const modes = ["", "-wal", "-shm"].map((tail) => statSync(path + tail).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    await store.close();
  });
});

describe("the name of a file", () => {
  it("Q2 is the same through a link, a linked folder and dots", async () => {
    const path = pathFor();
    const store = opened(path);
    await submitted(store, "t1");
    const link = pathFor();
    symlinkSync(path, link);
    const folder = pathFor("linked folder");
    symlinkSync(dirname(path), folder);
    const dots = `${dirname(path)}/../${basename(dirname(path))}/./${basename(path)}`;
    for (const name of [link, join(folder, basename(path)), dots]) {
      expect(() => opened(name)).toThrow(refused("database_owned"));
    }
    await store.close();
    const through = opened(link);
    expect(await through.get("t1")).not.toBeNull();
    expect([existsSync(`${path}.owner`), existsSync(`${link}.lock`)]).toEqual([true, false]);
    await through.close();
  });

  it("is refused when the file has another one", async () => {
    const path = pathFor();
    await opened(path).close();
    const link = pathFor();
    linkSync(path, link);
    for (const name of [path, link]) expect(() => opened(name)).toThrow(refused("database_linked"));
    rmSync(link);
    await opened(path).close();
  });

  it("is that of the file when a new one is made through a linked folder", async () => {
    const folder = pathFor("real folder");
    mkdirSync(folder);
    const link = pathFor("link to it");
    symlinkSync(folder, link);
    const store = opened(join(link, "new.db"));
    expect(() => opened(join(folder, "new.db"))).toThrow(refused("database_owned"));
    await store.close();
  });
});

describe("two writers of one file", () => {
  const SRC = new URL("../../src/", import.meta.url).href;
  /** Opens the file in another process, writes a task, and is gone. */
  const SECOND = `
    const { openSqliteStore } = await import("${SRC}store/sqlite.ts");
    const { systemClock: clock } = await import("${SRC}base/clock.ts");
    const { systemRandom: random } = await import("${SRC}base/ids.ts");
    const { specimen, SPAWNED } = await import("${new URL("specimens.ts", import.meta.url).href}");
    const store = openSqliteStore({ path: process.argv[1], clock, random, durability: "normal" });
    await store.submit(specimen("second"), SPAWNED);
    await store.close();
    console.log("written");`;

  it("Q2 the first stops writing when a second has written in spite of the lock", async () => {
    const path = pathFor();
    // It was written back once, so that a second writer finds a whole file.
    await opened(path).close();
    const store = opened(path);
    await submitted(store, "t1");
    rmSync(`${path}.lock`);
    const second = spawnSync(process.execPath, ["--input-type=module", "-e", SECOND, path], {
      encoding: "utf8",
    });
    expect(second.stdout.trim()).toBe("written");
    for (let tries = 0; tries < 2; tries += 1) {
      const write = submitted(store, `late${tries}`);
      await expect(write).rejects.toMatchObject({ kind: "store", code: "database_owned" });
    }
    await store.close();
    const after = opened(path);
    expect((await after.list({})).items.map(({ spec }) => spec.id)).toEqual(["t1", "second"]);
    await after.close();
  });
});
