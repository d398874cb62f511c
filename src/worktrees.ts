// One git worktree per task that asks for it: made before the task's first turn, looked at when it has ended, and kept
// only where there is something to keep. Nothing of the repository is run (src/git-command.ts says how).
//
// R1. A checkout is whole once its reference `refs/troupe-base/<task id>`, the commit that it began with, is there; one that
//     a dead server left half made is made anew.
// R2. A checkout is removed only when it was found without commits of its own and without a changed file, with what it
//     ignores; what cannot be found out is kept.

import { basename, dirname } from "node:path";
import type { Clock } from "./base/clock.ts";
import { giveTree, kindAt, makeFor, ownerOf } from "./base/checkout-files.ts";
import { ConflictError, messageOf } from "./base/errors.ts";
import { currentUid } from "./base/owner.ts";
import { homeOf, type Environment } from "./config/load.ts";
import { hasAppeared } from "./config/unwritten.ts";
import type { ProcessHost } from "./base/process.ts";
import type { Sandbox } from "./core/sandbox.ts";
import type { Settings } from "./core/settings.ts";
import type { WorktreeEnd, Worktrees } from "./core/worktree.ts";
import { failed, Git, reasonOf } from "./git-runner.ts";
import { InsideGit } from "./inside-git.ts";
import { Repositories, type HasAppeared, type Repository } from "./repository.ts";
import {
  baseRef,
  dropCheckout,
  dropMerged,
  WorktreeLook,
  type LookQuestion,
  type Place,
} from "./worktree-look.ts";

/** Where git is looked for when the environment does not say. */
export const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

/** The worktrees of a box; none where nothing can start git or no folder is known. */
export function worktreesIn(
  world: {
    readonly processes?: Pick<ProcessHost, "run">;
    readonly clock: Clock;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
  { worktreeFolder: folder }: Pick<Settings, "worktreeFolder">,
  sandbox: Sandbox | null,
): GitWorktrees | null {
  const { processes, clock, env } = world;
  if (processes === undefined || folder === undefined) return null;
  const searchPath = env["PATH"] ?? SEARCH_PATH;
  const appeared = hasAppearedIn(env);
  return new GitWorktrees({
    processes,
    clock,
    folder,
    searchPath,
    sandbox,
    uid: currentUid(),
    hasAppeared: appeared,
  });
}

/** Without a home nobody could have marked anything. */
export function hasAppearedIn(env: Environment): HasAppeared {
  const home = homeOf(env);
  return async (folder) => home !== null && hasAppeared(home, folder);
}

/** The same walls, with git for the worktrees; bare shells have the repository's own anyway. */
export function withGit(sandbox: Sandbox, { inside }: GitWorktrees): Sandbox {
  return {
    verdict: () => sandbox.verdict(),
    async open(request) {
      const verdict = await sandbox.verdict();
      if (!verdict.stands || verdict.unsafe) return sandbox.open(request);
      return sandbox.open({ ...request, shown: await inside.shownFor(request.workspace) });
    },
  };
}

export interface GitWorktreesOptions {
  readonly processes: Pick<ProcessHost, "run">;
  readonly clock: Clock;
  /** Where all worktrees of this box lie; made when the first one is. */
  readonly folder: string;
  /** Where git is found. */
  readonly searchPath: string;
  /** Commands of models run in it; what they commit is read by it. */
  readonly sandbox: Sandbox | null;
  /** The user that this process acts as; `null` where the system has no such numbers. */
  readonly uid: number | null;
  readonly hasAppeared: HasAppeared;
}

/** What works on the worktrees of a folder: git, what it may be used on, what is inside of them, and how they are. */
export interface WorktreeGit {
  readonly git: Git;
  readonly repositories: Repositories;
  readonly inside: InsideGit;
  readonly look: WorktreeLook;
}

export function gitOf({ sandbox, uid, ...options }: GitWorktreesOptions): WorktreeGit {
  const git = new Git(options);
  const repositories = new Repositories({ ...options, git, uid });
  const inside = new InsideGit({ git, clock: options.clock, repositories, sandbox });
  return { git, repositories, inside, look: new WorktreeLook(git) };
}

export class GitWorktrees implements Worktrees {
  readonly inside: InsideGit;
  readonly #git: Git;
  readonly #repositories: Repositories;
  readonly #look: WorktreeLook;

  #last: Promise<void> = Promise.resolve();

  constructor(options: GitWorktreesOptions) {
    const { git, repositories, inside, look } = gitOf(options);
    this.#git = git;
    this.#repositories = repositories;
    this.inside = inside;
    this.#look = look;
  }

  /** Keeps R1. */
  async make(place: Place, signal?: AbortSignal): Promise<void> {
    try {
      const repository = await this.#repositories.of(place.base, signal);
      const { common, clean, as, worker } = repository;
      const at = { gitDir: common, as, signal };
      const id = basename(place.path);
      if ((await this.#look.startOf(repository, id)) !== null) return;
      await this.#bringBaseHome(place, repository, signal);
      const ask = ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"];
      const here = { cwd: place.base, as, signal };
      if (!(await this.#git.holds(ask, here))) throw failed(`${place.base} has no commit yet to begin with`);
      const start = await this.#git.name(ask, here);
      const add = ["worktree", "add", "--no-checkout", "-b", place.branch, place.path, start];
      await this.#inTurn(async () => {
        await this.#dropHalf(repository, place, start);
        const owner = as ?? worker;
        if (owner !== null) await makeFor(place.path, owner);
        await this.#git.text(add, at);
      });
      const checkout = {
        gitDir: clean,
        workTree: place.path,
        cwd: place.path,
        index: `${common}/worktrees/${id}/index`,
        objects: `${common}/objects`,
        as,
        signal,
      };
      await this.#git.text(["read-tree", start], checkout);
      await this.#git.text(["checkout-index", "--all", "--index", "--quiet"], checkout);
      if (worker !== null) await giveTree(place.path, worker);
      await this.#git.text(["update-ref", baseRef(id), start], at);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ConflictError ? error : failed(messageOf(error));
    }
  }

  async leave(place: Place, signal?: AbortSignal): Promise<WorktreeEnd | null> {
    const { path, branch } = place;
    const known = { path, branch, kept: true };
    try {
      const repository = await this.#repositories.of(place.base, signal);
      const id = basename(path);
      const start = await this.#look.startOf(repository, id);
      if (start === null) {
        await this.#inTurn(() => this.#dropHalf(repository, place).catch(() => {}));
        return null;
      }
      await this.inside.bringHome({ id, start, end: true }, repository, signal);
      if ((await kindAt(path)) === "none") return await this.#leaveGone(place, { repository, start, signal });
      const { commits, dirty, more } = await this.#look.at(place, { repository, start, signal });
      signal?.throwIfAborted();
      if (commits > 0 || dirty || more.length > 0) {
        if (repository.worker !== null) await giveTree(path, await ownerOf(repository.common));
        const note = `it has further commits on ${more.join(", ")}`;
        return { ...known, commits, dirty, ...(more.length > 0 && { note }) };
      }
      await this.#drop(repository, place, start);
      return { ...known, commits, dirty, kept: false };
    } catch (error) {
      return { ...known, commits: null, dirty: null, note: reasonOf(error) };
    }
  }

  /** A child's worktree of its parent's begins with what the parent has committed by now. */
  async #bringBaseHome(
    { base }: Place,
    repository: Repository,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (dirname(base) !== this.#repositories.folder) return;
    const id = basename(base);
    const start = await this.#look.startOf(repository, id);
    if (start !== null) await this.inside.bringHome({ id, start, end: false }, repository, signal);
  }

  /** One at a time: git's own list of worktrees is no place for two, one of which prunes what the other begins. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Of a checkout that somebody removed meanwhile: its commits stay on the branch. */
  async #leaveGone(place: Place, question: LookQuestion): Promise<WorktreeEnd> {
    const { repository, start, signal } = question;
    const { path, branch } = place;
    const { common, as } = repository;
    const ref = `refs/heads/${branch}`;
    const at = { gitDir: common, as, signal };
    const isThere = await this.#git.holds(["show-ref", "--verify", "--quiet", ref], at);
    const count = ["rev-list", "--count", ref, "--not", start, "--"];
    const commits = isThere ? Number(await this.#git.name(count, at)) : 0;
    if (commits === 0) await this.#drop(repository, place, start);
    const note = "its folder was removed by somebody before the task ended";
    return { path, branch, commits, dirty: null, kept: commits > 0, note };
  }

  /** Takes away a checkout that nobody needs, with its branch. Contract: throws what cannot be taken away. */
  async #drop(repository: Repository, place: Place, start: string): Promise<void> {
    await this.#inTurn(() => this.#dropHalf(repository, place, start));
    const { common, as } = repository;
    await this.#git.text(["update-ref", "-d", baseRef(basename(place.path))], { gitDir: common, as });
  }

  /** The same of one that is not whole. Contract: throws for a branch of that name with commits of its own. */
  async #dropHalf(repository: Repository, { path, branch }: Place, start?: string): Promise<void> {
    await dropCheckout(this.#git, repository, path);
    const isGone = await dropMerged(this.#git, repository, { branch, ...(start !== undefined && { start }) });
    if (isGone) return;
    throw failed(`the branch ${branch} is there, with commits that nothing else has; rename it`);
  }
}
