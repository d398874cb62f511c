// The terminal of a Troupe: the sandbox and the shells in it, as the config has them, and what people are told of it.

import { isAbsolute, join } from "node:path";
import { ConfigError } from "./base/errors.ts";
import { currentUid, processorCount } from "./base/owner.ts";
import type { Clock } from "./base/clock.ts";
import type { Random } from "./base/ids.ts";
import type { ProcessHost } from "./base/process.ts";
import type { Config } from "./core/config-schema.ts";
import type { Sandbox, SandboxVerdict } from "./core/sandbox.ts";
import { CONFIG_FILE, homeOf, troupeHome, type Environment } from "./config/load.ts";
import { worktreeFolderOf } from "./config/worktree-folder.ts";
import { UNSAFE_TERMINAL } from "./config/resolve.ts";
import { markWithoutConfig, markWithoutRepository } from "./config/unwritten.ts";
import { configPaths } from "./own-paths.ts";
import { isWithin } from "./sandbox/bubblewrap-argv.ts";
import { mountProblem } from "./sandbox/mounts.ts";
import { LocalSandbox } from "./sandbox/sandbox.ts";
import { resolvedPath } from "./toolsets/file-policy.ts";
import { TerminalSessions } from "./toolsets/terminal-sessions.ts";
import type { TerminalOptions } from "./toolsets/terminal.ts";
import { withGit, worktreesIn, type GitWorktrees } from "./worktrees.ts";
import { refuseWallKeys } from "./wall-keys.ts";

/** The only folder that every Linux has for it. */
const SCRATCH = "/tmp";
const MIB = 1024 * 1024;

interface World {
  readonly cwd: string;
  readonly env: Environment;
  readonly random: Random;
  readonly processes?: ProcessHost;
  readonly clock: Clock;
}

export interface TerminalQuestion {
  readonly config: Config;
  /** The config's file; `null` when there is none. */
  readonly file: string | null;
  readonly baseDir: string;
  readonly world: World;
  /** Troupe's own folders and files, links resolved. */
  readonly own: readonly string[];
}

export interface Terminal {
  /** For `builtinToolsets`; empty where no process can be started. */
  readonly toolset: { readonly terminal?: TerminalOptions };
  /** Of tasks that ask for one; `null` where none can be made. */
  readonly worktrees: GitWorktrees | null;
  /** Start-up lines, when an agent may use it. */
  readonly why: readonly string[];
  /** Ends every shell. */
  close(): Promise<void>;
}

/** Contract: throws ConfigError `unsafe_in_workspace` and `mount_refused`. Tries the walls only where an agent may use the terminal. */
export async function openTerminal(question: TerminalQuestion): Promise<Terminal> {
  const { config, world } = question;
  const sandbox = await sandboxOf(question);
  if (sandbox === null) {
    const why = usesTerminal(config)
      ? ["warning: terminal: closed: this program can start no processes"]
      : [];
    return { toolset: {}, worktrees: null, why, close: async () => {} };
  }
  // Only now: where no process may be started, who it is may not be asked either (Deno).
  const worktrees = worktreesIn(
    world,
    worktreeFolderOf({ ...question, ...world, uid: currentUid() }),
    sandbox,
  );
  const { timeout_s: timeout, max_output_bytes: maxOutputBytes } = config.tools.terminal;
  const shells = worktrees === null ? sandbox : withGit(sandbox, worktrees);
  const sessions = new TerminalSessions({ sandbox: shells, random: world.random, maxOutputBytes });
  const verdict = usesTerminal(config) ? await sandbox.verdict() : null;
  const bounds = verdict?.stands === true ? verdict.bounds.text : undefined;
  return {
    worktrees,
    toolset: { terminal: { sessions, timeoutMs: timeout * 1000, ...(bounds !== undefined && { bounds }) } },
    why: verdict === null ? [] : [terminalLine(verdict)],
    close: async () => {
      await sessions.close();
      await sandbox.settle?.();
    },
  };
}

/** The sandbox that the config asks for; `null` where no process can be started. Throws as `openTerminal` does. */
export async function sandboxOf(question: TerminalQuestion): Promise<Sandbox | null> {
  const { config, file, world, own } = question;
  const { processes } = world;
  const { unsafe, network, mounts, ...limits } = config.tools.terminal;
  await refuseWallKeys(question);
  await refuseMounts(mounts, own);
  if (processes === undefined) return null;
  const sandbox = new LocalSandbox({
    processes,
    clock: world.clock,
    uid: currentUid(),
    own,
    kept: await configPaths(file, world.cwd),
    scratch: SCRATCH,
    settings: {
      unsafe,
      network,
      mounts,
      maxProcesses: limits.max_processes,
      maxCpus: limits.max_cpus ?? cpusLeft(processorCount()),
      maxMemoryBytes: limits.max_memory_mb * MIB,
    },
  });
  return markingSandbox(sandbox, world);
}

/**
 * Before a shell opens in a folder that holds the working directory, it is written down where no config is there to be
 * kept as it is: what appears there is not believed at the next start (config/unwritten.ts). So is a folder without a
 * repository, which one that appears there must not lead out of.
 */
export function markingSandbox(sandbox: Sandbox, { cwd, env }: Pick<World, "cwd" | "env">): Sandbox {
  return {
    verdict: () => sandbox.verdict(),
    settle: async () => sandbox.settle?.(),
    async open(request) {
      const [here, workspace] = await Promise.all([resolvedPath(cwd), resolvedPath(request.workspace)]);
      if (isWithin(here, workspace)) await markWithoutConfig(troupeHome(env), join(cwd, CONFIG_FILE));
      const home = homeOf(env);
      // A program without a home has nowhere to look for the mark either.
      if (home !== null) await markWithoutRepository(home, workspace);
      return sandbox.open(request);
    },
  };
}

/** A start that would show commands the token is none; whether a folder is there at all, the self-test tells. */
async function refuseMounts(mounts: readonly string[], own: readonly string[]): Promise<void> {
  for (const path of mounts) {
    const problem = isAbsolute(path)
      ? mountProblem(await resolvedPath(path), own)
      : "it is no absolute path, beginning with /";
    if (problem === null) continue;
    throw new ConfigError(
      "mount_refused",
      `Expected tools.terminal.mounts to name folders that commands may read, got ${path}: ${problem}. Take it out, or name a folder below it.`,
    );
  }
}

/** What a session may keep busy of so many processors: one is left to the server. Contract: pure. */
export function cpusLeft(processors: number): number {
  return Math.max(processors - 1, processors / 2);
}

/** Whether an agent of the config may have the terminal. Contract: pure. */
export function usesTerminal({ toolsets, delegation, agents }: Config): boolean {
  const named = [
    toolsets,
    delegation.default_toolsets,
    ...Object.values(agents).map((agent) => agent.toolsets ?? []),
  ];
  return named.flat().includes("terminal");
}

/** Contract: pure. */
export function terminalLine(verdict: SandboxVerdict): string {
  if (!verdict.stands) return `warning: terminal: closed: ${verdict.reason}`;
  if (verdict.unsafe) return `warning: ${UNSAFE_TERMINAL}`;
  const { text, gap } = verdict.bounds;
  return `terminal: ${verdict.kind}; its walls stand; ${text}${gap === null ? "" : ` (${gap})`}`;
}
