// What an operator does with a database file while a server may live on it: a copy, and a check. Both open it for
// reading alone, beside the one writer; neither takes its lock and neither changes the file.

import { chmodSync, existsSync, rmSync, statSync } from "node:fs";
import { ConfigError, messageOf, StoreError, TroupeError } from "../base/errors.ts";
import type { State } from "../core/lifecycle.ts";
import { Connection } from "./sqlite-connection.ts";
import { findAll } from "./sqlite-check.ts";
import type { Finding } from "./sqlite-check.ts";
import { storeErrorOf } from "./sqlite-errors.ts";
import { makePrivateFile } from "./sqlite-lock.ts";
import { idHash } from "./sqlite-rows.ts";
import { APPLICATION_ID, MIGRATIONS, versionOf } from "./sqlite-schema.ts";
import { STATE_WORDS } from "./sqlite-words.ts";

/** Readers wait longer than the writer: nothing else stands still meanwhile. */
const BUSY_TIMEOUT_MS = 10_000;
const MOST_SHOWN = 20;

export interface BackupReport {
  readonly target: string;
  readonly bytes: number;
  readonly tasks: number;
}

export interface CheckReport {
  /** Whether nothing at all was found. */
  readonly ok: boolean;
  readonly version: number;
  /** The version that this program writes. */
  readonly newestVersion: number;
  /** What SQLite says of the pages; empty when it says "ok". */
  readonly pages: readonly string[];
  /** Rules between rows that do not hold; not looked at when the pages are damaged. */
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<"tasks" | "open" | "events" | "transcript" | "inbox" | "trees", number>>;
  readonly bytes: { readonly file: number; readonly log: number; readonly free: number };
}

/**
 * Copies a database as it stands into a new file, packed, for its owner alone. The copy is another store: cursors of the
 * original mean nothing to it.
 * Contract: throws ConfigError `backup_exists`, `backup_unwritable`, `database_missing` or `database_foreign`, and StoreError for trouble
 * with a disk or a copy that does not read well; no half of a copy is left then.
 */
export function backupSqlite(path: string, target: string): BackupReport {
  if (existsSync(target)) {
    throw new ConfigError(
      "backup_exists",
      `Expected a new file for the backup, ${target} is there. Name another.`,
      {
        details: { path: target },
      },
    );
  }
  return reading(path, (source) => {
    makeTarget(target);
    try {
      source.run("VACUUM INTO ?", target);
      forgetName(target);
      return verified(target);
    } catch (thrown) {
      for (const part of [target, `${target}-journal`, `${target}-wal`, `${target}-shm`])
        rmSync(part, { force: true });
      throw thrown;
    }
  });
}

function makeTarget(target: string): void {
  try {
    makePrivateFile(target);
  } catch (thrown) {
    const problem = `Expected a place where a file can be made, got ${target} (${messageOf(thrown)}). Name a file in a folder that is there and that you may use.`;
    throw new ConfigError("backup_unwritable", problem, { details: { path: target }, cause: thrown });
  }
}

/** What a copy counts from now on is not what its original counts: it gets a name of its own when it is opened. */
function forgetName(target: string): void {
  const copy = new Connection(target);
  try {
    copy.exec("DELETE FROM meta WHERE key = 'store_id'");
  } finally {
    copy.close();
  }
}

function verified(target: string): BackupReport {
  chmodSync(target, 0o600);
  const copy = new Connection(target, { readOnly: true });
  try {
    const found = copy.pragma("quick_check(1)");
    if (found !== "ok") {
      throw new StoreError(
        "corrupt",
        `The copy ${target} does not read well (${String(found)}). Back up elsewhere.`,
      );
    }
    return { target, bytes: statSync(target).size, tasks: countOf(copy, "SELECT count(*) AS n FROM tasks") };
  } finally {
    copy.close();
  }
}

/**
 * Reads a whole database and tells what is wrong with it.
 * Contract: throws ConfigError `database_missing` or `database_foreign`, and StoreError for trouble with the disk; a
 * damaged file is a report, not an error, for as long as anything of it can be read.
 */
export function checkSqlite(path: string): CheckReport {
  return reading(path, (connection) => {
    const pages = pagesOf(connection);
    const findings = pages.length === 0 ? findAll(connection) : [];
    const count = (table: string, where = ""): number =>
      pages.length === 0 ? countOf(connection, `SELECT count(*) AS n FROM ${table} ${where}`) : 0;
    const version = versionOf(connection);
    return {
      ok: pages.length === 0 && findings.length === 0,
      version,
      newestVersion: MIGRATIONS.length,
      pages,
      findings,
      counts: {
        tasks: count("tasks"),
        open: count("heads", "WHERE state IN (0, 1, 2)"),
        events: count("events"),
        transcript: count("transcript"),
        inbox: count("inbox"),
        trees: count("trees"),
      },
      bytes: {
        file: sizeOf(path),
        log: sizeOf(`${path}-wal`),
        free: Number(connection.pragma("freelist_count")) * Number(connection.pragma("page_size")),
      },
    };
  });
}

function pagesOf(connection: Connection): readonly string[] {
  try {
    const rows = connection.all<{ integrity_check: string }>(`PRAGMA integrity_check(${MOST_SHOWN})`);
    return rows.map((row) => row.integrity_check).filter((line) => line !== "ok");
  } catch (thrown) {
    return [messageOf(thrown)];
  }
}

function countOf(connection: Connection, sql: string): number {
  return connection.get<{ n: number }>(sql)?.n ?? 0;
}

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/**
 * The states of tasks, of a file that a server may be at work on; a task that is not there is in no row of the answer.
 * Contract: throws ConfigError `database_missing` or `database_foreign`, and StoreError.
 */
export function statesIn(path: string, ids: readonly string[]): ReadonlyMap<string, State> {
  return reading(path, (connection) => {
    const ask = "SELECT h.state FROM tasks t JOIN heads h ON h.num = t.num WHERE t.id_hash = ? AND t.id = ?";
    const found = ids.flatMap((id): readonly (readonly [string, State])[] => {
      const row = connection.get<{ readonly state: number | string }>(ask, idHash(id), id);
      return row === undefined ? [] : [[id, STATE_WORDS.fromStored(row.state)]];
    });
    return new Map(found);
  });
}

function reading<T>(path: string, work: (connection: Connection) => T): T {
  if (!existsSync(path)) {
    throw new ConfigError(
      "database_missing",
      `Expected a database at ${path}, found none. Check store.path.`,
      {
        details: { path, config_key: "store.path" },
      },
    );
  }
  let connection: Connection | null = null;
  try {
    connection = new Connection(path, { readOnly: true, busyTimeoutMs: BUSY_TIMEOUT_MS });
    if (Number(connection.pragma("application_id")) !== APPLICATION_ID) throw foreign(path);
    return work(connection);
  } catch (thrown) {
    if (!(thrown instanceof TroupeError) && messageOf(thrown).includes("not a database")) throw foreign(path);
    throw storeErrorOf(thrown);
  } finally {
    connection?.close();
  }
}

function foreign(path: string): ConfigError {
  return new ConfigError(
    "database_foreign",
    `Expected a database of Troupe at ${path}, it is none. Check store.path.`,
    {
      details: { path, config_key: "store.path" },
    },
  );
}
