// A name in a folder of the workspace that is to be written, moved or deleted. The folder is opened and verified
// (workspace.ts); the name is only ever reached through that folder's descriptor, and no link at it is followed.
//
// L1. Nothing is changed but a name in a folder that was inside the workspace when it was opened, and is there still.
// L2. A file appears whole or not at all: it is written beside its place under a name of ours, then linked or renamed.
// L3. What was not there is made only where nothing is; what was there is replaced only while it is what was looked at.
// L4. A file that is made is 0600 and a folder 0700 under any umask; one that is replaced keeps its mode.

import { constants, type BigIntStats } from "node:fs";
import { link, lstat, mkdir, open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import { ToolError } from "../base/errors.ts";
import { MAX_EDITED_BYTES, writeError } from "./file-refusals.ts";
import { isDraft } from "./file-draft.ts";
import { versionOf } from "./file-versions.ts";
import { refuse, whereItLed, type FilePolicy, type Opened, type Workspace } from "./workspace.ts";

/** More folders than this are not made for one file. */
const MAX_NEW_FOLDERS = 32;
const PERMISSIONS = 0o777;

export interface SlotReach {
  readonly workspace: Workspace;
  /** Says what may not be written, as a FilePolicy does. */
  readonly policy: FilePolicy;
}

export interface Slot {
  readonly folder: Opened;
  readonly name: string;
  /** Relative to the workspace, links of its folders resolved. */
  readonly path: string;
  /** The same, absolute. */
  readonly place: string;
  /** Through the descriptor of the folder. */
  readonly at: string;
}

/** A regular file as it was when it was looked at. */
export interface Present {
  readonly version: string;
  readonly size: number;
  /** What it holds; `null` when it is longer than what can be edited. */
  readonly bytes: Uint8Array | null;
  readonly found: BigIntStats;
}

/**
 * Opens the folder of a path for `use` and closes it after; with `make`, folders that are missing are made.
 * Contract: throws ToolError; `kept_back` where the policy says no.
 */
export async function withSlot<T>(
  { reach, make = false }: { readonly reach: SlotReach; readonly make?: boolean },
  written: string,
  use: (slot: Slot) => Promise<T>,
): Promise<T> {
  const path = reach.workspace.relative(written);
  if (path === "." || path.endsWith("/")) {
    throw refuse("not_a_file", `Expected the path of a file, like src/main.ts, got the folder ${path}.`);
  }
  const above = posix.dirname(path);
  if (make) await makeFolders(reach, path);
  return reach.workspace.withFolder(above, (folder) => {
    const name = posix.basename(path);
    return use({ ...namedIn(folder, name, reach), folder, name, at: `${folder.descriptorPath}/${name}` });
  });
}

/** Contract: throws ToolError `kept_back`. */
function namedIn(folder: Opened, name: string, { policy }: SlotReach): { path: string; place: string } {
  const path = folder.path === "." ? name : `${folder.path}/${name}`;
  const served = folder.served === "." ? name : `${folder.served}/${name}`;
  const place = posix.join(folder.place, name);
  const denied = isDraft(name)
    ? "such names are Troupe's own, for files that are being written."
    : policy(served, place);
  if (denied !== null) throw refuse("kept_back", `${path} may not be written: ${denied}`);
  return { path, place };
}

/** Makes the folders above a path; none of them where the path itself may not be written. */
async function makeFolders(reach: SlotReach, path: string): Promise<void> {
  const missing: string[] = [];
  let at = posix.dirname(path);
  for (; at !== "." && !(await isThere(reach, at)); at = posix.dirname(at)) missing.push(at);
  if (missing.length === 0) return;
  if (missing.length > MAX_NEW_FOLDERS) {
    throw refuse("bad_path", `Expected at most ${MAX_NEW_FOLDERS} new folders, got ${missing.length}.`);
  }
  await reach.workspace.withFolder(at, (folder) => {
    namedIn(folder, posix.relative(at, path), reach);
    return Promise.resolve();
  });
  for (const folder of missing.toReversed()) await makeFolder(reach, folder);
}

async function isThere({ workspace }: SlotReach, path: string): Promise<boolean> {
  try {
    await workspace.withFolder(path, () => Promise.resolve());
    return true;
  } catch (error) {
    if (error instanceof ToolError && error.code === "not_found") return false;
    throw error;
  }
}

function makeFolder(reach: SlotReach, path: string): Promise<void> {
  return reach.workspace.withFolder(posix.dirname(path), async (folder) => {
    const name = posix.basename(path);
    namedIn(folder, name, reach);
    const at = `${folder.descriptorPath}/${name}`;
    try {
      await mkdir(at, { mode: 0o700 });
    } catch (error) {
      // Somebody else made it; what it is shows when it is opened.
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
      throw writeError(error, path);
    }
    const made = await open(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await made.chmod(0o700);
      await give(made, await folder.handle.stat({ bigint: true }));
    } finally {
      await made.close();
    }
  });
}

/** A server that runs as root makes files for the owner of the folder, as a person of that folder would. */
async function give(handle: FileHandle, to: BigIntStats): Promise<void> {
  const own = await handle.stat({ bigint: true });
  if (own.uid === to.uid && own.gid === to.gid) return;
  // Only root may; for anybody else the file is whose it is.
  await handle.chown(Number(to.uid), Number(to.gid)).catch(() => {});
}

/**
 * The regular file at the name, or `null` where nothing is.
 * Contract: throws ToolError `is_link` or `not_a_file` for anything else, and the signal's reason.
 */
export async function look({ at, path }: Slot, signal: AbortSignal): Promise<Present | null> {
  // Looked at before it is opened: to open a pipe is to set its writer going.
  const before = await statOf(at, path);
  if (before === null) return null;
  if (before.isSymbolicLink()) {
    throw refuse("is_link", `${path} is a link, and links are not written through. Name what it leads to.`);
  }
  const notFile = `Expected ${path} to be a file. It is ${before.isDirectory() ? "a folder" : "no regular file"}.`;
  if (!before.isFile()) throw refuse("not_a_file", notFile);
  let handle: FileHandle;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
    handle = await open(at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    throw writeError(error, path);
  }
  try {
    const found = await handle.stat({ bigint: true });
    if (!found.isFile()) throw refuse("not_a_file", notFile);
    const version = await versionOf(handle, signal);
    const size = Number(found.size);
    const bytes = size > MAX_EDITED_BYTES ? null : await bytesOf(handle, size);
    return { version, size, bytes, found };
  } finally {
    await handle.close();
  }
}

async function bytesOf(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let read = 0;
  while (read < size) {
    const { bytesRead } = await handle.read(bytes, read, size - read, read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

async function statOf(at: string, path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(at, { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw writeError(error, path);
  }
}

/** Keeps L1 and L3: what was looked at is there as it was. Contract: throws ToolError `conflict`. */
async function unchanged({ at, path, folder }: Slot, present: Present | null): Promise<void> {
  const now = await statOf(at, path);
  const { ino, size, mtimeNs, ctimeNs } = present?.found ?? {};
  const same =
    now === null
      ? present === null
      : now.ino === ino && now.size === size && now.mtimeNs === mtimeNs && now.ctimeNs === ctimeNs;
  if (same && (await whereItLed(folder.handle)) === folder.place) return;
  throw refuse("conflict", `${path} was changed by somebody else just now. Read it again, then decide anew.`);
}

export interface Draft {
  readonly bytes: Uint8Array;
  /** What is replaced; `null` makes a file. */
  readonly over: Present | null;
  /** A name of ours, from `draftName`. */
  readonly draft: string;
  readonly signal: AbortSignal;
}

/** Writes the whole file (keeps L1-L4). Contract: throws ToolError `conflict`, `cannot_write`; the signal's reason. */
export async function put(slot: Slot, { bytes, over, draft, signal }: Draft): Promise<void> {
  const beside = `${slot.folder.descriptorPath}/${draft}`;
  try {
    // What an earlier try of the same call left behind when the server died.
    await unlink(beside).catch(() => {});
    await write(beside, slot, { bytes, over });
    signal.throwIfAborted();
    await unchanged(slot, over);
    // A link fails where a name exists, a rename replaces it.
    if (over === null) await link(beside, slot.at);
    else await rename(beside, slot.at);
  } catch (error) {
    throw signal.aborted ? signal.reason : writeError(error, slot.path);
  } finally {
    await unlink(beside).catch(() => {});
  }
}

async function write(beside: string, slot: Slot, { bytes, over }: Pick<Draft, "bytes" | "over">) {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await give(handle, over?.found ?? (await slot.folder.handle.stat({ bigint: true })));
    // After the owner: a change of the owner may take bits away.
    await handle.chmod(over ? Number(over.found.mode) & PERMISSIONS : 0o600);
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Takes the name away. Contract: throws ToolError `conflict` when it is no longer what was looked at. */
export async function remove(slot: Slot, present: Present): Promise<void> {
  await unchanged(slot, present);
  await unlink(slot.at).catch((error: unknown) => {
    throw writeError(error, slot.path);
  });
}

/** Gives the file another name, never one that is taken. Contract: throws ToolError `conflict`, `cannot_write`. */
export async function move(from: Slot, to: Slot, present: Present): Promise<void> {
  await unchanged(from, present);
  await unchanged(to, null);
  try {
    await link(from.at, to.at);
  } catch (error) {
    throw writeError(error, to.path);
  }
  await unlink(from.at).catch((error: unknown) => {
    throw writeError(error, from.path);
  });
}
