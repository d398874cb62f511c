// A git worktree of a task's own: the checkout that it works in, and what is left of it at the end. Plain data and
// words; who runs git stands above (src/worktrees.ts).

/** Whether a task works where its parent does, or in a checkout of its own. */
export const ISOLATIONS = ["shared", "worktree"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

/** Decided when the task was accepted; the checkout itself is the task's workspace. */
export interface WorktreeSpec {
  /** Absolute path of the repository's folder that it is a worktree of. */
  readonly base: string;
  readonly branch: string;
}

/** What is left of a worktree when its task has ended. */
export interface WorktreeEnd {
  readonly path: string;
  readonly branch: string;
  /** Commits that the branch did not begin with; `null` where that could not be found out. */
  readonly commits: number | null;
  /** Whether files differ from the last commit; `null` where that could not be found out. */
  readonly dirty: boolean | null;
  /** False: it was clean and without commits, and was removed with its branch. */
  readonly kept: boolean;
  /** Why something could not be found out or done. */
  readonly note?: string;
}

/** Contract: both may be called again for the same task, after a restart too. */
export interface Worktrees {
  /** Makes the checkout at `path`, or finds it. Throws ConflictError `worktree_failed`. */
  make(worktree: WorktreeSpec & { readonly path: string }, signal?: AbortSignal): Promise<void>;
  /** What it came to; removes one that nobody needs. `null` for one that was never made. Never rejects. */
  leave(
    worktree: WorktreeSpec & { readonly path: string },
    signal?: AbortSignal,
  ): Promise<WorktreeEnd | null>;
}

export function branchOf(taskId: string): string {
  return `troupe/${taskId}`;
}

/** One line for people and models. */
export function worktreeLine({ path, branch, commits, dirty, kept, note }: WorktreeEnd): string {
  const why = note === undefined ? "" : ` (${note})`;
  if (!kept) return `worktree: nothing was changed; it was removed with its branch ${branch}${why}`;
  const ahead =
    commits === null ? "an unknown number of commits" : `${commits} ${commits === 1 ? "commit" : "commits"}`;
  const files =
    dirty === null ? "" : dirty ? ", with changes that are not committed" : ", nothing uncommitted";
  return `worktree: branch ${branch}, ${ahead} ahead${files}, in ${path}${why}`;
}
