// A short look at a database file, for people who want to know how it stands: what it is, how large, who holds it. It
// changes nothing and is quick; a thorough reading is checkSqlite's.

import { existsSync, readFileSync, statSync } from "node:fs";
import { messageOf } from "../base/errors.ts";
import { Connection } from "./sqlite-connection.ts";
import { troubleOf } from "./sqlite-errors.ts";
import { APPLICATION_ID, MIGRATIONS, versionOf } from "./sqlite-schema.ts";

/** SQLite's quick check reads every page; a larger file takes longer than a look may. */
const MOST_CHECKED_BYTES = 256 * 1_048_576;

export interface SqliteOwner {
  /** What it wrote of itself; `null` where that cannot be read. */
  readonly pid: number | null;
  readonly since: string | null;
}

export interface SqliteLook {
  /** Of the file and of its log. */
  readonly bytes: number;
  /** `null` where the file cannot be read as a database of Troupe; `problem` says why. */
  readonly version: number | null;
  /** The version that this program writes. */
  readonly newestVersion: number;
  /** The live server that has the file; `null` when none has. */
  readonly owner: SqliteOwner | null;
  /** What is wrong with it; `null` when nothing was found. */
  readonly problem: string | null;
  /** Whether its pages were looked at: not while a server has it, nor when it is very large. */
  readonly checked: boolean;
}

/** Contract: `null` where there is no such file; never throws for what stands in its place. */
export function lookAtSqlite(path: string): SqliteLook | null {
  if (!existsSync(path)) return null;
  const bytes = sizeOf(path) + sizeOf(`${path}-wal`);
  const seen = { bytes, newestVersion: MIGRATIONS.length, version: null, owner: null, checked: false };
  let connection: Connection | null = null;
  try {
    if (!statSync(path).isFile()) return { ...seen, problem: "it is no file" };
    const owner = ownerOf(path);
    connection = new Connection(path, { readOnly: true });
    if (Number(connection.pragma("application_id")) !== APPLICATION_ID) {
      return { ...seen, owner, problem: "it is a database of another program" };
    }
    const version = versionOf(connection);
    const checked = owner === null && bytes <= MOST_CHECKED_BYTES;
    const found = checked ? String(connection.pragma("quick_check(1)")) : "ok";
    return { ...seen, version, owner, checked, problem: found === "ok" ? null : found };
  } catch (thrown) {
    return { ...seen, problem: messageOf(thrown) };
  } finally {
    connection?.close();
  }
}

/** Whoever holds the lock is alive (keeps K1 of sqlite-lock.ts); what the file beside it says is only told. */
function ownerOf(path: string): SqliteOwner | null {
  if (!existsSync(`${path}.lock`)) return null;
  const lock = new Connection(`${path}.lock`, { busyTimeoutMs: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return null;
  } catch (thrown) {
    // A lock that may not be tried is somebody's, or of a folder that is not ours to write: then no server here runs on it.
    return troubleOf(thrown) === "busy" ? wordsOf(`${path}.owner`) : null;
  } finally {
    lock.close();
  }
}

function wordsOf(ownerPath: string): SqliteOwner {
  try {
    const { pid, since } = JSON.parse(readFileSync(ownerPath, "utf8")) as Record<string, unknown>;
    return { pid: typeof pid === "number" ? pid : null, since: typeof since === "string" ? since : null };
  } catch {
    return { pid: null, since: null };
  }
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}
