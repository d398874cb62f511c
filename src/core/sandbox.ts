// Where commands of a model run: the contract between the terminal toolset and whatever builds the walls. The walls
// are the operating system's; a sandbox that does not stand opens nothing.

import type { RunningProcess } from "../base/process.ts";

/** How much of the machine commands can take. */
export interface SandboxBounds {
  /** What is held to what, in words. */
  readonly text: string;
  /** Why a session is not held as a whole, but each of its processes by itself, and what to do; `null` where it is. */
  readonly gap: string | null;
}

/** How the walls stand. */
export type SandboxVerdict =
  | {
      readonly stands: true;
      /** What it is, in words: `bubblewrap 0.8.0 as uid 65534, no network`. */
      readonly kind: string;
      /** Commands run on this machine without any wall, because the config says so. */
      readonly unsafe: boolean;
      readonly bounds: SandboxBounds;
    }
  | {
      readonly stands: false;
      /** What is missing or what got through, and what to do about it. */
      readonly reason: string;
    };

/** A folder beside the workspace that is seen inside. */
export interface ShownFolder {
  /** Absolute, no link in it. */
  readonly path: string;
  /** Where it is seen inside. */
  readonly at: string;
  readonly writable: boolean;
}

export interface SandboxRequest {
  /** Absolute path of the folder that is worked in; the only place that is written to. */
  readonly workspace: string;
  /** Absolute path of the folder that the workspace must be in, links resolved; anywhere is fine when absent. */
  readonly workspaceRoot?: string;
  /** Decided where the server is composed, never by a tool. */
  readonly shown?: readonly ShownFolder[];
  /** What runs inside, found by the sandbox's own PATH. */
  readonly argv: readonly [string, ...string[]];
  /** As of ProcessSpec. */
  readonly channels?: number;
}

/** A folder and processes of its own for commands; nothing of the server's environment is in it. */
export interface Sandbox {
  /** Looks once and remembers. Contract: never throws. */
  verdict(): Promise<SandboxVerdict>;
  /**
   * Starts a program inside; when it ends or is killed, so does everything that it started.
   * Contract: throws ToolError `sandbox_unavailable` where the walls do not stand, and `no_workspace` for a folder
   * that cannot be worked in.
   */
  open(request: SandboxRequest): Promise<RunningProcess>;
  /** Resolves when the machine keeps nothing more of programs that have ended. */
  settle?(): Promise<void>;
}
