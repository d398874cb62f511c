// The worktrees that tasks left behind, for people who look through them: what each holds, and taking away what nobody
// needs any more.
//
// K1. A checkout with changes that are not committed, or with commits that could not be brought home, is taken away only by
//     force. That its task has ended is for who asks to know.
// K2. Commits are never taken away: a branch goes only when another branch has all of it.

import { bytesBelow, kindAt, namesIn } from "./base/checkout-files.ts";
import { ConflictError } from "./base/errors.ts";
import { removeAll } from "./base/own-file.ts";
import { branchOf } from "./core/worktree.ts";
import { type Git, reasonOf } from "./git-runner.ts";
import type { InsideGit } from "./inside-git.ts";
import type { Repositories, Repository } from "./repository.ts";
import { baseRef, dropCheckout, dropMerged, type WorktreeLook, type Place } from "./worktree-look.ts";
import { gitOf, type GitWorktreesOptions } from "./worktrees.ts";

export interface KeptWorktree {
  readonly taskId: string;
  readonly path: string;
  readonly branch: string;
  /** The repository's git folder; `null` where it cannot be found. */
  readonly repository: string | null;
  /** `null` where that cannot be found out. */
  readonly commits: number | null;
  readonly dirty: boolean | null;
  /** Whether a git folder of the task's own is there, whose commits may not be on the branch yet. */
  readonly inside: boolean;
  /** `null` for more files than anybody counts. */
  readonly bytes: number | null;
  /** Why something could not be found out. */
  readonly note?: string;
}

export interface RemovedWorktree {
  readonly path: string;
  readonly commits: number | null;
  /** Branches that stay, since nothing else has their commits. */
  readonly branches: readonly string[];
}

export class KeptWorktrees {
  readonly #git: Git;
  readonly #repositories: Repositories;
  readonly #inside: InsideGit;
  readonly #look: WorktreeLook;

  constructor(options: GitWorktreesOptions) {
    const { git, repositories, inside, look } = gitOf(options);
    this.#git = git;
    this.#repositories = repositories;
    this.#inside = inside;
    this.#look = look;
  }

  /** Contract: never rejects; empty where there is no such folder. Changes nothing. */
  async list(): Promise<readonly KeptWorktree[]> {
    const kept: KeptWorktree[] = [];
    for (const name of await namesIn(this.#repositories.folder)) {
      if (name.startsWith(".")) continue;
      const place = this.#placeOf(name);
      if ((await kindAt(place.path)) === "folder") kept.push(await this.#examine(name, place));
    }
    return kept;
  }

  /**
   * Takes the checkout of an ended task away. Its commits stay on their branches.
   * Contract: throws ConflictError `worktree_dirty` or `worktree_held` unless `force` is set (keeps K1), and
   * `worktree_failed`.
   */
  async remove(taskId: string, { force }: { readonly force: boolean }): Promise<RemovedWorktree> {
    const place = this.#placeOf(taskId);
    const { path } = place;
    let repository: Repository;
    try {
      repository = await this.#repositories.of(path);
    } catch (error) {
      if (!force) throw held(path, reasonOf(error));
      await removeAll(path);
      return { path, commits: null, branches: [] };
    }
    const commits = await this.#settle(taskId, { place, repository, force });
    await dropCheckout(this.#git, repository, path);
    await removeAll(this.#inside.folderOf(repository, taskId));
    const branches = await this.#dropBranches(repository, place.branch);
    await this.#git.text(["update-ref", "-d", baseRef(taskId)], {
      gitDir: repository.common,
      as: repository.as,
    });
    return { path, commits, branches };
  }

  /** Keeps K1: how many commits it has, all of them at home. */
  async #settle(
    id: string,
    facts: { readonly place: Place; readonly repository: Repository; readonly force: boolean },
  ): Promise<number | null> {
    const { place, repository, force } = facts;
    try {
      const start = await this.#look.startOf(repository, id);
      // A server died while it made it: no task ever saw it.
      if (start === null) return 0;
      await this.#inside.bringHome({ id, start, end: false }, repository);
      const { commits, dirty } = await this.#look.at(place, { repository, start, signal: undefined });
      if (!dirty || force) return commits;
      throw new ConflictError(
        "worktree_dirty",
        `Expected a worktree without changes that are not committed, got ${place.path} with some. Commit them there (git -C ${place.path} commit -a), or remove it with --force.`,
      );
    } catch (error) {
      if (error instanceof ConflictError && error.code === "worktree_dirty") throw error;
      if (!force) throw held(place.path, reasonOf(error));
      return null;
    }
  }

  /** Keeps K2: the names that stay. */
  async #dropBranches(repository: Repository, branch: string): Promise<readonly string[]> {
    const { common, as } = repository;
    const at = { gitDir: common, as };
    const ours = [
      "for-each-ref",
      "--format=%(refname:short)",
      `refs/heads/${branch}`,
      `refs/heads/${branch}.*`,
    ];
    const kept: string[] = [];
    for (const name of (await this.#git.text(ours, at)).split("\n")) {
      if (name !== "" && !(await dropMerged(this.#git, repository, { branch: name }))) kept.push(name);
    }
    return kept;
  }

  #placeOf(taskId: string): Place {
    const path = `${this.#repositories.folder}/${taskId}`;
    // Any checkout of a repository leads to it.
    return { path, base: path, branch: branchOf(taskId) };
  }

  async #examine(taskId: string, place: Place): Promise<KeptWorktree> {
    const { path, branch } = place;
    const known = { taskId, path, branch, bytes: await bytesBelow(path) };
    const unknown = { ...known, repository: null, commits: null, dirty: null, inside: false };
    let repository: Repository;
    try {
      repository = await this.#repositories.of(path);
    } catch (error) {
      return { ...unknown, note: reasonOf(error) };
    }
    const inside = (await kindAt(this.#inside.folderOf(repository, taskId))) !== "none";
    const found = { ...unknown, repository: repository.common, inside };
    try {
      const start = await this.#look.startOf(repository, taskId);
      if (start === null) return { ...found, commits: 0, dirty: false, note: "it was never finished" };
      const { commits, dirty } = await this.#look.at(place, { repository, start, signal: undefined });
      return { ...found, commits, dirty };
    } catch (error) {
      return { ...found, note: reasonOf(error) };
    }
  }
}

function held(path: string, why: string): ConflictError {
  return new ConflictError(
    "worktree_held",
    `Expected to know what ${path} holds before it goes: ${why}. Mend that, or remove it with --force: what is only there is lost then.`,
  );
}
