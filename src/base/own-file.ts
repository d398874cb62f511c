// Small files that belong to one person and appear once: the token, the id of the box. It reads nothing and trusts
// nothing; who may own such a file is for its reader to check.
//
// O1. A file is readable by its owner only (0600), and a folder made for it is 0700, under any umask.
// O2. It appears whole or not at all: of two that make it at once, one does, and the other is told.

import { chmod, link, mkdir, open, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { toHex, type Random } from "./ids.ts";

/**
 * Writes a file that is not there yet (keeps O1, O2); its folder must be there.
 * Contract: false when somebody was first; throws the system's error where it cannot write.
 */
export async function createWhole(path: string, text: string, random: Random): Promise<boolean> {
  const draft = `${path}.${toHex(random.bytes(8))}`;
  const file = await open(draft, "wx", 0o600);
  try {
    try {
      // The mode above is cut by the umask; this one is not.
      await file.chmod(0o600);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link fails where a name exists, a rename would replace it.
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

/** Makes the folder and what is missing above it, each 0700 past the umask. Contract: throws the system's error. */
export async function ensureFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) throw error;
    await ensureFolder(dirname(folder));
    // Once more, not again and again: some places (/proc) say ENOENT whatever lies above.
    await makeFolder(folder);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Removes a file, or a folder with everything in it; links in it are not followed. Contract: fine where nothing is. */
export async function removeAll(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
