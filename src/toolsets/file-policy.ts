// Which files of a workspace no model gets to read: keys, logins, what a shell or git would run, and Troupe's own
// home. It judges where a file really is (workspace.ts resolves the links) and by names alone: it looks into no file,
// and a secret in a file of another name is not found.

import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { FilePolicy } from "./workspace.ts";

interface Rule {
  /** As a person would write it; it is named in the refusal. */
  readonly name: string;
  readonly file: RegExp;
}

/** Files by their name, in any folder. */
const FILES: readonly Rule[] = [
  { name: ".env and .env.*", file: /^\.env(\.(?!example$).*)?$/ },
  { name: "*.pem", file: /\.pem$/ },
  { name: "*.key", file: /\.key$/ },
  { name: "id_rsa* and id_ed25519*", file: /^id_(rsa|dsa|ecdsa|ed25519)/ },
  { name: "logins", file: /^([._]netrc|\.npmrc|\.pypirc|\.pgpass|\.git-credentials)$/ },
  { name: ".mcp.json", file: /^\.mcp\.json$/ },
  {
    name: "shell start-up files",
    file: /^\.((bash|zsh|ksh|csh|tcsh)rc|profile|bash_(profile|login|logout|aliases)|z(shenv|profile|login|logout)|login|logout)$/,
  },
  { name: "shell histories", file: /^\.(bash|zsh|sh)_history$/ },
];

/** Folders with everything below them. */
const FOLDERS: ReadonlySet<string> = new Set([".ssh", ".gnupg", ".aws"]);
/** Below any `.git`, the submodules' folders included: addresses with logins in them, and programs. */
const OF_GIT: ReadonlySet<string> = new Set(["config", "config.worktree", "hooks"]);

export interface SecretFilesOptions {
  /** Absolute paths of folders that are Troupe's own, links resolved. */
  readonly homes: readonly string[];
}

/** The policy that a Troupe runs with. Contract: never throws; reads nothing. */
export function secretFiles({ homes }: SecretFilesOptions): FilePolicy {
  return (_path, absolutePath) => {
    const home = homes.find((each) => absolutePath === each || absolutePath.startsWith(`${each}/`));
    if (home !== undefined) return "it belongs to Troupe itself (its token and config); no config allows it.";
    const rule = ruleOf(absolutePath.toLowerCase().split("/"));
    return rule === null ? null : `the rule "${rule}" keeps it back, because such files hold secrets.`;
  };
}

function ruleOf(names: readonly string[]): string | null {
  const folder = names.find((name) => FOLDERS.has(name));
  if (folder !== undefined) return `${folder}/`;
  const git = names.indexOf(".git");
  const ofGit = git < 0 ? undefined : names.slice(git + 1).find((name) => OF_GIT.has(name));
  if (ofGit !== undefined) return `.git/${ofGit}`;
  const last = names.at(-1) ?? "";
  return FILES.find(({ file }) => file.test(last))?.name ?? null;
}

/**
 * A path as the kernel would write it, also when its last parts are not there yet.
 * Contract: never throws; what cannot be resolved stays as it is.
 */
export async function resolvedPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(await resolvedPath(above), basename(path));
  }
}

/**
 * Where a path leads, and the links on the way there: whoever replaces one of those replaces the file.
 * Contract: absolute, links of their folders resolved; never throws.
 */
export async function placesOf(path: string): Promise<readonly string[]> {
  const places = [await resolvedPath(path)];
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    const place = join(await resolvedPath(dirname(at)), basename(at));
    if (await isLink(place)) places.push(place);
  }
  return places;
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}
