// Where Troupe's own files lie: the home of this person's Troupe, with token and config, and the store, with everything.
// No tool reads them, and no workspace of a terminal may hold them.

import { join } from "node:path";
import { AUDIT_SUFFIX } from "./audited.ts";
import { CONFIG_FILE, troupeHome, type Environment } from "./config/load.ts";
import type { StoreSettings } from "./core/settings.ts";
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

/** Absolute, links resolved. Contract: never throws; a file that is not there yet is named too. */
export async function ownPaths(
  env: Environment,
  { path }: Pick<StoreSettings, "path">,
): Promise<readonly string[]> {
  const homes = await homesOf(env);
  if (path === null) return homes;
  const store = await resolvedPath(path);
  return [...homes, ...STORE_SUFFIXES.map((suffix) => `${store}${suffix}`)];
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
