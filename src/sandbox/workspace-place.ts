// Where a workspace really is before it is mounted, and what of it must stay as it is: other sandboxes may be writing
// to the same folders at this moment, and a link that they swap in must not become a mount.
//
// P1. A place is what the kernel says an opened descriptor led to, with the number of what was opened; whoever mounts
//     the path checks that number again from inside, so that a swap in between opens nothing.
// P2. Pinned: git's configuration and hooks (git outside of the sandbox runs what they name) and Troupe's own config.
//     A link in the place of one of them is not followed.

import { constants, lstat, open, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ToolError, messageOf } from "../base/errors.ts";
import { isWithin, workspaceProblem, type Pin } from "./bubblewrap-argv.ts";

export interface Place {
  readonly path: string;
  /** `device:inode`, as `stat -c %d:%i` writes it. */
  readonly mark: string;
  readonly uid: number;
  readonly gid: number;
}

export interface PlacedPin extends Pin {
  /** Of what is shown at the path; `null` where that is a folder made for the sandbox. */
  readonly mark: string | null;
}

function noWorkspace(workspace: string, why: string): ToolError {
  return new ToolError("no_workspace", `No command can run in the workspace ${workspace}: ${why}.`);
}

/** Contract: throws ToolError `no_workspace`. Keeps P1. */
export async function placeOf(folder: string): Promise<Place> {
  let handle;
  try {
    handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw noWorkspace(folder, messageOf(error));
  }
  try {
    const [path, found] = await Promise.all([
      readlink(`/proc/self/fd/${handle.fd}`),
      handle.stat({ bigint: true }),
    ]);
    const { dev, ino, uid, gid } = found;
    return { path, mark: `${dev}:${ino}`, uid: Number(uid), gid: Number(gid) };
  } catch (error) {
    throw noWorkspace(folder, messageOf(error));
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

/** The workspace's place, when commands may run there. Contract: throws ToolError `no_workspace`. */
export async function workspacePlace({ workspace, workspaceRoot, own }: WorkspaceQuestion): Promise<Place> {
  const place = await placeOf(workspace);
  const { path } = place;
  if (workspaceRoot !== undefined && !isWithin(path, (await placeOf(workspaceRoot)).path)) {
    throw noWorkspace(workspace, `it leads out of ${workspaceRoot}, the root that this box serves`);
  }
  const problem = workspaceProblem(path);
  if (problem !== null) throw noWorkspace(workspace, problem);
  const held = own.find((each) => isWithin(each, path) || isWithin(path, each));
  if (held === undefined) return place;
  throw noWorkspace(
    workspace,
    `it holds or is Troupe's own ${held} (token, store); use another workspace, or point TROUPE_HOME and store.path elsewhere`,
  );
}

/** What is to stay as it is in a workspace. Contract: never throws; what is not there needs no pin. Keeps P2. */
export async function pinsOf(workspace: string, kept: readonly string[]): Promise<readonly PlacedPin[]> {
  const git = join(workspace, ".git");
  const paths = kept.filter((path) => isWithin(path, workspace) && path !== workspace);
  const inside = new Set<string>(paths.flatMap((path) => foldersBetween(workspace, path)));
  const pins: PlacedPin[] = [];
  if ((await kindOf(git)) === "folder") {
    inside.add(git);
    const hooks = join(git, "hooks");
    if ((await kindOf(hooks)) === "none") pins.push({ path: hooks, kind: "empty_folder", mark: null });
    paths.push(...["config", "config.worktree", "hooks"].map((name) => join(git, name)));
  } else paths.push(git);
  const folders = await Promise.all([...inside].toSorted().map((path) => pin(path, "in_place")));
  const files = await Promise.all(paths.map((path) => pin(path, "read_only")));
  return [...folders, ...files].filter((each) => each !== null).concat(pins);
}

async function pin(path: string, kind: Pin["kind"]): Promise<PlacedPin | null> {
  try {
    const found = await lstat(path, { bigint: true });
    if (!found.isFile() && !found.isDirectory()) return null;
    return { path, kind, mark: `${found.dev}:${found.ino}` };
  } catch {
    return null;
  }
}

async function kindOf(path: string): Promise<"folder" | "other" | "none"> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "other";
  } catch {
    return "none";
  }
}

/** The folders above a path, below the workspace. */
function foldersBetween(workspace: string, path: string): readonly string[] {
  const above = dirname(path);
  return above === workspace ? [] : [...foldersBetween(workspace, above), above];
}
