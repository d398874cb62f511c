import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { systemClock as clock } from "../../src/base/clock.ts";
import { systemRandom as random } from "../../src/base/ids.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { SPAWNED, specimen } from "../store/specimens.ts";
import { newHome, type Home } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

let house: Home;
let path: string;
beforeEach(async () => {
  house = await newHome();
  await mkdir(house.home);
  path = join(house.home, "troupe.db");
});

async function storeWith(count: number, file = path) {
  const store = openSqliteStore({ path: file, clock, random, durability: "full" });
  for (let index = 0; index < count; index++) await store.submit(specimen(`task_${index}`), SPAWNED);
  return store;
}

async function typed(...args: string[]) {
  const terminal = new ScriptedTerminal(house);
  const code = await runLine(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

describe("backup", () => {
  test("copies a store that a server has, for its owner alone, and the copy opens", async () => {
    const store = await storeWith(3);
    const { code, out, err } = await typed("backup", "copy.db");
    const target = join(house.cwd, "copy.db");
    expect([code, out]).toEqual([0, `${target}\n`]);
    expect(err).toMatch(/^3 tasks of \S+troupe\.db, \d+ MiB\. It read well\.\n$/);
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    await store.submit(specimen("task_3"), SPAWNED);
    await store.close();
    const copy = await storeWith(0, target);
    expect((await copy.list({})).items).toHaveLength(3);
    expect(copy.storeId).not.toBe(store.storeId);
    await copy.close();
  });

  test("copies one that nobody has, and tells it as JSON", async () => {
    await (await storeWith(1, join(house.cwd, "other.db"))).close();
    const { code, out, err } = await typed("backup", "copy.db", "--store", "other.db", "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({
      source: join(house.cwd, "other.db"),
      target: join(house.cwd, "copy.db"),
      tasks: 1,
    });
  });

  test("replaces no file, makes no folder, and says what is not there, with exit code 3", async () => {
    expect(await typed("backup", "copy.db")).toMatchObject({ code: 3, err: expect.stringContaining(path) });
    await (await storeWith(1)).close();
    await writeFile(join(house.cwd, "copy.db"), "mine");
    expect(await typed("backup", "copy.db")).toMatchObject({
      code: 3,
      err: expect.stringContaining("copy.db"),
    });
    expect(await readFile(join(house.cwd, "copy.db"), "utf8")).toBe("mine");
    expect(await typed("backup", "no/folder/copy.db")).toMatchObject({
      code: 3,
      err: expect.stringContaining("in a folder that is there"),
    });
    expect(await readdir(house.cwd)).toEqual(["copy.db"]);
  });

  test("says that memory has no file", async () => {
    await writeFile(join(house.cwd, "config.yaml"), "store: {durability: none}\n", { mode: 0o600 });
    expect(await typed("backup", "copy.db")).toMatchObject({
      code: 3,
      err: expect.stringContaining("store.durability: full"),
    });
  });
});

describe("db check", () => {
  test("reads a sound store, also while a server has it", async () => {
    const store = await storeWith(2);
    const { code, out, err } = await typed("db", "check");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(
      /^ok {2}\S+troupe\.db: version \d+, .*\n {4}2 tasks in 2 trees, 2 of them open; 2 events, /,
    );
    await store.close();
    expect(JSON.parse((await typed("db", "check", "--json")).out)).toMatchObject({
      path,
      ok: true,
      version: expect.any(Number) as number,
      counts: { tasks: 2, open: 2 },
    });
  });

  test("tells rows that do not fit together, with exit code 3", async () => {
    await (await storeWith(2)).close();
    const broken = new DatabaseSync(path);
    broken.exec("DELETE FROM events");
    broken.close();
    const { code, out } = await typed("db", "check", path);
    expect(code).toBe(3);
    expect(out).toMatch(/^wrong {2}/);
    expect(out).toMatch(/ - does not hold: .*\(1, 2\)/);
    const asJson = await typed("db", "check", "--json");
    expect([asJson.code, (JSON.parse(asJson.out) as { ok: boolean }).ok]).toEqual([3, false]);
  });

  test("tells damaged pages, with what to do", async () => {
    await (await storeWith(200)).close();
    const bytes = await readFile(path);
    for (let page = 2; page < bytes.length / 8_192; page++) bytes.fill(0xa5, page * 8_192, page * 8_192 + 64);
    await writeFile(path, bytes);
    const { code, out } = await typed("db", "check");
    expect(code).toBe(3);
    expect(out).toMatch(/^damaged {2}[\s\S]* - damaged: [\s\S]*put the last backup in its place/);
  });

  test("tells a store of the future", async () => {
    await (await storeWith(1)).close();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    const { code, out } = await typed("db", "check");
    expect([code, out]).toEqual([3, expect.stringContaining("it has version 99")]);
  });

  test.each([
    ["nothing", null],
    ["another file", "Dear Ann\n".repeat(500)],
  ])("refuses %s, with exit code 3", async (_what, text) => {
    if (text !== null) await writeFile(path, text);
    expect(await typed("db", "check")).toMatchObject({
      code: 3,
      out: "",
      err: expect.stringContaining(path),
    });
  });

  test("is found by its words", async () => {
    expect(await typed("db", "chekc")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Did you mean check?"),
    });
    expect(await typed("db", "check", "--help")).toMatchObject({
      code: 0,
      out: expect.stringContaining("[FILE]"),
    });
  });
});
