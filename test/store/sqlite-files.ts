// Database files for the tests of the SQLite store: a folder of their own, and stores opened on them.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { openDatabase } from "../../src/store/sqlite-open.ts";
import type { SqliteStoreOptions } from "../../src/store/sqlite-open.ts";
import { openSqliteStore, SqliteStore } from "../../src/store/sqlite.ts";
import type { Connection } from "../../src/store/sqlite-connection.ts";

/** Paths of files that are not there yet; they go with their folder when the tests of the file are over. */
export function databaseFolder(): (name?: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "troupe-sqlite-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  return (name) => {
    count += 1;
    return join(folder, name ?? `store-${count}.db`);
  };
}

export function optionsFor(path: string, parts: Partial<SqliteStoreOptions> = {}): SqliteStoreOptions {
  return { path, clock: new SimulatedClock(), random: seededRandom(1), durability: "normal", ...parts };
}

export function opened(path: string, parts: Partial<SqliteStoreOptions> = {}): SqliteStore {
  return openSqliteStore(optionsFor(path, parts));
}

/** A store whose connection a test may reach, to make the medium fail. */
export function openedWithConnection(path: string): {
  readonly store: SqliteStore;
  readonly connection: Connection;
} {
  const options = optionsFor(path);
  const database = openDatabase(options);
  return { store: new SqliteStore(database, options), connection: database.connection };
}
