// Where the worktrees of tasks lie. Pure.
//
// Not in Troupe's home, which no tool may touch; and where root runs the server, not in root's own home either: commands
// run as another user, who must be able to enter.

import { isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import type { Config } from "../core/config-schema.ts";
import type { Settings } from "../core/settings.ts";
import { homeOf, type Environment } from "./load.ts";

/** For a server of root. */
const OF_ROOT = "/srv/troupe/worktrees";

export interface WorktreeFolderQuestion {
  readonly config: Config;
  readonly env: Environment;
  /** What a written folder is relative to. */
  readonly baseDir: string;
  /** The user that this process acts as; `null` where the system has no such numbers. */
  readonly uid: number | null;
}

/** None where no folder is known. Contract: throws ConfigError `worktree_folder_in_home`. */
export function worktreeFolderOf(question: WorktreeFolderQuestion): Pick<Settings, "worktreeFolder"> {
  const { config, env, baseDir } = question;
  const written = config.delegation.worktree_folder;
  const home = homeOf(env);
  if (written !== undefined) {
    const folder = resolve(baseDir, written);
    if (home === null || !(isIn(folder, home) || isIn(home, folder))) return { worktreeFolder: folder };
    throw new ConfigError(
      "worktree_folder_in_home",
      `Expected delegation.worktree_folder to be outside of Troupe's home ${home}, which no tool may touch, got ${folder}. Name another folder, or leave the key out.`,
      { details: { config_key: "delegation.worktree_folder" } },
    );
  }
  const folder = defaultFolder(question);
  if (folder === null) return {};
  return { worktreeFolder: home !== null && isIn(folder, home) ? `${home}-worktrees` : folder };
}

function defaultFolder({ env, uid }: WorktreeFolderQuestion): string | null {
  const data = env["XDG_DATA_HOME"];
  if (data !== undefined && isAbsolute(data)) return join(data, "troupe/worktrees");
  if (uid === 0) return OF_ROOT;
  const home = env["HOME"];
  return home === undefined || !isAbsolute(home) ? null : join(home, ".local/share/troupe/worktrees");
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
