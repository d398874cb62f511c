// Folders in which agents got a shell while no config or no repository stood there. What appears there as config.yaml may
// be theirs, and a config decides where keys go: it counts only once a person has named it, or had `troupe init` write it.
// So may a .git, which can lead to the objects of any other repository: it counts only once a person has said so. Marks
// lie in Troupe's home, which no agent reaches.

import { lstat, unlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { sha256 } from "../base/ids.ts";
import { ensureFolder } from "../base/own-file.ts";
import { isMissing } from "./read-file.ts";

const MARKS = "without-config";
const MARKS_OF_REPOSITORIES = "without-repository";
const NAME_CHARS = 32;

/** Where the mark of the folder is. */
function markOf(home: string, folder: string, marks = MARKS): string {
  return join(home, marks, sha256(resolve(folder)).slice(0, NAME_CHARS));
}

async function mark(home: string, folder: string, marks = MARKS): Promise<void> {
  await ensureFolder(join(home, marks));
  await writeFile(markOf(home, folder, marks), `${resolve(folder)}\n`, { mode: 0o600 });
}

async function unmark(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/**
 * Before a shell is given in a folder: marks it, unless it has a repository of its own, or is a worktree of one.
 * Contract: as of `markWithoutConfig`.
 */
export async function markWithoutRepository(home: string, folder: string): Promise<void> {
  if (!(await isThere(join(folder, ".git")))) await mark(home, folder, MARKS_OF_REPOSITORIES);
}

/** A person vouches for the repository that is there now. Contract: fine where no mark is. */
export async function trustRepository(home: string, folder: string): Promise<void> {
  await unmark(markOf(home, folder, MARKS_OF_REPOSITORIES));
}

/** Whether agents had a shell in the folder before it had a repository, for which nobody has vouched. */
export function hasAppeared(home: string, folder: string): Promise<boolean> {
  return isThere(markOf(home, folder, MARKS_OF_REPOSITORIES));
}

/**
 * Before a shell is given in a folder: marks it, unless the config is there.
 * Contract: throws the system's error where the mark cannot be made: then no shell may be given either.
 */
export async function markWithoutConfig(home: string, file: string): Promise<void> {
  const folder = dirname(file);
  if (!(await isThere(file))) await mark(home, folder);
}

/** A person has named or written the config that is there now. Contract: fine where no mark is. */
export async function trustConfig(home: string, file: string): Promise<void> {
  await unmark(markOf(home, dirname(file)));
}

/** Contract: throws ConfigError `config_appeared` for a config that nobody named, in a folder with a mark. */
export async function checkNotAppeared(home: string, file: string): Promise<void> {
  const folder = dirname(file);
  if (!(await isThere(markOf(home, folder)))) return;
  throw new ConfigError(
    "config_appeared",
    `Expected ${file} to be yours, but there was none while agents had a shell in that folder, so that one of them may ` +
      `have written it, and a config decides where your keys go. Read it; if it is yours, name it once: --config ${file}.`,
    { details: { file } },
  );
}

/** A home may be no folder at all: whoever needs one says so. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
