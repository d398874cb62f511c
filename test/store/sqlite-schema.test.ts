import { copyFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Connection } from "../../src/store/sqlite-connection.ts";
import { checkSqlite } from "../../src/store/sqlite-maintenance.ts";
import { APPLICATION_ID, migrate, MIGRATIONS, versionOf } from "../../src/store/sqlite-schema.ts";
import type { Migration } from "../../src/store/sqlite-schema.ts";
import { databaseFolder, opened } from "./sqlite-files.ts";
import { claimOf, submitted } from "./specimens.ts";

const pathFor = databaseFolder();

/** A copy of the database that a released version left; made by sqlite-fixture.ts. */
function fixture(version: number): string {
  const path = pathFor();
  copyFileSync(fileURLToPath(new URL(`fixtures/version-${version}.db`, import.meta.url)), path);
  return path;
}

const withConnection = <T>(path: string, work: (connection: Connection) => T): T => {
  const connection = new Connection(path);
  try {
    return work(connection);
  } finally {
    connection.close();
  }
};

const addNotes: Migration = (connection) =>
  connection.exec(
    "CREATE TABLE notes (task INTEGER PRIMARY KEY, note TEXT); INSERT INTO notes SELECT num, id FROM tasks",
  );
const failHalfWay: Migration = (connection) => {
  addNotes(connection);
  connection.exec("INSERT INTO nowhere VALUES (1)");
};

describe("a database of an older version", () => {
  it.each(MIGRATIONS.map((_, at) => at + 1))(
    "opens that of version %i, with all that is in it",
    async (version) => {
      const path = fixture(version);
      const store = opened(path);
      expect(store.storeId).toMatch(/^store_[0-9a-f]{32}$/);
      expect(await store.counts()).toEqual({
        spawned: 1,
        running: 1,
        steering: 0,
        done: 1,
        cancelled: 0,
        failed: 1,
      });
      expect((await store.list({})).items.map(({ spec, state }) => [spec.id, state])).toEqual([
        ["s1", "running"],
        ["c1", "done"],
        ["c2", "failed"],
        ["t1", "spawned"],
      ]);
      expect(await store.inbox("s1", 0)).toMatchObject([
        { message: { kind: "steer", text: "Faster — ≥ 2×" }, state: "delivered", turn: 1 },
        {
          message: {
            kind: "completion",
            id: "c1",
            end: { result: expect.stringMatching(/^four/) as string },
          },
        },
      ]);
      const [answer] = await store.events({ after: 0, types: ["answer.finished"] });
      expect(answer?.data).toEqual({ text: (await store.get("c1"))?.end?.result });
      expect((await store.events({ after: 0, rootId: "s1" })).map((event) => event.seq)).toHaveLength(9);
      expect(await claimOf(store, "s1")).toMatchObject({
        epoch: 2,
        resume: { inboxCursor: 1, snapshot: { value: 1 } },
      });
      await submitted(store, "t2");
      expect(await store.readerCursor("sse")).toBe(3);
      await store.close();
      expect(checkSqlite(path)).toMatchObject({ ok: true });
    },
  );

  it("V1 goes forward by a migration, and keeps what it had", async () => {
    const path = fixture(1);
    const store = opened(path, { migrations: [...MIGRATIONS, addNotes] });
    expect(await store.counts()).toMatchObject({ done: 1, failed: 1 });
    await store.close();
    withConnection(path, (connection) => {
      expect(versionOf(connection)).toBe(MIGRATIONS.length + 1);
      expect(connection.all("SELECT note FROM notes ORDER BY task")).toHaveLength(4);
    });
    expect(() => opened(path)).toThrow(expect.objectContaining({ code: "database_newer" }));
  });

  it("V1 stays what it was when a migration fails, and opens again with the version that it had", async () => {
    const path = fixture(1);
    expect(() => opened(path, { migrations: [...MIGRATIONS, failHalfWay] })).toThrow(
      "no such table: nowhere",
    );
    withConnection(path, (connection) => {
      expect(versionOf(connection)).toBe(MIGRATIONS.length);
      expect(connection.all("SELECT 1 FROM sqlite_schema WHERE name = 'notes'")).toEqual([]);
    });
    const store = opened(path);
    expect(await store.get("c1")).not.toBeNull();
    await store.close();
  });
});

describe("migrate", () => {
  it("brings an empty file to the last version, marks it as Troupe's, and does nothing the second time", () => {
    const connection = new Connection(":memory:");
    migrate(connection);
    migrate(connection);
    expect(versionOf(connection)).toBe(MIGRATIONS.length);
    expect(connection.pragma("application_id")).toBe(APPLICATION_ID);
    connection.close();
  });

  it("leaves an empty file as empty as it was when the first migration fails", () => {
    const connection = new Connection(":memory:");
    expect(() => migrate(connection, [failHalfWay])).toThrow("no such table");
    expect([versionOf(connection), connection.pragma("application_id"), connection.inTransaction]).toEqual([
      0,
      0,
      false,
    ]);
    connection.close();
  });
});
