// Keys of the config that take a wall around agents away. An agent that writes files could write such a line too, for the
// next start, so they are believed of a config outside of the workspace only. What narrows stands anywhere.

import { resolve } from "node:path";
import { ConfigError } from "./base/errors.ts";
import type { Config } from "./core/config-schema.ts";
import { isWithin } from "./sandbox/bubblewrap-argv.ts";
import { resolvedPath } from "./toolsets/file-policy.ts";

/** Each key, and whether the config says more in it than the default. */
const WALL_KEYS: Readonly<Record<string, (tools: Config["tools"]) => boolean>> = {
  "tools.grants": ({ grants }) => grants.length > 0,
  "tools.file.allow": ({ file }) => file.allow.length > 0,
  "tools.terminal.unsafe": ({ terminal }) => terminal.unsafe,
  "tools.terminal.network": ({ terminal }) => terminal.network,
  "tools.terminal.mounts": ({ terminal }) => terminal.mounts.length > 0,
};

/** The keys by which this config takes walls away. Contract: pure. */
export function wallKeysIn({ tools }: Pick<Config, "tools">): readonly string[] {
  return Object.keys(WALL_KEYS).filter((key) => WALL_KEYS[key]?.(tools));
}

export interface ConfigPlace {
  readonly config: Pick<Config, "tools" | "workspace">;
  /** `null` for a config that came from no file. */
  readonly file: string | null;
  /** What its workspace is relative to. */
  readonly baseDir: string;
}

/** Contract: throws ConfigError `unsafe_in_workspace`, which names the keys. Links count as what they lead to. */
export async function refuseWallKeys({ config, file, baseDir }: ConfigPlace): Promise<void> {
  const keys = wallKeysIn(config);
  if (file === null || keys.length === 0) return;
  const [path, workspace] = await Promise.all([
    resolvedPath(file),
    resolvedPath(resolve(baseDir, config.workspace)),
  ]);
  if (!isWithin(path, workspace)) return;
  throw new ConfigError(
    "unsafe_in_workspace",
    `Expected ${keys.join(", ")} to stand in a config outside of the workspace, got ${keys.length > 1 ? "them" : "it"} in ${file}, ` +
      "which agents could write. Move the config to Troupe's home, or set workspace: to another folder.",
    { details: { file, config_keys: keys } },
  );
}
