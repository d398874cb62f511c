// A config text to settings, or to the error that refuses it.

import { ConfigError } from "../../src/base/errors.ts";
import type { Discovery } from "../../src/config/discovery.ts";
import { parseConfig } from "../../src/config/load.ts";
import { resolveSettings } from "../../src/config/resolve.ts";
import type { Resolved } from "../../src/config/resolve.ts";
import { discovery, model } from "./discovery-fixture.ts";

export const two = discovery({ ollama: [model("small:1b", 1), model("big:8b", 5)] }, 12);

export function resolved(yaml: string, found: Discovery, env: Record<string, string> = {}): Resolved {
  const config = parseConfig(yaml, "config.yaml");
  const fixed = { baseDir: "/base", version: "0.1.0", boxId: "box_1", link: null };
  return resolveSettings({ config, discovery: found, env, ...fixed });
}

/** Contract: throws when the config resolves, or fails with anything but ConfigError. */
export function unresolved(yaml: string, found: Discovery): ConfigError {
  try {
    resolved(yaml, found);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}
