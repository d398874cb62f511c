// Where Troupe's own files lie: the home of this person's Troupe, with token and config, and the store, with everything.
// No tool reads them, and no workspace of a terminal may hold them.

import { isAbsolute, join } from "node:path";
import { AUDIT_SUFFIX } from "./audited.ts";
import { CONFIG_FILE, troupeHome, type Environment } from "./config/load.ts";
import type { StoreSettings } from "./core/settings.ts";
import { isWithin } from "./sandbox/bubblewrap-argv.ts";
import { PARTS_SUFFIX } from "./store/audit-parts.ts";
import { placesOf, resolvedPath } from "./toolsets/file-policy.ts";

/** A database and the files beside it. */
const STORE_SUFFIXES = [
  "",
  "-wal",
  "-shm",
  "-journal",
  ".lock",
  ".lock-journal",
  ".owner",
  AUDIT_SUFFIX,
  `${AUDIT_SUFFIX}${PARTS_SUFFIX}`,
] as const;

/** Of the config: both may lie outside of the home. */
export interface OwnFiles extends Pick<StoreSettings, "path"> {
  /** `server.token_file`. */
  readonly tokenFile: string;
}

/** Absolute, links resolved. Contract: never throws; a file that is not there yet is named too. */
export async function ownPaths(env: Environment, { path, tokenFile }: OwnFiles): Promise<readonly string[]> {
  const [home] = await homesOf(env);
  const token = isAbsolute(tokenFile) ? tokenFile : home && join(home, tokenFile);
  const tokens = token === undefined ? [] : [await resolvedPath(token), await resolvedPath(`${token}s`)];
  const store = path === null ? null : await resolvedPath(path);
  const files = store === null ? [] : STORE_SUFFIXES.map((suffix) => `${store}${suffix}`);
  const outside = [...tokens, ...files].filter((each) => home === undefined || !isWithin(each, home));
  return [...(home === undefined ? [] : [home]), ...outside];
}

/**
 * The config of this server and the one that the next start would find, with the links that lead there: no tool writes
 * them. Contract: absolute, links of their folders resolved; never throws.
 */
export async function configPaths(file: string | null, cwd: string): Promise<readonly string[]> {
  const paths = [...(file === null ? [] : [file]), join(cwd, CONFIG_FILE)];
  return [...new Set((await Promise.all(paths.map(placesOf))).flat())];
}

/** Nothing when the environment names no home. */
async function homesOf(env: Environment): Promise<readonly string[]> {
  try {
    return [await resolvedPath(troupeHome(env))];
  } catch {
    return [];
  }
}
