// Finds and reads config.yaml: the path that was named, else ./config.yaml, else the one in Troupe's home.
// The first that exists counts; they are never merged. No file at all is fine: every key has a default.
// It resolves no secret and looks at no network. The one in the working directory must be this person's own, and not have
// appeared while agents worked there (unwritten.ts).

import { dirname, isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { currentUid } from "../base/owner.ts";
import { configSchema } from "../core/config-schema.ts";
import type { Config } from "../core/config-schema.ts";
import { checkConfig } from "./checks.ts";
import { parseConfigText } from "./document.ts";
import { problemsError } from "./problem.ts";
import { readConfigFile } from "./read-file.ts";
import { checkNotAppeared, trustConfig } from "./unwritten.ts";
import { validateConfig } from "./validate.ts";

/** The environment, as a parameter. */
export type Environment = Readonly<Record<string, string | undefined>>;

export const CONFIG_FILE = "config.yaml";

/** Troupe's home: the token, the config and the data of this person. Contract: throws ConfigError `no_home`. */
export function troupeHome(env: Environment): string {
  if (env["TROUPE_HOME"]) return resolve(env["TROUPE_HOME"]);
  const xdg = env["XDG_CONFIG_HOME"];
  // The XDG rules say that a relative path there is to be ignored.
  if (xdg && isAbsolute(xdg)) return join(xdg, "troupe");
  const home = env["HOME"] ?? env["USERPROFILE"];
  if (home) return join(home, ".config", "troupe");
  throw new ConfigError(
    "no_home",
    "Expected TROUPE_HOME, XDG_CONFIG_HOME or HOME to be set, got none of them. Set TROUPE_HOME to a folder.",
  );
}

export interface LoadOptions {
  readonly env: Environment;
  readonly cwd: string;
  /** The file that a person named; it must exist. */
  readonly path?: string;
  /** Names of the toolsets that exist; absent leaves them unchecked. */
  readonly toolsets?: readonly string[];
  /** The user whose config it is; the one of this process when absent, `null` for a system without owners. */
  readonly uid?: number | null;
  /** Reads a file in another way; `null` where there is none. */
  readonly readFile?: (path: string) => Promise<string | null>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute; `null` when there is none. */
  readonly file: string | null;
  /**
   * What relative paths of the config are relative to: the file's folder. For the config in Troupe's home, and for
   * none, it is the working directory: the home holds the token, and nobody works there.
   */
  readonly baseDir: string;
}

function candidates(options: LoadOptions): readonly string[] {
  if (options.path !== undefined) return [resolve(options.cwd, options.path)];
  const here = resolve(options.cwd, CONFIG_FILE);
  const home = homeOf(options.env);
  return home === null ? [here] : [here, join(home, CONFIG_FILE)];
}

function baseDirOf(file: string, { env, cwd }: LoadOptions): string {
  const folder = dirname(file);
  return folder === homeOf(env) ? resolve(cwd) : folder;
}

/** Contract: throws ConfigError `config_invalid` with all problems, each with its line and column. */
export function parseConfig(source: string, file: string, toolsets?: readonly string[]): Config {
  const parsed = parseConfigText(source);
  if (!parsed.ok) throw problemsError(file, parsed.problems);
  const { document } = parsed;
  const validated = validateConfig(document.value);
  const checkable = validated.ok ? validated.config : validated.rest;
  const findings = [
    ...(validated.ok ? [] : validated.findings),
    ...(checkable === null ? [] : checkConfig(checkable, toolsets)),
  ];
  if (validated.ok && findings.length === 0) return validated.config;
  throw problemsError(
    file,
    findings.map(({ path, at, message }) => ({
      ...document.placeOf(path, at),
      key: path.join("."),
      message,
    })),
  );
}

/** Throws ConfigError `config_appeared`. */
async function checkOrigin(file: string, { env, path }: LoadOptions): Promise<void> {
  const home = homeOf(env);
  if (home === null) return;
  await (path === undefined ? checkNotAppeared(home, file) : trustConfig(home, file));
}

/** Troupe's home, or `null` when the environment names none. Contract: never throws. */
export function homeOf(env: Environment): string | null {
  try {
    return troupeHome(env);
  } catch {
    return null;
  }
}

/**
 * The config of this person here.
 * Contract: throws ConfigError `config_missing` for a named file that is not there, `config_unreadable`,
 * `config_untrusted` for one in the working directory that others own or can write, `config_appeared` for one that an
 * agent may have written, and `config_invalid` with every problem of the file.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const uid = options.uid === undefined ? currentUid() : options.uid;
  const here = resolve(options.cwd, CONFIG_FILE);
  for (const file of candidates(options)) {
    const named = options.path !== undefined || file !== here;
    const source = await (options.readFile ?? ((path) => readConfigFile(path, { named, uid })))(file);
    if (source === null) continue;
    if (file === here) await checkOrigin(file, options);
    return { config: parseConfig(source, file, options.toolsets), file, baseDir: baseDirOf(file, options) };
  }
  if (options.path !== undefined) {
    const file = resolve(options.cwd, options.path);
    const message = `Expected a config at ${file}, got no such file. Write one with: troupe init`;
    throw new ConfigError("config_missing", message, { details: { file } });
  }
  return { config: configSchema.parse({}), file: null, baseDir: resolve(options.cwd) };
}
