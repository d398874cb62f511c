// What of the repositories in a workspace must stay as it is, beside its own `.git`: git outside enters each submodule
// when it is asked for the status of the whole, and each other repository when a person works there, and obeys the config
// that it finds. It looks at what git itself keeps, not at words that a task may change, and starts nothing.
//
// G1. Submodules are found wherever they are: they stand in git's index.
// G2. Other repositories are found in the first folders below the workspace, so that a large tree costs little.

import { lstat, open, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gitlinksIn } from "./git-index.ts";

const MAX_INDEX_BYTES = 128 * 1024 * 1024;
const MAX_TEXT_BYTES = 65_536;
/** Of one repository with all below it, and below one another. */
const MAX_SUBMODULES = 512;
const MAX_PLACES = 1_024;
const MAX_DEPTH = 8;
/** Folders that are looked into for repositories which are no submodules, and how deep. */
const MAX_FOLDERS = 5_000;
const FOLDER_DEPTH = 3;
const NOT_ENTERED: ReadonlySet<string> = new Set([".git", "node_modules"]);

/**
 * Absolute paths, each once: the `.git` of each repository below the workspace's top, and the folder of each submodule
 * that is not checked out. Contract: throws an Error that says what of its submodules cannot be looked at.
 */
export async function innerGitPlaces(workspace: string): Promise<readonly string[]> {
  const places: string[] = [];
  await collect({ workTree: workspace, depth: 0 }, places);
  for (const folder of await repositoriesBelow(workspace)) {
    const own: string[] = [];
    // A broken one must not close the workspace: tasks make repositories of their own, too.
    await collect({ workTree: folder, depth: 1 }, own).catch(() => {});
    places.push(join(folder, ".git"), ...own);
  }
  return [...new Set(places)].slice(0, MAX_PLACES);
}

/** Folders that hold a `.git`, the nearest first (keeps G2). */
async function repositoriesBelow(workspace: string): Promise<readonly string[]> {
  const found: string[] = [];
  let level = [workspace];
  let looked = 0;
  for (let depth = 0; depth <= FOLDER_DEPTH && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of level.slice(0, Math.max(0, MAX_FOLDERS - looked))) {
      looked += 1;
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
      const isOne = entries.some((entry) => entry.name === ".git" && (entry.isDirectory() || entry.isFile()));
      if (isOne && depth > 0) found.push(folder);
      const folders = entries.filter((entry) => entry.isDirectory() && !NOT_ENTERED.has(entry.name));
      next.push(...folders.map(({ name }) => join(folder, name)));
    }
    level = next;
  }
  return found;
}

async function collect(
  { workTree, depth }: { readonly workTree: string; readonly depth: number },
  places: string[],
): Promise<void> {
  const gitDir = await gitDirOf(workTree);
  if (gitDir === null) return;
  if (depth > MAX_DEPTH) throw new Error(`its submodules lie more than ${MAX_DEPTH} deep in one another`);
  for (const link of await linksOf(gitDir)) {
    const folder = join(workTree, link);
    const inner = join(folder, ".git");
    const isThere = (await kindOf(inner)) !== "none";
    if (!isThere && (await kindOf(folder)) !== "folder") continue;
    places.push(isThere ? inner : folder);
    if (places.length > MAX_SUBMODULES) throw new Error(`it has more than ${MAX_SUBMODULES} submodules`);
    await collect({ workTree: folder, depth: depth + 1 }, places);
  }
}

/** Where the repository of a checkout is; `null` where there is none. */
async function gitDirOf(workTree: string): Promise<string | null> {
  const git = join(workTree, ".git");
  const kind = await kindOf(git);
  if (kind === "folder") return git;
  if (kind !== "file") return null;
  const [, path] = /^gitdir: (.+?)\n*$/.exec(await textOf(git)) ?? [];
  return path === undefined ? null : resolve(workTree, path);
}

/** Of the index, and of those that it shares entries with. */
async function linksOf(gitDir: string): Promise<ReadonlySet<string>> {
  if ((await kindOf(gitDir)) !== "folder") return new Set();
  const names = (await readdir(gitDir)).filter((name) => /^(index|sharedindex\.\w+)$/.test(name));
  const isLong = /^\s*objectformat\s*=\s*sha256\s*$/im.test(await textOf(join(gitDir, "config")));
  const links = new Set<string>();
  for (const name of names) {
    const path = join(gitDir, name);
    try {
      const index = await bytesOf(path, MAX_INDEX_BYTES);
      for (const link of gitlinksIn(index, isLong ? 32 : 20)) links.add(link);
    } catch (error) {
      throw new Error(`${path} cannot be searched for submodules`, { cause: error });
    }
  }
  return links;
}

async function textOf(path: string): Promise<string> {
  return (await kindOf(path)) === "file" ? new TextDecoder().decode(await bytesOf(path, MAX_TEXT_BYTES)) : "";
}

/** Throws for a longer file. */
async function bytesOf(path: string, most: number): Promise<Uint8Array> {
  if ((await kindOf(path)) !== "file") throw new Error(`${path} is no regular file`);
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size > most) throw new Error(`${path} has more than ${most} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function kindOf(path: string): Promise<"file" | "folder" | "other" | "none"> {
  try {
    const found = await lstat(path);
    return found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
  } catch {
    return "none";
  }
}
