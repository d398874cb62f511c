// Opens a database file for its one writer: folder and file for their owner's eyes only, lock, what the file is, its
// version, its settings. It refuses a file that is not Troupe's, is from the future, damaged, or not to be written, and
// then leaves everything as it was.

import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { ConfigError, messageOf, TroupeError } from "../base/errors.ts";
import { toHex } from "../base/ids.ts";
import type { Random } from "../base/ids.ts";
import { findAfterCrash } from "./sqlite-check.ts";
import { Connection } from "./sqlite-connection.ts";
import { storeErrorOf, troubleOf } from "./sqlite-errors.ts";
import { makePrivateFile, takeLock } from "./sqlite-lock.ts";
import type { OwnerLock } from "./sqlite-lock.ts";
import { APPLICATION_ID, migrate, MIGRATIONS, versionOf } from "./sqlite-schema.ts";
import type { Migration } from "./sqlite-schema.ts";
import type { Durability } from "./store.ts";

export interface SqliteStoreOptions {
  /** The database file; `:memory:` for one that is lost with the process. */
  readonly path: string;
  readonly clock: Clock;
  /** Names a new store. */
  readonly random: Random;
  /** What an acknowledgement survives: power loss, or `kill -9`. */
  readonly durability: Exclude<Durability, "none">;
  /** Those of this version, unless a test brings its own. */
  readonly migrations?: readonly Migration[];
}

/** An open database that is ours and of this version. */
export interface OpenedDatabase {
  readonly connection: Connection;
  readonly storeId: string;
  readonly durability: Durability;
  /** What its tables and indexes take, without what is free or yet to be written back from the log. */
  bytes(): number;
  /** Writes the log back and lets the next process have the file. */
  close(): void;
}

const MEMORY = ":memory:";
const PRIVATE_FOLDER = 0o700;
const GROUP_AND_OTHERS = 0o077;
/**
 * Rows of one to two thousand characters leave a fifth of a page of 4 KiB or 16 KiB unused or pay for it in the log; at
 * 8 KiB a long task takes least (measured from 500 to 2,000 characters a turn).
 */
const PAGE_BYTES = 8_192;
/**
 * Pages in the log when it is written back, and bytes that its file keeps afterwards: about the same. A task on its own
 * takes eight pages, so that one write in 250 waits for the disk to sort itself out, and not one in 100.
 */
const CHECKPOINT_PAGES = 2_000;
const LOG_BYTES = CHECKPOINT_PAGES * PAGE_BYTES;
const CACHE_KIB = 8_192;
/** A file up to this size is checked whole when it is opened; one that is larger by `troupe db check`. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/** Throws what `openSqliteStore` throws. */
export function openDatabase(options: SqliteStoreOptions): OpenedDatabase {
  const { path, clock } = options;
  if (path === MEMORY) return openLocked(options, null);
  let lock: OwnerLock | null = null;
  try {
    makeFolder(dirname(path));
    lock = takeLock(path, clock);
    makePrivateFile(path);
    keepPrivate(path);
    return openLocked(options, lock);
  } catch (thrown) {
    lock?.release();
    throw refusalOf(path, thrown);
  }
}

function openLocked(options: SqliteStoreOptions, lock: OwnerLock | null): OpenedDatabase {
  const { path, durability } = options;
  // Whoever closed it wrote the log back.
  const crashed = sizeOf(`${path}-wal`) > 0;
  const connection = new Connection(path);
  try {
    const empty = checkOurs(connection, options, crashed);
    if (empty) connection.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${LOG_BYTES};
      PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF`);
    // A file that cannot be written says so now, not at the first task.
    connection.exec("BEGIN IMMEDIATE; ROLLBACK");
    migrate(connection, options.migrations);
    checkTables(connection, options);
    if (crashed) checkNewest(connection, path);
    return {
      connection,
      storeId: storeIdOf(connection, options.random),
      durability: path === MEMORY ? "none" : durability,
      bytes: () => usedBytes(connection),
      close() {
        connection.close();
        lock?.release();
      },
    };
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

/** Whether the file is new and empty. Throws ConfigError for one that may not become ours. */
function checkOurs(
  connection: Connection,
  { path, migrations = MIGRATIONS }: SqliteStoreOptions,
  crashed: boolean,
): boolean {
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
  checkPages(connection, path, crashed);
  return false;
}

/** Whether the file is whole: in bytes, and in its pages while they are few. */
function checkPages(connection: Connection, path: string, crashed: boolean): void {
  const pages = Number(connection.pragma("page_count"));
  const missing =
    crashed || path === MEMORY ? 0 : pages * Number(connection.pragma("page_size")) - sizeOf(path);
  if (missing > 0) throw damaged(path, `${missing} bytes are missing at its end`);
  if (usedBytes(connection) > CHECKED_BYTES) return;
  const found = connection.pragma("quick_check(1)");
  if (found !== "ok") throw damaged(path, String(found));
}

/**
 * After a crash, whether the newest rows know of each other: SQLite takes the log by its word, and one that lost its
 * end to bad hardware may be older than what was written back from it.
 */
function checkNewest(connection: Connection, path: string): void {
  const [finding] = findAfterCrash(connection);
  if (finding !== undefined) throw damaged(path, `not so: ${finding.rule}`);
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

const TABLES = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name";

/** A file that says it is ours and has other tables, or triggers, is somebody's trap or somebody's accident. */
function checkTables(connection: Connection, { path, migrations }: SqliteStoreOptions): void {
  const model = new Connection(MEMORY);
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

function storeIdOf(connection: Connection, random: Random): string {
  connection.exec("BEGIN IMMEDIATE");
  connection.run(
    "INSERT INTO meta (key, value) VALUES ('store_id', ?) ON CONFLICT (key) DO NOTHING",
    `store_${toHex(random.bytes(16))}`,
  );
  connection.exec("COMMIT");
  return connection.get<{ value: string }>("SELECT value FROM meta WHERE key = 'store_id'")?.value ?? "";
}

function usedBytes(connection: Connection): number {
  const pages = Number(connection.pragma("page_count")) - Number(connection.pragma("freelist_count"));
  return pages * Number(connection.pragma("page_size"));
}

/** Each missing folder for its owner alone, whatever the umask; one that is there stays as it is. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: PRIVATE_FOLDER });
  chmodSync(path, PRIVATE_FOLDER);
}

/** Takes an existing file from the eyes of others; SQLite gives its log the same mode. */
function keepPrivate(path: string): void {
  const facts = statSync(path);
  if (!facts.isFile()) throw refusal("database_foreign", path, "is no file. Use another store.path.");
  if ((facts.mode & GROUP_AND_OTHERS) !== 0) chmodSync(path, facts.mode & ~GROUP_AND_OTHERS & 0o777);
}

/** What is wrong with a file, in words that follow its name, and what to do. */
function refusal(code: string, path: string, problem: string): ConfigError {
  return refusalBecause({ code, path, problem, cause: undefined });
}

interface Refusal {
  readonly code: string;
  readonly path: string;
  readonly problem: string;
  readonly cause: unknown;
}

function refusalBecause({ code, path, problem, cause }: Refusal): ConfigError {
  return new ConfigError(code, `The database ${path} ${problem}`, {
    details: { path, config_key: "store.path" },
    ...(cause === undefined ? {} : { cause }),
  });
}

function damaged(path: string, found: string, cause?: unknown): ConfigError {
  const advice = "Keep a copy of it and its -wal file, run `troupe db check`, and restore the last backup.";
  return refusalBecause({
    code: "database_corrupt",
    path,
    problem: `is damaged (${found}). ${advice}`,
    cause,
  });
}

const NOT_WRITABLE = new Set(["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"]);

/** What stopped the opening, as an error that says what to do. */
function refusalOf(path: string, thrown: unknown): unknown {
  if (thrown instanceof TroupeError) return thrown;
  const said = messageOf(thrown);
  const { code } = thrown as { readonly code?: unknown };
  const trouble = troubleOf(thrown);
  if (trouble === "read_only" || NOT_WRITABLE.has(String(code))) {
    const advice =
      "Make the file, its folder and its disk writable for this user, use another store.path, or keep everything in " +
      "memory with store.durability: none.";
    const problem = `cannot be written (${said}). ${advice}`;
    return refusalBecause({ code: "database_read_only", path, problem, cause: thrown });
  }
  if (said.includes("not a database")) {
    const problem = "is no SQLite database. Use another store.path.";
    return refusalBecause({ code: "database_foreign", path, problem, cause: thrown });
  }
  return trouble === "corrupt" ? damaged(path, said, thrown) : storeErrorOf(thrown);
}
