// Folders in which agents got a shell while no config stood there. What appears there as config.yaml may be theirs, and a
// config decides where keys go: it counts only once a person has named it, or had `troupe init` write it. Marks lie in
// Troupe's home, which no agent reaches.

import { lstat, unlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { sha256 } from "../base/ids.ts";
import { ensureFolder } from "../base/own-file.ts";
import { isMissing } from "./read-file.ts";

const MARKS = "without-config";
const NAME_CHARS = 32;

/** Where the mark of the folder is. */
function markOf(home: string, folder: string): string {
  return join(home, MARKS, sha256(resolve(folder)).slice(0, NAME_CHARS));
}

/**
 * Before a shell is given in a folder: marks it, unless the config is there.
 * Contract: throws the system's error where the mark cannot be made: then no shell may be given either.
 */
export async function markWithoutConfig(home: string, file: string): Promise<void> {
  const folder = dirname(file);
  if (await isThere(file)) return;
  await ensureFolder(join(home, MARKS));
  await writeFile(markOf(home, folder), `${resolve(folder)}\n`, { mode: 0o600 });
}

/** A person has named or written the config that is there now. Contract: fine where no mark is. */
export async function trustConfig(home: string, file: string): Promise<void> {
  await unlink(markOf(home, dirname(file))).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
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
