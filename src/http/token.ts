// The token file: one 256-bit secret that whoever may use this server holds. Made on first use, never shown here.
//
// K1. The file is readable by its owner only (0600), and a folder made for it is 0700, under any umask.
// K2. It appears whole or not at all: two servers that start at once agree on one token.
// K3. A file that others could read, or a folder that others could write, is refused, not mended in silence:
//     somebody may already hold the token.
// K4. The file and its folder belong to this person or to root: whoever owns one knows the token or can replace it.

import { open, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { dirname } from "node:path";
import { ConfigError, messageOf } from "../base/errors.ts";
import { currentUid, isOwnOrRoots } from "../base/owner.ts";
import { createWhole, ensureFolder } from "../base/own-file.ts";
import { type Random, systemRandom, toHex } from "../base/ids.ts";

const TOKEN_BYTES = 32;
const TOKEN_PATTERN = /^[0-9a-f]{64}$/;

export interface TokenFileOptions {
  /** Absolute path of the file. */
  readonly path: string;
  readonly random?: Random;
  /** Whether file modes mean something (not on Windows, where the user's profile protects the file). */
  readonly posix?: boolean;
  /** Whose file it has to be; this process's user when absent, `null` for a system without owners. */
  readonly uid?: number | null;
}

export interface TokenFile {
  readonly token: string;
  readonly path: string;
  /** True when this call made it. */
  readonly created: boolean;
}

/** 32 random bytes in hexadecimal. */
export function newToken(random: Random = systemRandom): string {
  return toHex(random.bytes(TOKEN_BYTES));
}

/**
 * Reads the token, or makes it where there is none.
 * Contract: throws ConfigError (`token_exposed`, `token_foreign`, `token_folder_open`, `token_malformed`, `token_unreadable`,
 * `token_unwritable`), each with what to do; never changes an existing file.
 */
export async function loadOrCreateToken(options: TokenFileOptions): Promise<TokenFile> {
  const existing = await loadToken(options);
  if (existing !== null) return { token: existing, path: options.path, created: false };
  const token = newToken(options.random);
  const created = await writeToken(token, options);
  if (created) return { token, path: options.path, created };
  const other = await loadToken(options);
  if (other !== null) return { token: other, path: options.path, created: false };
  throw new ConfigError(
    "token_unreadable",
    `Expected the token in ${options.path}, but the file comes and goes. Stop what deletes it and try again.`,
    { details: { path: options.path } },
  );
}

/** The token in the file, or `null` where there is no file. Throws like `loadOrCreateToken`. */
export async function loadToken(options: TokenFileOptions): Promise<string | null> {
  // One byte more than a token and its newline shows that the file holds something else.
  const text = await readPrivate(options, 67);
  if (text === null || TOKEN_PATTERN.test(text)) return text;
  throw malformed(options.path);
}

/**
 * The first bytes of a file that nobody else could read or replace (keeps K3 and K4), without the space at its end;
 * `null` where there is no file. Contract: throws ConfigErrors as `loadOrCreateToken` does.
 */
export async function readPrivate(options: TokenFileOptions, maxBytes: number): Promise<string | null> {
  const { path } = options;
  let file;
  try {
    // Non-blocking, so that a pipe in the file's place cannot hang us; what was opened is what gets checked.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(path, messageOf(error), error);
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw unreadable(path, "it is not a regular file");
    assertOwner(path, facts, options);
    if (options.posix !== false && (facts.mode & 0o077) !== 0) throw exposed(path, facts.mode);
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(maxBytes), position: 0 });
    await assertFolderClosed(dirname(path), options);
    return new TextDecoder().decode(buffer.subarray(0, bytesRead)).trimEnd();
  } finally {
    await file.close();
  }
}

/** Returns false when another process was first. */
async function writeToken(token: string, options: TokenFileOptions): Promise<boolean> {
  const { path, random = systemRandom } = options;
  try {
    await ensureFolder(dirname(path));
    await assertFolderClosed(dirname(path), options);
    return await createWhole(path, `${token}\n`, random);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      "token_unwritable",
      `Expected to write the server's token to ${path}, got: ${messageOf(error)}. Make that folder writable, ` +
        "or point TROUPE_HOME (or the config key server.token_file) to one that is.",
      { cause: error, details: { path, config_key: "server.token_file" } },
    );
  }
}

/**
 * Others who may write the folder could put their own token there. A sticky folder (`/tmp`) keeps them from it.
 * Contract: throws ConfigErrors `token_folder_open` and `token_foreign`, and the system's error where there is none.
 */
export async function assertFolderClosed(
  folder: string,
  options: Pick<TokenFileOptions, "posix" | "uid">,
): Promise<void> {
  if (options.posix === false) return;
  const facts = await stat(folder);
  const { mode } = facts;
  assertOwner(folder, facts, options);
  if ((mode & 0o022) === 0 || (mode & 0o1000) !== 0) return;
  throw new ConfigError(
    "token_folder_open",
    `Expected ${folder} to be writable by its owner only, got mode ${octal(mode)}: others could replace the ` +
      `token there. Run: chmod 700 ${folder}`,
    { details: { path: folder } },
  );
}

/** Keeps K4. Contract: throws ConfigError `token_foreign`. */
function assertOwner(
  path: string,
  facts: { readonly uid: number },
  options: Pick<TokenFileOptions, "posix" | "uid">,
): void {
  const me = options.posix === false ? null : options.uid === undefined ? currentUid() : options.uid;
  if (isOwnOrRoots(facts, me)) return;
  throw new ConfigError(
    "token_foreign",
    `Expected ${path} to belong to user ${me} (you) or to root, got user ${facts.uid}, who could read or replace the ` +
      "token. Point TROUPE_HOME (or the config key server.token_file) to a place of your own.",
    { details: { path, config_key: "server.token_file" } },
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function exposed(path: string, mode: number): ConfigError {
  return new ConfigError(
    "token_exposed",
    `Expected ${path} to be readable by its owner only, got mode ${octal(mode)}. If others use this machine, ` +
      `delete the file, so that a new token is made; otherwise run: chmod 600 ${path}`,
    { details: { path } },
  );
}

function malformed(path: string): ConfigError {
  return new ConfigError(
    "token_malformed",
    `Expected ${path} to hold 64 hexadecimal digits and nothing else. Delete the file, so that a new token is made.`,
    { details: { path } },
  );
}

function unreadable(path: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(
    "token_unreadable",
    `Expected to read the server's token from ${path}, got: ${why}. Mend the file's owner and mode (0600), ` +
      "or point the config key server.token_file elsewhere.",
    { cause, details: { path, config_key: "server.token_file" } },
  );
}
