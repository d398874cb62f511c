// The commands of the table about what tasks left in git worktrees. Nothing here does anything.

import type { CommandSpec } from "./command.ts";
import { CONFIG_FLAG } from "./connection.ts";
import type { FlagSpec } from "./flags.ts";

const STORE: FlagSpec = {
  name: "store",
  value: "FILE",
  help: "what became of the tasks stands there, not in store.path",
};

export const WORKTREE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "worktrees",
    summary: "list what tasks left in git worktrees of their own: branch, commits, size",
    details: ["A +? behind the commits: the task may have more, which come to its branch when it ends."],
    words: { least: 0, most: 0 },
    flags: [STORE, CONFIG_FLAG],
    load: async () => (await import("./worktrees.ts")).listWorktrees,
  },
  {
    name: "worktrees ls",
    summary: "the same",
    words: { least: 0, most: 0 },
    flags: [STORE, CONFIG_FLAG],
    load: async () => (await import("./worktrees.ts")).listWorktrees,
  },
  {
    name: "worktrees remove",
    summary: "take worktrees of ended tasks away; a branch with commits that no other has stays",
    usage: "[ID]",
    details: [
      "ID is the id of the task, or its beginning. One with changes that are not committed is refused.",
      "--all takes those of ended tasks that have nothing uncommitted.",
    ],
    words: { least: 0, most: 1 },
    flags: [
      { name: "all", help: "all of ended tasks without changes that are not committed" },
      { name: "force", help: "with changes that are not committed, which are lost then" },
      STORE,
      CONFIG_FLAG,
    ],
    load: async () => (await import("./worktrees.ts")).removeWorktrees,
  },
  {
    name: "worktrees trust",
    summary: "say that a repository is yours which appeared where agents have a shell",
    usage: "FOLDER",
    details: [
      "Until then no worktree is made of it: what an agent puts there may lead to your other repositories.",
    ],
    words: { least: 1, most: 1 },
    flags: [],
    load: async () => (await import("./worktrees.ts")).trustRepositoryIn,
  },
];
