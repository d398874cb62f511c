// Where a workspace really is before it is mounted, and what of it must stay as it is: other sandboxes may be writing
// to the same folders at this moment, and a link that they swap in must not become a mount.
//
// P1. A place is what the kernel says an opened descriptor led to, with the number of what was opened; whoever mounts
//     the path checks that number again from inside, so that a swap in between opens nothing.
// P2. Pinned: git's whole folder, those of repositories inside, and Troupe's own config. Git outside of the sandbox runs
//     what its folder names, and besides `config` and `hooks` there are `commondir`, `config.worktree` and the submodules'
//     own, some of them not there yet. What cannot be pinned where it stands, like a link, closes the sandbox.
// P3. No workspace lies in a folder whose files no agent may read or write.

import { constants, lstat, open, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ToolError, messageOf } from "../base/errors.ts";
import type { ShownFolder } from "../core/sandbox.ts";
import { isWithin, workspaceProblem, type Pin } from "./bubblewrap-argv.ts";
import { innerGitPlaces } from "./inner-repositories.ts";

export interface Place {
  readonly path: string;
  /** `device:inode`, as `stat -c %d:%i` writes it. */
  readonly mark: string;
  readonly uid: number;
  readonly gid: number;
}

export interface PlacedPin extends Pin {
  /** Of what is shown at the path. */
  readonly mark: string;
}

function noWorkspace(workspace: string, why: string): ToolError {
  return new ToolError("no_workspace", `No command can run in the workspace ${workspace}: ${why}.`);
}

/** Contract: throws what `refuse` makes of the reason, ToolError `no_workspace` unless told. Keeps P1. */
export async function placeOf(
  folder: string,
  refuse: (folder: string, why: string) => ToolError = noWorkspace,
): Promise<Place> {
  let handle;
  try {
    handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw refuse(folder, messageOf(error));
  }
  try {
    const [path, found] = await Promise.all([
      readlink(`/proc/self/fd/${handle.fd}`),
      handle.stat({ bigint: true }),
    ]);
    const { dev, ino, uid, gid } = found;
    return { path, mark: `${dev}:${ino}`, uid: Number(uid), gid: Number(gid) };
  } catch (error) {
    throw refuse(folder, messageOf(error));
  } finally {
    await handle.close();
  }
}

export interface WorkspaceQuestion {
  readonly workspace: string;
  readonly workspaceRoot?: string;
  /** Folders and files that are Troupe's own: home, store. */
  readonly own: readonly string[];
}

/** Folders of keys and of git, in which whatever is written or read would get around the pins and the file tools. */
const CLOSED: ReadonlySet<string> = new Set([".git", ".ssh", ".gnupg", ".aws"]);

/** The workspace's place, when commands may run there. Contract: throws ToolError `no_workspace`. Keeps P3. */
export async function workspacePlace({ workspace, workspaceRoot, own }: WorkspaceQuestion): Promise<Place> {
  const place = await placeOf(workspace);
  const { path } = place;
  if (workspaceRoot !== undefined && !isWithin(path, (await placeOf(workspaceRoot)).path)) {
    throw noWorkspace(workspace, `it leads out of ${workspaceRoot}, the root that this box serves`);
  }
  const problem = workspaceProblem(path);
  if (problem !== null) throw noWorkspace(workspace, problem);
  const closed = path.split("/").find((name) => CLOSED.has(name.toLowerCase()));
  if (closed !== undefined) {
    throw noWorkspace(workspace, `it is or lies in ${closed}, which no agent may touch; use another folder`);
  }
  const held = own.find((each) => isWithin(each, path) || isWithin(path, each));
  if (held === undefined) return place;
  throw noWorkspace(
    workspace,
    `it holds or is Troupe's own ${held} (token, store); use another workspace, or point TROUPE_HOME and store.path elsewhere`,
  );
}

/** What is to stay as it is in a workspace. Contract: throws ToolError `no_workspace` for what cannot. Keeps P2. */
export async function pinsOf(workspace: string, kept: readonly string[]): Promise<readonly PlacedPin[]> {
  const inner = await innerGitPlaces(workspace).catch((error: unknown) => {
    throw noWorkspace(workspace, messageOf(error));
  });
  const files = [
    join(workspace, ".git"),
    ...inner,
    ...kept.filter((path) => isWithin(path, workspace) && path !== workspace),
  ];
  const folders = [...new Set(files.flatMap((path) => foldersBetween(workspace, path)))].toSorted();
  const pins = await Promise.all([
    ...folders.map((path) => pin(workspace, path, "in_place")),
    ...files.map((path) => pin(workspace, path, "read_only")),
  ]);
  return pins.filter((each) => each !== null);
}

/**
 * Folders beside the workspace, as they are mounted.
 * Contract: throws ToolError `no_workspace` for one that is not there, or that a link leads to. Keeps P1.
 */
export async function shownPins(shown: readonly ShownFolder[]): Promise<readonly PlacedPin[]> {
  return Promise.all(
    shown.map(async ({ path: from, at: path, writable }) => {
      const { path: led, mark } = await placeOf(from);
      if (led !== from) throw noWorkspace(from, `it leads to ${led}, and what is shown inside is no link`);
      return { path, from, mark, kind: writable ? "in_place" : "read_only" };
    }),
  );
}

/** `null` for what is not there. */
async function pin(workspace: string, path: string, kind: Pin["kind"]): Promise<PlacedPin | null> {
  const found = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw noWorkspace(workspace, `${path} cannot be kept as it is (${messageOf(error)})`);
  });
  if (found === null) return null;
  if (found.isFile() || found.isDirectory()) return { path, kind, mark: `${found.dev}:${found.ino}` };
  const advice = "put a file or folder there instead, or move it out of the workspace";
  throw noWorkspace(workspace, `${path} must be kept as it is and is no regular file or folder; ${advice}`);
}

function isMissing(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return code === "ENOENT" || code === "ENOTDIR";
}

/** The folders above a path, below the workspace. */
function foldersBetween(workspace: string, path: string): readonly string[] {
  const above = dirname(path);
  return above === workspace ? [] : [...foldersBetween(workspace, above), above];
}
