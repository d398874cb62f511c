// The files of one record of who did what: the one that is written, and those that grew full before it, numbered in a
// folder beside it. It says which there are, and reads no row.

import { closeSync, fstatSync, openSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** What stands behind a record's name to name the folder of its full files. */
export const PARTS_SUFFIX = ".d";
const DIGITS = 6;

/** Where the full file of this number lies; from 1. */
export function partPath(path: string, number: number): string {
  return join(`${path}${PARTS_SUFFIX}`, String(number).padStart(DIGITS, "0"));
}

/** The full files, oldest first. Contract: throws the system's errors, but for a folder that is not there. */
export function partsOf(path: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(`${path}${PARTS_SUFFIX}`);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
  const numbers = names.filter((name) => /^\d{6,}$/.test(name)).map(Number);
  return numbers.toSorted((a, b) => a - b).map((number) => partPath(path, number));
}

/** The number of a full file. */
export function partNumber(part: string): number {
  return Number(basename(part));
}

export interface RecordFiles {
  /** Oldest first. */
  readonly parts: readonly string[];
  /** The one that is written, open for reading; `null` where a full one was put away and no next one begun. */
  readonly live: number | null;
}

/**
 * All files of a record, as of one moment, while a server may be putting the one that it writes among the full ones.
 * Contract: throws the system's error where there is no record. Who calls closes `live`.
 */
export function openRecord(path: string): RecordFiles {
  // Opened before the others are looked at: it may become one of them meanwhile, but none is missed.
  const live = openedOrNull(path);
  try {
    const parts = partsOf(path);
    if (live === null && parts.length === 0) openSync(path, "r");
    const last = parts.at(-1);
    const isPart = live !== null && last !== undefined && statSync(last).ino === fstatSync(live).ino;
    return { parts: isPart ? parts.slice(0, -1) : parts, live };
  } catch (error) {
    if (live !== null) closeSync(live);
    throw error;
  }
}

function openedOrNull(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
