// Looks at a database file before it is opened for writing: what it is, of which version, whether it is whole. It reads
// and never writes.
//
// N1. A file that is refused stays as it was, and so does its log: SQLite writes a log back and removes it when the last
//     connection closes that may write, so everything is looked at through one that may only read.

import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { messageOf, TroupeError } from "../base/errors.ts";
import { findAfterCrash } from "./sqlite-check.ts";
import { Connection } from "./sqlite-connection.ts";
import { damaged, refusal, refusalOf } from "./sqlite-opening.ts";
import { APPLICATION_ID, migrate, MIGRATIONS, versionOf } from "./sqlite-schema.ts";
import type { Migration } from "./sqlite-schema.ts";

/** A file up to this size is checked whole when it is opened; one that is larger by `troupe db check`. */
const CHECKED_BYTES = 64 * 1024 * 1024;
/** Where the header of a file says with which kind of journal it is written, and read; 2 is a write-ahead log. */
const JOURNAL_BYTES = [18, 19] as const;
const WITH_LOG = 2;

/**
 * Refuses what no lock is needed for to be told: no file, no database, one of another program or of the future.
 * Contract: throws ConfigError `database_foreign`, `database_newer`; passes over everything else, for `inspect` to tell.
 */
export function inspectFromOutside(path: string, migrations: readonly Migration[] = MIGRATIONS): void {
  if (!existsSync(path) || sizeOf(`${path}-journal`) > 0) return;
  if (!statSync(path).isFile()) {
    throw refusal("database_foreign", path, "is no file. Use another store.path.");
  }
  try {
    looking(path, (connection) => isEmpty(connection, path, migrations));
  } catch (thrown) {
    const said = thrown instanceof TroupeError ? thrown : refusalOf(path, thrown);
    const foreign = messageOf(thrown).includes("not a database");
    if (foreign || thrown instanceof TroupeError) throw said;
  }
}

/**
 * Refuses a file that may not become ours or is not whole; to be called by who holds its lock.
 * Contract: throws ConfigError `database_foreign`, `database_newer`, `database_corrupt` or `database_foreign_log`, and
 * what SQLite throws.
 */
export function inspect(path: string, migrations: readonly Migration[] = MIGRATIONS): void {
  checkLog(path);
  if (sizeOf(path) === 0) return;
  looking(path, (connection) => {
    if (isEmpty(connection, path, migrations)) return;
    checkPages(connection, path);
    checkTables(connection, path, migrations.slice(0, versionOf(connection)));
    checkNewest(connection, path);
  });
}

function looking(path: string, work: (connection: Connection) => unknown): void {
  // One that was being made when the machine stopped must be rolled back before it can be read at all.
  const readOnly = sizeOf(`${path}-journal`) === 0;
  const connection = new Connection(path, { readOnly });
  try {
    work(connection);
  } finally {
    connection.close();
  }
}

/** A log beside a file that was never written with one is another file's: SQLite would write it into this one. */
function checkLog(path: string): void {
  if (sizeOf(`${path}-wal`) === 0 || hasLog(path)) return;
  throw refusal(
    "database_foreign_log",
    path,
    `has a log beside it, ${path}-wal, that belongs to another file. Move that log away; nothing was changed.`,
  );
}

/** To be called by who holds the lock: closing a handle on a file drops all locks that this process has on it. */
function hasLog(path: string): boolean {
  if (sizeOf(path) === 0) return false;
  // A folder, or what is too short for a header, is refused for what it is.
  if (!statSync(path).isFile()) return true;
  const header = Buffer.alloc(20);
  const handle = openSync(path, "r");
  try {
    readSync(handle, header, 0, header.length, 0);
  } finally {
    closeSync(handle);
  }
  if (header.toString("latin1", 0, 15) !== "SQLite format 3") return true;
  return JOURNAL_BYTES.some((at) => header[at] === WITH_LOG);
}

/** Whether the file is new and empty. Throws ConfigError for one that may not become ours. */
function isEmpty(connection: Connection, path: string, migrations: readonly Migration[]): boolean {
  const application = Number(connection.pragma("application_id"));
  const version = versionOf(connection);
  const tables = connection.get<{ n: number }>("SELECT count(*) AS n FROM sqlite_schema")?.n ?? 0;
  if (application === 0 && version === 0 && tables === 0) return true;
  if (application !== APPLICATION_ID) {
    throw refusal(
      "database_foreign",
      path,
      "is a SQLite database of another program. Use another store.path.",
    );
  }
  if (version > migrations.length) {
    throw refusal(
      "database_newer",
      path,
      `has version ${version}, and this program knows versions up to ${migrations.length}. ` +
        "Start the newer Troupe that wrote it, or restore a backup from before.",
    );
  }
  return false;
}

/** Whether the file is whole: in bytes, and in its pages while they are few. */
function checkPages(connection: Connection, path: string): void {
  const pages = Number(connection.pragma("page_count"));
  // What a log holds need not be in the file yet.
  const logged = sizeOf(`${path}-wal`) > 0;
  const missing = logged ? 0 : pages * Number(connection.pragma("page_size")) - sizeOf(path);
  if (missing > 0) throw damaged(path, `${missing} bytes are missing at its end`);
  if (usedBytes(connection) > CHECKED_BYTES) return;
  const found = connection.pragma("quick_check(1)");
  if (found !== "ok") throw damaged(path, String(found));
}

/**
 * Whether the newest rows know of each other: SQLite takes the log by its word, and one that lost its end to bad hardware
 * may be older than what was written back from it.
 */
function checkNewest(connection: Connection, path: string): void {
  const [finding] = findAfterCrash(connection);
  if (finding !== undefined) throw damaged(path, `not so: ${finding.rule}`);
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/** What tables and indexes take, without what is free. */
export function usedBytes(connection: Connection): number {
  const pages = Number(connection.pragma("page_count")) - Number(connection.pragma("freelist_count"));
  return pages * Number(connection.pragma("page_size"));
}

const TABLES = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name";

/** A file that says it is ours and has other tables, or triggers, is somebody's trap or somebody's accident. */
function checkTables(connection: Connection, path: string, migrations: readonly Migration[]): void {
  const model = new Connection(":memory:");
  try {
    migrate(model, migrations);
    if (JSON.stringify(model.all(TABLES)) === JSON.stringify(connection.all(TABLES))) return;
  } finally {
    model.close();
  }
  throw refusal(
    "database_foreign",
    path,
    "says that it is Troupe's and has other tables. Use another store.path, or restore the last backup.",
  );
}
