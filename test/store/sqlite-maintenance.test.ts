import { existsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { backupSqlite, checkSqlite, statesIn } from "../../src/store/sqlite-maintenance.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { claimed, end, everything, GOAL, steer, submitted } from "./specimens.ts";

const pathFor = databaseFolder();

describe("statesIn", () => {
  it("tells what became of tasks beside a server that lives, and nothing of those that are not there", async () => {
    const path = pathFor();
    const store = opened(path);
    const claim = await claimed(store, "t1");
    await end(store, claim);
    await submitted(store, "t2");
    expect([...statesIn(path, ["t1", "t2", "t3"])]).toEqual([
      ["t1", "done"],
      ["t2", "spawned"],
    ]);
    await store.close();
    expect(() => statesIn(pathFor(), ["t1"])).toThrow(/found none/);
  });
});

describe("backupSqlite", () => {
  it("copies what was acknowledged while a server lives, which goes on meanwhile and afterwards", async () => {
    const path = pathFor();
    const store = opened(path);
    const claim = await claimed(store, "t1");
    await store.commit(claim, 1, { messages: [GOAL], snapshot: { value: 1 } });
    const before = await everything(store, ["t1"]);
    const target = pathFor();
    const report = backupSqlite(path, target);
    expect(report).toEqual({ target, bytes: statSync(target).size, tasks: 1 });
    expect(statSync(target).mode & 0o777).toBe(0o600);
    await submitted(store, "t2");
    await store.close();
    const copy = opened(target, { random: seededRandom(2) });
    expect(copy.storeId).toMatch(/^store_[0-9a-f]{32}$/);
    expect(copy.storeId).not.toBe(store.storeId);
    const renamed = JSON.parse(JSON.stringify(before).replaceAll(store.storeId, copy.storeId)) as unknown;
    expect(await everything(copy, ["t1"])).toEqual(renamed);
    expect(await copy.get("t2")).toBeNull();
    await copy.close();
    expect(checkSqlite(target)).toMatchObject({ ok: true });
  });

  it("refuses a target that is there, and leaves it alone", async () => {
    const path = pathFor();
    await opened(path).close();
    const target = pathFor();
    writeFileSync(target, "mine");
    expect(() => backupSqlite(path, target)).toThrow(expect.objectContaining({ code: "backup_exists" }));
    expect(statSync(target).size).toBe(4);
  });

  it("refuses a source that is missing or not Troupe's, and makes no target", () => {
    const text = pathFor();
    writeFileSync(text, "no database ".repeat(100));
    const target = pathFor();
    const from = (path: string) => () => backupSqlite(path, target);
    expect(from(pathFor())).toThrow(expect.objectContaining({ code: "database_missing" }));
    expect(from(text)).toThrow(expect.objectContaining({ code: "database_foreign" }));
    expect(existsSync(target)).toBe(false);
  });

  it("refuses a target that cannot be made", async () => {
    const path = pathFor();
    await opened(path).close();
    for (const target of ["/sys/troupe-backup.db", `${pathFor()}/no/folder.db`]) {
      const copy = (): unknown => backupSqlite(path, target);
      expect(copy).toThrow(expect.objectContaining({ code: "backup_unwritable" }));
    }
  });

  it("leaves no half of a copy of a file that does not read well", async () => {
    const path = pathFor();
    const store = opened(path);
    for (let at = 0; at < 60; at += 1) await submitted(store, `t${at}`);
    await store.close();
    truncateSync(path, statSync(path).size / 2);
    const target = pathFor();
    const copy = (): unknown => backupSqlite(path, target);
    expect(copy).toThrow(expect.objectContaining({ kind: "store", code: "corrupt" }));
    expect(existsSync(target)).toBe(false);
  });
});

describe("checkSqlite", () => {
  it("tells what a whole database holds, also while a server lives on it", async () => {
    const path = pathFor();
    const store = opened(path);
    await submitted(store, "t1");
    await store.send("t1", steer("m1"));
    await end(store, await claimed(store, "t2"));
    const report = checkSqlite(path);
    expect(report).toMatchObject({ ok: true, pages: [], findings: [], version: report.newestVersion });
    expect(report.counts).toEqual({ tasks: 2, open: 1, events: 3, transcript: 0, inbox: 1, trees: 2 });
    expect(report.bytes.log).toBeGreaterThan(0);
    await store.close();
    expect(checkSqlite(path).bytes).toMatchObject({ file: statSync(path).size, log: 0 });
  });

  it("refuses what is missing or not Troupe's", () => {
    expect(() => checkSqlite(pathFor())).toThrow(expect.objectContaining({ code: "database_missing" }));
    const text = pathFor();
    writeFileSync(text, "no database ".repeat(100));
    expect(() => checkSqlite(text)).toThrow(expect.objectContaining({ code: "database_foreign" }));
  });
});
