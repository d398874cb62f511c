// What a worktree holds that it did not begin with, and how it is taken away.

import { basename } from "node:path";
import { folderBeside, give } from "./base/checkout-files.ts";
import { removeAll } from "./base/own-file.ts";
import type { WorktreeSpec } from "./core/worktree.ts";
import type { Git } from "./git-runner.ts";
import type { Repository } from "./repository.ts";

/** What file tools leave behind when a server dies while they write is nobody's change. */
const DRAFTS = ".troupe-*.tmp";

export type Place = WorktreeSpec & { readonly path: string };

export interface LookQuestion {
  readonly repository: Repository;
  /** The commit that it began with. */
  readonly start: string;
  readonly signal: AbortSignal | undefined;
}

export interface LookAnswer {
  /** That its branch and its own head have beyond the beginning. */
  readonly commits: number;
  /** Whether files differ from the last commit. */
  readonly dirty: boolean;
  /** Further branches of the task. */
  readonly more: readonly string[];
}

export class WorktreeLook {
  readonly #git: Git;

  constructor(git: Git) {
    this.#git = git;
  }

  /** Contract: throws ConflictError `worktree_failed` for what cannot be found out. */
  async at(place: Place, question: LookQuestion): Promise<LookAnswer> {
    const { commits, head } = await this.#commitsOf(place, question);
    const dirty = await this.#isDirty(place, head, question);
    return { commits, dirty, more: await this.#moreBranches(question.repository, place.branch) };
  }

  /** The commit that a whole checkout began with; `null` only where git says that there is none. */
  async startOf({ common, as }: Repository, id: string): Promise<string | null> {
    const ask = ["rev-parse", "--quiet", "--verify", baseRef(id)];
    const at = { gitDir: common, as };
    return (await this.#git.holds(ask, at)) ? this.#git.name(ask, at) : null;
  }

  /** What the branch and the checkout's own head have beyond the beginning. */
  async #commitsOf(
    place: Place,
    { repository: { common, as }, start, signal }: LookQuestion,
  ): Promise<{ readonly commits: number; readonly head: string }> {
    const own = { gitDir: `${common}/worktrees/${basename(place.path)}`, as, signal };
    const head = await this.#git.name(["rev-parse", "--verify", "HEAD^{commit}"], own);
    const ends = [head, `refs/heads/${place.branch}`, "--not", start];
    const count = ["rev-list", "--count", ...ends, "--"];
    return { commits: Number(await this.#git.name(count, { gitDir: common, as, signal })), head };
  }

  /** Branches with what a task committed beside its own. */
  async #moreBranches({ common, as }: Repository, branch: string): Promise<readonly string[]> {
    const ask = ["for-each-ref", "--format=%(refname:short)", `refs/heads/${branch}.*`];
    return (await this.#git.text(ask, { gitDir: common, as })).split("\n").filter((each) => each !== "");
  }

  /**
   * By what the files hold, with an index of our own: what git remembers of them is the task's to write. Told by exit
   * codes alone: an answer that got lost must not read as "nothing" (keeps R2).
   */
  async #isDirty(place: Place, head: string, { repository, signal }: LookQuestion): Promise<boolean> {
    const { common, clean, home, as } = repository;
    const id = basename(place.path);
    // Of this look alone: a person may list what is there while a server looks at it too.
    const scratch = await folderBeside(`${home}/.${id}.index`);
    const index = `${scratch}/index`;
    const own = `${common}/worktrees/${id}/index`;
    const objects = `${common}/objects`;
    const at = { gitDir: clean, workTree: place.path, cwd: place.path, objects, as, signal };
    const staged = ["diff-index", "--cached", "--quiet", head, "--"];
    try {
      if (as !== null) await give(scratch, as);
      if (!(await this.#git.holds(staged, { ...at, index: own }))) return true;
      await this.#git.text(["read-tree", head], { ...at, index });
      if (!(await this.#git.holds(["update-index", "--ignore-submodules", "--refresh"], { ...at, index })))
        return true;
      const others = ["--others", "--exclude-standard", `--exclude=${DRAFTS}`, "--error-unmatch", "."];
      return await this.#git.holds(["ls-files", ...others], { ...at, index });
    } finally {
      await removeAll(scratch);
    }
  }
}

/** Takes a checkout away, whole or not; its branch stays. Contract: throws what cannot be taken away. */
export async function dropCheckout(git: Git, { common, as }: Repository, path: string): Promise<void> {
  const at = { gitDir: common, as };
  // Not registered, or not whole: then the folder alone is left, if anything.
  await git.text(["worktree", "remove", "--force", "--force", path], at).catch(() => {});
  await removeAll(path);
  await git.text(["worktree", "prune"], at);
}

/**
 * Takes a branch away when its commits are elsewhere too: in `start`, or on another branch, a tag or what a remote has.
 * Contract: true when it is gone; throws ConflictError `worktree_failed`.
 */
export async function dropMerged(
  git: Git,
  { common, as }: Repository,
  { branch, start }: { readonly branch: string; readonly start?: string },
): Promise<boolean> {
  const at = { gitDir: common, as };
  const ref = `refs/heads/${branch}`;
  if (!(await git.holds(["show-ref", "--verify", "--quiet", ref], at))) return true;
  const holders = ["for-each-ref", "--format=%(refname)", "--contains", ref];
  const others = (await git.text([...holders, "refs/heads", "refs/remotes", "refs/tags"], at)).split("\n");
  const isMerged =
    others.some((each) => each !== "" && each !== ref) ||
    (start !== undefined && (await git.holds(["merge-base", "--is-ancestor", ref, start], at)));
  if (isMerged) await git.text(["branch", "--quiet", "-D", branch], at);
  return isMerged;
}

/** Not below `refs/troupe/`: git would take `troupe/<task id>` for this one instead of the branch. */
export function baseRef(id: string): string {
  return `refs/troupe-base/${id}`;
}
