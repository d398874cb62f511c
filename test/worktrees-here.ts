// The worktrees of the machine that the tests run on, behind its own walls.

import { systemClock } from "../src/base/clock.ts";
import { currentUid } from "../src/base/owner.ts";
import { nodeProcesses } from "../src/base/process-node.ts";
import { GitWorktrees, type GitWorktreesOptions } from "../src/worktrees.ts";
import { sandboxHere } from "./sandbox/machine.ts";

export function worktreeOptions(folder: string): GitWorktreesOptions {
  return {
    processes: nodeProcesses,
    clock: systemClock,
    folder,
    searchPath: process.env["PATH"] ?? "",
    sandbox: sandboxHere(),
    uid: currentUid(),
    hasAppeared: async () => false,
  };
}

export function worktreesHere(folder: string, rest: Partial<GitWorktreesOptions> = {}): GitWorktrees {
  return new GitWorktrees({ ...worktreeOptions(folder), ...rest });
}
