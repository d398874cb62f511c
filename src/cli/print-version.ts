// `troupe version`: which Troupe, on what.

import { VERSION } from "../version.ts";
import type { Command } from "./command.ts";

export const printVersion: Command = async ({ printer, world }) => {
  const { runtime, platform } = world.terminal;
  printer.document({ version: VERSION, runtime: runtime.name, runtimeVersion: runtime.version, platform });
  printer.data(`troupe ${VERSION} (${runtime.name} ${runtime.version}, ${platform})`);
  return "ok";
};
