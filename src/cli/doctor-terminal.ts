// What doctor says of the terminal: whether its walls stand on this machine, by trying the known ways out of them.

import { currentUid } from "../base/owner.ts";
import type { LoadedConfig } from "../config/load.ts";
import { storeSettings } from "../config/store-settings.ts";
import type { Sandbox, SandboxVerdict } from "../core/sandbox.ts";
import { ownPaths } from "../own-paths.ts";
import { UNSAFE_TERMINAL } from "../config/resolve.ts";
import { sandboxOf, usesTerminal } from "../terminal.ts";
import { ok, type Check } from "./doctor-checks.ts";
import type { CliWorld } from "./world.ts";

/** Contract: never throws for what can be said as a check. */
export async function examineTerminal(world: CliWorld, loaded: LoadedConfig): Promise<Check> {
  const { config } = loaded;
  const sandbox = await sandboxBy(world, loaded);
  const verdict: SandboxVerdict = sandbox
    ? await sandbox.verdict()
    : { stands: false, reason: "this program can start no processes." };
  return terminalCheck({ verdict, isUsed: usesTerminal(config), isRoot: currentUid() === 0 });
}

/** The walls that a server with this config would have. Throws as `sandboxOf` does. */
export async function sandboxBy(world: CliWorld, loaded: LoadedConfig): Promise<Sandbox | null> {
  const { config } = loaded;
  const { path } = storeSettings(config, world.env);
  const own = await ownPaths(world.env, { path, tokenFile: config.server.token_file });
  return sandboxOf({ ...loaded, world, own });
}

export interface TerminalFacts {
  readonly verdict: SandboxVerdict;
  /** An agent of the config may have it. */
  readonly isUsed: boolean;
  readonly isRoot: boolean;
}

/** Contract: pure. A closed terminal is a problem for who has agents that need it; sessions without a bound warn them. */
export function terminalCheck({ verdict, isUsed, isRoot }: TerminalFacts): Check {
  const about = "terminal";
  if (!verdict.stands) {
    const text = `closed: ${verdict.reason}`;
    if (!isUsed) return ok(about, `${text} No agent's toolsets name it.`);
    return {
      about,
      level: "problem",
      text,
      mend: "Mend that, or take terminal out of the agents' toolsets.",
    };
  }
  if (verdict.unsafe)
    return { about, level: "warn", text: UNSAFE_TERMINAL, mend: "Set tools.terminal.unsafe: false." };
  const { text: bounds, gap } = verdict.bounds;
  const text = `${verdict.kind}; the self-test found no way out; ${bounds}`;
  if (gap !== null && isUsed) return { about, level: "warn", text, mend: gap };
  const advice = "As root it works in git worktrees, and in workspaces of another user: chown those first.";
  return ok(about, text, isRoot && isUsed ? advice : null);
}
