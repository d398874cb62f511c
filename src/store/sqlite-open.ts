// Opens a database file for its one writer: folder and file for their owner's eyes only, one name, lock, a look at what
// the file is, its version, its settings. It refuses a file that is not Troupe's, is from the future, damaged, or not to be
// written, and then leaves the file and its log as they were (sqlite-inspect.ts).

import { chmodSync, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { toHex } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/ids.ts";
import { Connection } from "./sqlite-connection.ts";
import { inspect, inspectFromOutside, usedBytes } from "./sqlite-inspect.ts";
import { makePrivateFile, takeLock } from "./sqlite-lock.ts";
import type { OwnerLock } from "./sqlite-lock.ts";
import { refusal, refusalOf } from "./sqlite-opening.ts";
import { migrate, versionOf } from "./sqlite-schema.ts";
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
  /** Is told of rows that cannot be read. */
  readonly logger?: Logger;
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
/** Throws what `openSqliteStore` throws. */
export function openDatabase(options: SqliteStoreOptions): OpenedDatabase {
  if (options.path === MEMORY) return openLocked(options, null);
  let lock: OwnerLock | null = null;
  try {
    makeFolder(dirname(options.path));
    const path = oneNameOf(options.path);
    inspectFromOutside(path, options.migrations);
    lock = takeLock(path, options.clock);
    inspect(path, options.migrations);
    makePrivateFile(path);
    keepPrivate(path);
    return openLocked({ ...options, path }, lock);
  } catch (thrown) {
    lock?.release();
    throw refusalOf(options.path, thrown);
  }
}

function openLocked(options: SqliteStoreOptions, lock: OwnerLock | null): OpenedDatabase {
  const { path, durability } = options;
  const connection = new Connection(path);
  try {
    if (versionOf(connection) === 0) {
      connection.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`);
    }
    connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${LOG_BYTES};
      PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF`);
    // A file that cannot be written says so now, not at the first task.
    connection.exec("BEGIN IMMEDIATE; ROLLBACK");
    migrate(connection, options.migrations);
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

function storeIdOf(connection: Connection, random: Random): string {
  connection.exec("BEGIN IMMEDIATE");
  connection.run(
    "INSERT INTO meta (key, value) VALUES ('store_id', ?) ON CONFLICT (key) DO NOTHING",
    `store_${toHex(random.bytes(16))}`,
  );
  connection.exec("COMMIT");
  return connection.get<{ value: string }>("SELECT value FROM meta WHERE key = 'store_id'")?.value ?? "";
}

/** Each missing folder for its owner alone, whatever the umask; one that is there stays as it is. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: PRIVATE_FOLDER });
  chmodSync(path, PRIVATE_FOLDER);
}

/** Takes an existing file and what SQLite has beside it from the eyes of others. */
function keepPrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (!existsSync(file)) continue;
    const { mode } = statSync(file);
    if ((mode & GROUP_AND_OTHERS) !== 0) chmodSync(file, mode & ~GROUP_AND_OTHERS & 0o777);
  }
}

/**
 * The one name of a file, so that who comes by another name meets the same lock.
 * Throws ConfigError `database_linked` for one that has several.
 */
function oneNameOf(path: string): string {
  if (!existsSync(path)) return join(realpathSync(dirname(path)), basename(path));
  const real = realpathSync(path);
  const facts = statSync(real);
  if (!facts.isFile() || facts.nlink === 1) return real;
  throw refusal(
    "database_linked",
    path,
    `has ${facts.nlink} names (hard links), and each would have a log of its own. Remove all but one, or copy it.`,
  );
}
