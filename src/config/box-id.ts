// The box's own id: a file in Troupe's home, made once. Workspaces name the box that they lie on, so an id that changed
// would leave every task of the last start to nobody. It is no secret.
//
// B1. An id that was read is the one that was written: a damaged file is refused, never replaced, because the tasks of
//     the old id would be lost with it.
// B2. Two servers that start at once agree on one id.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { ConfigError, messageOf } from "../base/errors.ts";
import { newId, type Random } from "../base/ids.ts";
import { createWhole, ensureFolder } from "../base/own-file.ts";
import { currentUid, isOwnOrRoots } from "../base/owner.ts";

export const BOX_ID_FILE = "box-id";

const BOX_ID = /^box_[0-9a-f]{32}$/;
/** An id, its newline, and one byte more, which shows that the file holds something else. */
const MOST_BYTES = 38;

export interface BoxIdOptions {
  /** Absolute path of the file. */
  readonly path: string;
  readonly random: Random;
  /** Whose file it has to be; this process's user when absent, `null` for a system without owners. */
  readonly uid?: number | null;
}

/**
 * Reads the id, or makes it where there is none.
 * Contract: throws ConfigError `box_id_malformed`, `box_id_foreign`, `box_id_unreadable` and `box_id_unwritable`; never
 * changes an existing file (keeps B1).
 */
export async function loadOrCreateBoxId(options: BoxIdOptions): Promise<string> {
  const { path, random } = options;
  const existing = await loadBoxId(options);
  if (existing !== null) return existing;
  const boxId = newId("box", random);
  try {
    await ensureFolder(dirname(path));
    if (await createWhole(path, `${boxId}\n`, random)) return boxId;
  } catch (error) {
    throw new ConfigError(
      "box_id_unwritable",
      `Expected to write the id of this box to ${path}, got: ${messageOf(error)}. Make that folder writable, point ` +
        "TROUPE_HOME to one that is, or keep everything in memory with store.durability: none.",
      { cause: error, details: { path, config_key: "store.durability" } },
    );
  }
  // Another server was first (keeps B2).
  const other = await loadBoxId(options);
  if (other !== null) return other;
  throw unreadable(path, "it comes and goes; stop what deletes it");
}

async function loadBoxId({ path, uid = currentUid() }: BoxIdOptions): Promise<string | null> {
  let file;
  try {
    // Non-blocking, so that a pipe in the file's place cannot hang us.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(path, messageOf(error), error);
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw unreadable(path, "it is not a regular file");
    if (!isOwnOrRoots(facts, uid)) throw foreign(path, facts.uid, uid);
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(MOST_BYTES), position: 0 });
    const text = new TextDecoder().decode(buffer.subarray(0, bytesRead)).trimEnd();
    if (!BOX_ID.test(text)) throw malformed(path);
    return text;
  } finally {
    await file.close();
  }
}

function malformed(path: string): ConfigError {
  return new ConfigError(
    "box_id_malformed",
    `Expected ${path} to hold box_ and 32 hexadecimal digits, got something else. Put the old file back, for the ` +
      "store's tasks belong to that id; or delete it for a new one: their results stay readable, but none of them goes on.",
    { details: { path } },
  );
}

function foreign(path: string, owner: number, me: number | null): ConfigError {
  return new ConfigError(
    "box_id_foreign",
    `Expected ${path} to belong to user ${me} (you) or to root, got user ${owner}. Point TROUPE_HOME to a folder of your own.`,
    { details: { path } },
  );
}

function unreadable(path: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(
    "box_id_unreadable",
    `Expected to read the id of this box from ${path}, got: ${why}. Make it a file that you may read.`,
    { cause, details: { path } },
  );
}
