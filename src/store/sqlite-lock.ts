// One writer per database file, proved by the kernel: an exclusive lock on a sibling file, held for the life of the
// process, which no crash can leave behind and no clock can end. A second sibling only tells people who holds it.
//
// K1. Whoever holds the lock is alive. Nothing here goes by age, by pid or by what a file says.
// K2. The lock file is opened by SQLite alone: closing any other handle on it would drop the lock of this process.

import { closeSync, fchmodSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { currentPid } from "../base/owner.ts";
import type { Clock } from "../base/clock.ts";
import { ConfigError } from "../base/errors.ts";
import { Connection } from "./sqlite-connection.ts";
import { troubleOf } from "./sqlite-errors.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
const PRIVATE = 0o600;

export interface OwnerLock {
  /** Lets the next process have the file. Never throws. */
  release(): void;
}

/** Makes an empty file that only its owner may read, whatever the umask. Contract: leaves an existing one alone. */
export function makePrivateFile(path: string): void {
  let handle: number;
  try {
    handle = openSync(path, "wx", PRIVATE);
  } catch (thrown) {
    if ((thrown as { readonly code?: unknown }).code === "EEXIST") return;
    throw thrown;
  }
  fchmodSync(handle, PRIVATE);
  closeSync(handle);
}

/** Throws ConfigError `database_owned` while another process, or another store of this one, holds the file. */
export function takeLock(path: string, clock: Clock): OwnerLock {
  const lockPath = `${path}.lock`;
  const ownerPath = `${path}.owner`;
  makePrivateFile(lockPath);
  const connection = new Connection(lockPath);
  try {
    connection.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    connection.close();
    if (troubleOf(thrown) === "busy") throw owned(path, ownerPath);
    throw thrown;
  }
  try {
    sayOwner(ownerPath, clock);
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
  return {
    release() {
      try {
        // Before the lock goes: afterwards the file may be that of the next owner.
        rmSync(ownerPath, { force: true });
      } catch {
        // What is left of it says nothing about who is alive (K1).
      }
      try {
        connection.close();
      } catch {
        // It is closed.
      }
    },
  };
}

/** Leaves a word for people; a folder in its place is somebody's, stays, and costs only that word. */
function sayOwner(ownerPath: string, clock: Clock): void {
  if (statSync(ownerPath, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const owner = { pid: currentPid(), boot_id: bootId(), since: new Date(clock.now()).toISOString() };
  rmSync(ownerPath, { force: true });
  makePrivateFile(ownerPath);
  writeFileSync(ownerPath, `${JSON.stringify(owner)}\n`);
}

function owned(path: string, ownerPath: string): ConfigError {
  const owner = ownerOf(ownerPath);
  const who = owner === null ? "" : `, pid ${owner.pid} since ${owner.since}`;
  return new ConfigError(
    "database_owned",
    `The database ${path} is owned by another live server${who}. Stop it, or use another store.path.`,
    { details: { path, config_key: "store.path", ...(owner === null ? {} : { pid: owner.pid }) } },
  );
}

/** What the owner wrote about itself, if that can be read; it is told and never acted on. */
function ownerOf(path: string): { readonly pid: number; readonly since: string } | null {
  try {
    const { pid, since } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    return typeof pid === "number" && typeof since === "string" ? { pid, since } : null;
  } catch {
    return null;
  }
}

/** Which start of the machine this is, where the system tells. */
function bootId(): string | null {
  try {
    return readFileSync(BOOT_ID, "utf8").trim();
  } catch {
    return null;
  }
}
