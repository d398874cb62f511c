// Files of checkouts and of git's own folders that a program may have filled which is not trusted: whose they are, what
// stands in them, copies of them. No link is followed at the name that is asked for.

import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import {
  chmod,
  cp,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  realpath,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

/** What `stat` counts in, whatever the file system does. */
const BLOCK_BYTES = 512;
const ENTER = 0o1;
const READ_AND_ENTER = 0o5;
const CHUNK_BYTES = 1024 * 1024;

/** A user and a group by their numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Of the thing itself, a link included. Contract: throws the system's error where nothing is. */
export async function ownerOf(path: string): Promise<Owner> {
  const { uid, gid } = await lstat(path);
  return { uid, gid };
}

/** What cannot be looked at is `other`: it may be there, and nobody may take it for gone. Contract: never throws. */
export async function kindAt(path: string): Promise<"folder" | "file" | "link" | "other" | "none"> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) return "folder";
    if (found.isSymbolicLink()) return "link";
    return found.isFile() ? "file" : "other";
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    return code === "ENOENT" || code === "ENOTDIR" ? "none" : "other";
  }
}

/** Whether a folder is there and the path to it has no link. Contract: never throws. */
export async function isPlainFolder(path: string): Promise<boolean> {
  if ((await kindAt(path)) !== "folder") return false;
  return realpath(path).then(
    (real) => real === path,
    () => false,
  );
}

/**
 * Whether somebody can read a folder and enter all that lie above it, by their modes alone.
 * Contract: never throws; false where nothing is.
 */
export async function canRead(path: string, { uid, gid }: Owner): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const found = await lstat(at).catch(() => null);
    if (found === null) return false;
    const shift = found.uid === uid ? 6 : found.gid === gid ? 3 : 0;
    const needed = at === path ? READ_AND_ENTER : ENTER;
    if (((found.mode >> shift) & needed) !== needed) return false;
    if (at === dirname(at)) return true;
  }
}

/** Copies what is in a folder into another one, links as links. Contract: throws the system's error. */
export async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

/** Makes a folder that only its owner enters. Contract: throws the system's error, also where something is. */
export async function makeFor(path: string, to: Owner): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await lchown(path, to.uid, to.gid);
}

/** Gives one thing to somebody, a link itself included. Contract: throws the system's error. */
export async function give(path: string, to: Owner): Promise<void> {
  await lchown(path, to.uid, to.gid);
}

/** Gives a tree to somebody; nothing may be at work in it. Contract: throws the system's error, for one that is gone too. */
export async function giveTree(path: string, to: Owner): Promise<void> {
  await lchown(path, to.uid, to.gid);
  if ((await kindAt(path)) !== "folder") return;
  for (const name of await readdir(path)) await giveTree(join(path, name), to);
}

/** Makes the folder and what is missing above it, enterable by everybody and listable by nobody else. */
export async function ensureOpenFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o711 });
  if (first === undefined) return;
  // Past the umask, and only what was made here.
  for (let at = path; at.length >= first.length; at = dirname(at)) await chmod(at, 0o711);
}

/** The text of a regular file; `null` where there is none, or one longer than `mostBytes`. Contract: never throws. */
export async function shortText(path: string, mostBytes = 65_536): Promise<string | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      return found.isFile() && found.size <= mostBytes ? await handle.readFile("utf8") : null;
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}

/** Writes a file, whatever was there. Contract: throws the system's error. */
export async function putText(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

export async function moveTo(from: string, to: string): Promise<void> {
  await rename(from, to);
}

/** A new folder of our own beside a path, for what is to take its place. Contract: throws the system's error. */
export function folderBeside(path: string): Promise<string> {
  return mkdtemp(`${path}.`);
}

/**
 * Moves a folder to where one may be already, which somebody else made meanwhile: then that one stays.
 * Contract: throws the system's error for anything else that is in the way.
 */
export async function moveUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((await kindAt(to)) !== "folder") throw error;
    await rm(from, { recursive: true, force: true });
  }
}

/** Names of what is in a folder, sorted; none where there is no folder. Contract: never throws. */
export async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).then(
    (names) => names.toSorted(),
    () => [],
  );
}

/**
 * Bytes on the disk of everything below a path, what has two names counted twice; `null` for more than `most` things.
 * Contract: never throws; what cannot be read counts nothing.
 */
export async function bytesBelow(path: string, most = 200_000): Promise<number | null> {
  const waiting = [path];
  let bytes = 0;
  let seen = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    seen += 1;
    if (seen > most) return null;
    const folder = at;
    const found = await lstat(folder).catch(() => null);
    bytes += (found?.blocks ?? 0) * BLOCK_BYTES;
    if (found?.isDirectory()) waiting.push(...(await namesIn(folder)).map((name) => join(folder, name)));
  }
  return bytes;
}

/**
 * Copies a regular file as it is at the moment. Contract: throws an Error for anything else, also for what is larger
 * than `mostBytes`; nothing is left at `to` then.
 */
export async function copyRegular(from: string, to: string, mostBytes: number): Promise<number> {
  const handle = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const size = await sizeOf(handle, from, mostBytes);
    const chunk = new Uint8Array(Math.min(size, CHUNK_BYTES));
    const copy = await open(to, "w", 0o644);
    try {
      for (let at = 0; at < size;) {
        const { bytesRead } = await handle.read(chunk, 0, Math.min(size - at, CHUNK_BYTES), at);
        if (bytesRead === 0) throw new Error(`${from} became shorter while it was copied`);
        at += (await copy.write(chunk, 0, bytesRead, at)).bytesWritten;
      }
    } finally {
      await copy.close();
    }
    return size;
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function sizeOf(handle: FileHandle, path: string, mostBytes: number): Promise<number> {
  const found = await handle.stat();
  if (!found.isFile()) throw new Error(`${path} is no regular file`);
  if (found.size <= mostBytes) return found.size;
  throw new Error(`${path} has ${found.size} bytes, and ${mostBytes} are taken at most`);
}
