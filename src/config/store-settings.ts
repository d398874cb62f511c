// What the config says of the store, resolved: where it lies, what it survives, how long it keeps. Pure: opens nothing.

import { isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "../base/errors.ts";
import type { Config } from "../core/config-schema.ts";
import type { StoreSettings } from "../core/settings.ts";
import { troupeHome, type Environment } from "./load.ts";

const DAY_MS = 86_400_000;
const MIB = 1_048_576;

/** Contract: throws ConfigError `no_home` where the path is relative to a home that nobody named. */
export function storeSettings({ store }: Pick<Config, "store">, env: Environment): StoreSettings {
  return {
    path: store.durability === "none" ? null : storePath(store.path, env),
    durability: store.durability,
    keepMs: store.keep_days * DAY_MS,
    maxBytes: Math.min(store.max_mb * MIB, Number.MAX_SAFE_INTEGER),
  };
}

function storePath(written: string, env: Environment): string {
  const home = env["HOME"] ?? env["USERPROFILE"];
  if (written.startsWith("~/") && home) return join(home, written.slice(2));
  if (isAbsolute(written)) return written;
  try {
    return resolve(troupeHome(env), written);
  } catch (error) {
    throw new ConfigError(
      "no_home",
      `Expected TROUPE_HOME, XDG_CONFIG_HOME or HOME for the store (store.path is ${written}), got none of them. Set ` +
        "TROUPE_HOME to a folder, write store.path out, or keep everything in memory with store.durability: none.",
      { cause: error, details: { config_key: "store.path" } },
    );
  }
}
