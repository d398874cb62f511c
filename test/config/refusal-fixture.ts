// The message with which a config is refused.

import { ConfigError } from "../../src/base/errors.ts";
import { parseConfig } from "../../src/config/load.ts";

/** The error's message. Contract: throws when the text is accepted, or refused with another code. */
export function refusal(source: string, toolsets?: readonly string[]): string {
  try {
    parseConfig(source, "config.yaml", toolsets);
  } catch (error) {
    if (error instanceof ConfigError && error.code === "config_invalid") return error.message;
    throw error;
  }
  throw new Error("expected a refusal");
}
