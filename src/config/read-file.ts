// Reads a config file, whatever stands in its place: a pipe, a device or an endless file must not hang or fill us.
//
// R1. Only a regular file is read, and at most one byte over the cap.
// R2. A file that nobody named counts only when this person (or root) wrote it and nobody else can: whoever owns the
//     config decides where keys and tokens go.

import { constants } from "node:fs";
import { lstat, open, type FileHandle } from "node:fs/promises";
import { ConfigError, messageOf } from "../base/errors.ts";
import { distrust, isOwnOrRoots } from "../base/owner.ts";

/** A config has no use for more: long instructions stand in files of their own. */
export const MAX_CONFIG_BYTES = 131_072;

export interface ReadFileOptions {
  /** Whether a person named this very file; one that was merely found must be this person's (keeps R2). */
  readonly named: boolean;
  /** The user that reads; `null` where the system has no owners. */
  readonly uid: number | null;
}

/** Whether the system said that there is no such file, or no folder where one would be. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(file: string, why: string, cause?: unknown): ConfigError {
  const message = `Expected to read ${file}, got: ${why}. Make it a file that you may read.`;
  return new ConfigError("config_unreadable", message, { cause, details: { file } });
}

function untrusted(file: string, why: string): ConfigError {
  return new ConfigError(
    "config_untrusted",
    `Expected ${file} to be yours alone, but it ${why}, and a config decides where your keys go. Look at it; then ` +
      `make it yours (chown, chmod go-w), name it (--config ${file}), or start from another folder.`,
    { details: { file } },
  );
}

async function readStart(handle: FileHandle): Promise<string | null> {
  const bytes = new Uint8Array(MAX_CONFIG_BYTES + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length > MAX_CONFIG_BYTES ? null : new TextDecoder().decode(bytes.subarray(0, length));
}

/**
 * The text of the file; `null` where there is none.
 * Contract: throws ConfigError `config_unreadable`, and `config_untrusted` for a file that nobody named.
 */
export async function readConfigFile(file: string, options: ReadFileOptions): Promise<string | null> {
  const { named, uid } = options;
  let handle: FileHandle | null = null;
  try {
    // Whoever made a link decides what it leads to.
    const link = await lstat(file);
    if (!named && !isOwnOrRoots(link, uid)) throw untrusted(file, distrust(link, uid) ?? "is a link");
    // Without waiting for a pipe's writer; what was opened is what is looked at (keeps R1).
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const facts = await handle.stat();
    if (!facts.isFile()) throw unreadable(file, "it is not a regular file");
    const why = named ? null : distrust(facts, uid);
    if (why !== null) throw untrusted(file, why);
    const text = await readStart(handle);
    if (text === null) throw unreadable(file, `more than ${MAX_CONFIG_BYTES} bytes`);
    return text;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (isMissing(error)) return null;
    throw unreadable(file, messageOf(error), error);
  } finally {
    await handle?.close();
  }
}
