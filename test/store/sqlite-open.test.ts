import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../src/store/sqlite-schema.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { claimed, claimOf, end, GOAL, STARTED, steer, submitted } from "./specimens.ts";

const pathFor = databaseFolder();
const modeOf = (path: string): number => statSync(path).mode & 0o777;
const STORE = JSON.stringify(new URL("../../src/store/sqlite.ts", import.meta.url).href);
const refused = (code: string): unknown => expect.objectContaining({ kind: "config", code });

/** A closed file with some tasks in it. */
async function closedFile(tasks = 3): Promise<string> {
  const path = pathFor();
  const store = opened(path);
  for (let at = 0; at < tasks; at += 1) await submitted(store, `t${at}`);
  await store.close();
  return path;
}

function edited(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe("opening a database", () => {
  it("Q1 finds everything again that was acknowledged before it was closed, under the same name", async () => {
    const path = pathFor();
    const first = opened(path);
    const claim = await claimed(first, "t1");
    await first.send("t1", steer("m1"));
    const write = { events: [STARTED], messages: [GOAL], snapshot: { value: 1 }, inboxCursor: 1, turn: 2 };
    await first.commit(claim, 1, { ...write, timers: [{ name: "retry", dueAt: 7 }], state: "running" });
    const ended = await claimed(first, "t2");
    await end(first, ended);
    await first.moveReader("sse", 2);
    const read = async (store: typeof first): Promise<unknown> => [
      store.storeId,
      await store.get("t1"),
      await store.get("t2"),
      await store.inbox("t1", 0),
      await store.transcript("t1", {}),
      await store.events({ after: 0 }),
      await store.bounds(),
      await store.counts(),
      await store.timers("t1"),
      await store.readerCursor("sse"),
    ];
    const before = await read(first);
    await first.close();
    const second = opened(path, { random: seededRandom(99) });
    expect(await read(second)).toEqual(before);
    await second.close();
  });

  it("Q2 lets every open task be claimed at once, with a higher epoch and what it needs to go on", async () => {
    const path = pathFor();
    const first = opened(path);
    const claim = await claimed(first, "t1");
    await first.commit(claim, 1, { events: [STARTED], messages: [GOAL], snapshot: { value: 1 } });
    await first.close();
    const second = opened(path);
    const late = second.commit(claim, 2, { events: [STARTED] });
    await expect(late).rejects.toMatchObject({ code: "fenced" });
    const again = await claimOf(second, "t1", "owner-b");
    expect(again).toMatchObject({ epoch: 2, seq: 2, resume: { snapshot: { value: 1 }, lastIndex: 1 } });
    await second.close();
  });

  it("gives no number twice after a prune took the newest task and event", async () => {
    const path = pathFor();
    const first = opened(path);
    await submitted(first, "t1");
    await end(first, await claimed(first, "t2"));
    await first.markRead("t2", 1);
    const { newest } = await first.bounds();
    expect(await first.prune({ endedBefore: Number.MAX_SAFE_INTEGER })).toMatchObject({ tasks: 1 });
    await first.close();
    const second = opened(path);
    await submitted(second, "t3");
    expect(await second.bounds()).toEqual({ oldest: 1, newest: newest + 1 });
    await second.close();
  });

  it("is for its owner's eyes only, folder, file, log and siblings, under any umask", async () => {
    for (const umask of [0o000, 0o077, 0o777]) {
      const script = `
        process.umask(${umask});
        const { openSqliteStore } = await import(${STORE});
        const { systemClock } = await import(${JSON.stringify(new URL("../../src/base/clock.ts", import.meta.url).href)});
        const { systemRandom } = await import(${JSON.stringify(new URL("../../src/base/ids.ts", import.meta.url).href)});
        const { statSync } = await import("node:fs");
        const path = process.argv[1];
        const store = openSqliteStore({ path, clock: systemClock, random: systemRandom, durability: "normal" });
        const { dirname } = await import("node:path");
        const files = [dirname(dirname(path)), dirname(path), path, path + "-wal", path + ".lock", path + ".owner"];
        console.log(files.map((file) => (statSync(file).mode & 0o777).toString(8)).join());
        await store.close();`;
      const path = join(pathFor(`umask-${umask}`), "deep", "troupe.db");
      const run = spawnSync(process.execPath, ["--input-type=module", "-e", script, path], {
        encoding: "utf8",
      });
      expect(run.stderr).toBe("");
      expect(run.stdout.trim()).toBe("700,700,600,600,600,600");
    }
  });

  it("takes an existing file from the eyes of others, and leaves an existing folder as it is", async () => {
    const path = await closedFile();
    const folder = pathFor("shared");
    mkdirSync(folder, { mode: 0o755 });
    const moved = join(folder, "troupe.db");
    copyFileSync(path, moved);
    const store = opened(moved);
    expect([modeOf(moved), modeOf(`${moved}-shm`), modeOf(dirname(moved))]).toEqual([0o600, 0o600, 0o755]);
    await store.close();
  });
});

describe("a database that is not opened", () => {
  it("Q2 is owned by another store of this process, which it names, and stays usable for that one", async () => {
    const path = pathFor();
    const first = opened(path);
    const second = (): unknown => opened(path);
    expect(second).toThrow(refused("database_owned"));
    expect(second).toThrow(`owned by another live server, pid ${process.pid} since 2023-`);
    await expect(submitted(first, "t1")).resolves.toBeDefined();
    await first.close();
    const third = opened(path);
    expect(await third.get("t1")).not.toBeNull();
    await third.close();
  });

  it("K1 is let go of again, also where a folder lies in the place of what the owner says of itself", async () => {
    const path = pathFor();
    mkdirSync(`${path}.owner`);
    for (let start = 0; start < 2; start += 1) {
      const store = opened(path);
      await submitted(store, `t${start}`);
      expect(() => opened(path)).toThrow(refused("database_owned"));
      await store.close();
    }
    expect(statSync(`${path}.owner`).isDirectory()).toBe(true);
  });

  it("is from the future", async () => {
    const path = await closedFile();
    edited(path, `PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    expect(() => opened(path)).toThrow(refused("database_newer"));
    expect(() => opened(path)).toThrow("Start the newer Troupe");
  });

  it("is of another program, or no database at all", () => {
    const other = pathFor();
    edited(other, "CREATE TABLE notes (text)");
    const text = pathFor();
    writeFileSync(text, "Dear diary, ".repeat(500));
    const folder = pathFor();
    mkdirSync(folder);
    for (const path of [other, text, folder]) expect(() => opened(path)).toThrow(refused("database_foreign"));
    expect(readFileSync(text, "utf8")).toMatch(/^Dear diary/);
  });

  it("says that it is ours and has a trigger, or lacks a table", async () => {
    const trap = await closedFile();
    edited(trap, "CREATE TRIGGER trap AFTER INSERT ON tasks BEGIN DELETE FROM events; END");
    const lacking = await closedFile();
    edited(lacking, "DROP TABLE readers");
    const bare = pathFor();
    edited(
      bare,
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1; CREATE TABLE tasks (num)`,
    );
    for (const path of [trap, lacking, bare]) expect(() => opened(path)).toThrow(refused("database_foreign"));
  });

  it("was cut", async () => {
    const path = await closedFile(40);
    const whole = statSync(path).size;
    for (const keep of [whole - 8_192, whole / 2, 8_192, 4_000, 50]) {
      const cut = pathFor();
      copyFileSync(path, cut);
      truncateSync(cut, Math.floor(keep));
      const code = expect.stringMatching(/^database_(?:corrupt|foreign)$/) as string;
      expect(() => opened(cut)).toThrow(expect.objectContaining({ kind: "config", code }));
    }
  });

  it("lies where nobody can write", () => {
    for (const path of ["/proc/troupe/troupe.db", "/sys/troupe.db"]) {
      expect(() => opened(path)).toThrow(refused("database_read_only"));
    }
  });

  it("lies in a folder that this user may only read", async () => {
    const folder = pathFor("read-only");
    mkdirSync(folder);
    const path = join(folder, "troupe.db");
    copyFileSync(await closedFile(), path);
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    const script = `
      // Root may write everywhere; somebody else may not.
      if (process.geteuid?.() === 0) process.seteuid?.(65534);
      const { openSqliteStore } = await import(${STORE});
      try { openSqliteStore({ path: process.argv[1], durability: "full", clock: { now: () => 0 }, random: null }); }
      catch (thrown) { console.log(thrown.code); }`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", script, path], {
      encoding: "utf8",
    });
    expect(run.stdout.trim()).toBe("database_read_only");
    chmodSync(folder, 0o700);
  });
});
