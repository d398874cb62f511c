// Databases for a moment: SQLite stores and plain connections in folders of their own, which are removed afterwards.
// The folders lie where the machine keeps temporary files: where that is memory, `full` costs nothing and says nothing.

import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite.ts";

export const SYNC_MODES = ["normal", "full"] as const;
export type SyncMode = (typeof SYNC_MODES)[number];

/** Runs `work` with the path of a database that is not there yet, and removes what it left. */
export async function withDatabase<T>(work: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-bench-"));
  try {
    return await work(join(folder, "troupe.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function openStore(path: string, durability: SyncMode, clock: Clock = systemClock): SqliteStore {
  return openSqliteStore({ path, durability, clock, random: systemRandom });
}

/** What the database takes on the disk, its log included. */
export function diskBytes(path: string): number {
  return [path, `${path}-wal`]
    .filter((file) => existsSync(file))
    .reduce((sum, file) => sum + statSync(file).size, 0);
}

/** A database and its log, as a crash left them; who owned it is not copied. */
export function copyDatabase(from: string, to: string): void {
  for (const suffix of ["", "-wal"]) {
    if (existsSync(`${from}${suffix}`)) copyFileSync(`${from}${suffix}`, `${to}${suffix}`);
  }
}

/** Asks a database file that nobody has open. */
export function look<T>(path: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** The one number that a statement gives. */
export function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? Number.NaN);
}
