// One git worktree per task that asks for it: made before the task's first turn, looked at when it has ended, and kept
// only where there is something to keep. Nothing of the repository is run (src/git-command.ts says how).
//
// R1. A checkout is whole once its reference `refs/troupe-base/<task id>`, the commit that it began with, is there; one that
//     a dead server left half made is made anew.
// R2. A checkout is removed only when it was found without commits of its own and without a changed file, with what it
//     ignores; what cannot be found out is kept.

import { basename } from "node:path";
import type { Clock } from "./base/clock.ts";
import { linkedAbort } from "./base/abort.ts";
import { ConflictError, messageOf } from "./base/errors.ts";
import { ensureFolder, removeAll } from "./base/own-file.ts";
import type { ProcessHost, RunResult } from "./base/process.ts";
import type { Settings } from "./core/settings.ts";
import type { WorktreeEnd, Worktrees, WorktreeSpec } from "./core/worktree.ts";
import { gitArgv, gitEnv, type GitPlace } from "./git-command.ts";

/** One command; a large repository is checked out within it. */
const MAX_COMMAND_MS = 300_000;
const MAX_OUTPUT_BYTES = 65_536;
/** What file tools leave behind when a server dies while they write is nobody's change. */
const DRAFTS = ".troupe-*.tmp";

interface Repository {
  /** Absolute: the folder with its branches, objects and config. */
  readonly common: string;
  /** A git folder of our own with the same kind of objects (keeps N2 of git-command.ts). */
  readonly clean: string;
}

/** Where git is looked for when the environment does not say. */
const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

/** The worktrees of a box; none where nothing can start git or no folder is known. */
export function worktreesIn(
  world: {
    readonly processes?: Pick<ProcessHost, "run">;
    readonly clock: Clock;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
  { worktreeFolder: folder }: Pick<Settings, "worktreeFolder">,
): { readonly worktrees?: Worktrees } {
  const { processes, clock, env } = world;
  if (processes === undefined || folder === undefined) return {};
  return {
    worktrees: new GitWorktrees({ processes, clock, folder, searchPath: env["PATH"] ?? SEARCH_PATH }),
  };
}

type Place = WorktreeSpec & { readonly path: string };

interface Ask extends GitPlace {
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface GitWorktreesOptions {
  readonly processes: Pick<ProcessHost, "run">;
  readonly clock: Clock;
  /** Where all worktrees of this box lie; made when the first one is. */
  readonly folder: string;
  /** Where git is found. */
  readonly searchPath: string;
}

export class GitWorktrees implements Worktrees {
  readonly #options: GitWorktreesOptions;
  /** Clean git folders by the kind of their objects. */
  readonly #clean = new Map<string, Promise<string>>();

  #last: Promise<void> = Promise.resolve();

  constructor(options: GitWorktreesOptions) {
    this.#options = options;
  }

  /** Keeps R1. */
  async make(place: Place, signal?: AbortSignal): Promise<void> {
    try {
      await ensureFolder(this.#options.folder);
      const repository = await this.#repositoryOf(place.base, signal);
      const { common, clean } = repository;
      const id = basename(place.path);
      if ((await this.#startOf(common, id)) !== null) return;
      const start = await this.#name(["rev-parse", "--verify", "HEAD^{commit}"], { cwd: place.base, signal });
      const add = ["worktree", "add", "--no-checkout", "-b", place.branch, place.path, start];
      await this.#inTurn(async () => {
        await this.#drop(repository, place);
        await this.#git(add, { gitDir: common, signal });
      });
      const checkout = {
        gitDir: clean,
        workTree: place.path,
        cwd: place.path,
        index: `${common}/worktrees/${id}/index`,
        objects: `${common}/objects`,
        signal,
      };
      await this.#git(["read-tree", start], checkout);
      await this.#git(["checkout-index", "--all", "--index", "--quiet"], checkout);
      await this.#git(["update-ref", baseRef(id), start], { gitDir: common, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ConflictError ? error : failed(messageOf(error));
    }
  }

  async leave(place: Place, signal?: AbortSignal): Promise<WorktreeEnd | null> {
    const { path, branch } = place;
    const known = { path, branch, kept: true };
    try {
      const repository = await this.#repositoryOf(place.base, signal);
      const id = basename(path);
      const start = await this.#startOf(repository.common, id);
      if (start === null) {
        await this.#inTurn(() => this.#drop(repository, place));
        return null;
      }
      const { commits, head } = await this.#commitsOf(repository, { place, start, signal });
      const dirty = await this.#isDirty(repository, { place, head, signal });
      signal?.throwIfAborted();
      if (commits > 0 || dirty) return { ...known, commits, dirty };
      await this.#inTurn(() => this.#drop(repository, place));
      await this.#git(["update-ref", "-d", baseRef(id)], { gitDir: repository.common });
      return { ...known, commits, dirty, kept: false };
    } catch (error) {
      return { ...known, commits: null, dirty: null, note: messageOf(error) };
    }
  }

  /** Contract: throws ConflictError `worktree_failed` where the folder is not the top of a repository with a commit. */
  async #repositoryOf(base: string, signal: AbortSignal | undefined): Promise<Repository> {
    const asked = ["--show-prefix", "--git-common-dir", "--show-object-format"];
    let answer: string;
    try {
      answer = await this.#git(["rev-parse", "--path-format=absolute", ...asked], { cwd: base, signal });
    } catch (error) {
      throw failed(`${base} is no git repository that can be read: ${messageOf(error)}`);
    }
    const [prefix, common, format] = answer.split("\n");
    if (!common?.startsWith("/") || !format) throw failed(`git rev-parse answered nothing of ${base}`);
    if (prefix !== "") {
      throw failed(`${base} is inside a git repository, not its top folder, which isolation: worktree needs`);
    }
    return { common, clean: await this.#cleanFolder(format) };
  }

  #cleanFolder(format: string): Promise<string> {
    const path = `${this.#options.folder}/.clean-${format}.git`;
    const known = this.#clean.get(format);
    if (known !== undefined) return known;
    const init = ["init", "--bare", "--quiet", "--template=", `--object-format=${format}`, path];
    const made = ensureFolder(this.#options.folder).then(() => this.#git(init, {}).then(() => path));
    this.#clean.set(format, made);
    made.catch(() => this.#clean.delete(format));
    return made;
  }

  /** The commit that a whole checkout began with; `null` only where git says that there is none. */
  async #startOf(common: string, id: string): Promise<string | null> {
    const ask = ["rev-parse", "--quiet", "--verify", baseRef(id)];
    return (await this.#holds(ask, { gitDir: common })) ? this.#name(ask, { gitDir: common }) : null;
  }

  /** What the branch and the checkout's own head have beyond the beginning. */
  async #commitsOf(
    { common }: Repository,
    { place, start, signal }: { place: Place; start: string; signal: AbortSignal | undefined },
  ): Promise<{ readonly commits: number; readonly head: string }> {
    const own = { gitDir: `${common}/worktrees/${basename(place.path)}`, signal };
    const head = await this.#name(["rev-parse", "--verify", "HEAD^{commit}"], own);
    const ends = [head, `refs/heads/${place.branch}`, "--not", start];
    const count = await this.#name(["rev-list", "--count", ...ends, "--"], { gitDir: common, signal });
    return { commits: Number(count), head };
  }

  /**
   * By what the files hold, with an index of our own: what git remembers of them is the task's to write. Told by exit
   * codes alone: an answer that got lost must not read as "nothing" (keeps R2).
   */
  async #isDirty(
    { common, clean }: Repository,
    { place, head, signal }: { place: Place; head: string; signal: AbortSignal | undefined },
  ): Promise<boolean> {
    const index = `${place.path}.index`;
    const own = `${common}/worktrees/${basename(place.path)}/index`;
    const objects = `${common}/objects`;
    const at = { gitDir: clean, workTree: place.path, cwd: place.path, objects, signal };
    const staged = ["diff-index", "--cached", "--quiet", head, "--"];
    if (!(await this.#holds(staged, { ...at, index: own }))) return true;
    try {
      await this.#git(["read-tree", head], { ...at, index });
      if (!(await this.#holds(["update-index", "--ignore-submodules", "--refresh"], { ...at, index })))
        return true;
      const others = ["--others", "--exclude-standard", `--exclude=${DRAFTS}`, "--error-unmatch", "."];
      return await this.#holds(["ls-files", ...others], { ...at, index });
    } finally {
      await removeAll(index);
    }
  }

  /** One at a time: git's own list of worktrees is no place for two, one of which prunes what the other begins. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Takes away the checkout and its branch, whole or not. Contract: throws what cannot be taken away. */
  async #drop({ common }: Repository, { path, branch }: Place): Promise<void> {
    const at = { gitDir: common };
    // Not registered, or not whole: then the folder alone is left, if anything.
    await this.#git(["worktree", "remove", "--force", "--force", path], at).catch(() => removeAll(path));
    await this.#git(["worktree", "prune"], at);
    await this.#git(["branch", "--quiet", "-D", branch], at).catch(() => {});
  }

  /** What a command answers. Contract: throws ConflictError `worktree_failed` when it fails. */
  async #git(args: readonly string[], ask: Ask): Promise<string> {
    const { code, stdout, stderr } = await this.#run(args, ask);
    if (code === 0) return stdout.replace(/\n$/, "");
    throw failed(`git ${args[0]} says: ${mainLine(stderr) || `exit code ${code}`}`);
  }

  /** The same for a command that answers with a number or the name of an object, which nothing is not. */
  async #name(args: readonly string[], ask: Ask): Promise<string> {
    const answer = await this.#git(args, ask);
    if (/^[0-9a-f]+$/.test(answer)) return answer;
    throw failed(`git ${args[0]} answered ${JSON.stringify(answer.slice(0, 80))}`);
  }

  /** Yes or no by the exit code 0 or 1. Contract: throws for any other. */
  async #holds(args: readonly string[], ask: Ask): Promise<boolean> {
    const { code, stderr } = await this.#run(args, ask);
    if (code === 0 || code === 1) return code === 0;
    throw failed(`git ${args[0]} says: ${mainLine(stderr) || `exit code ${code}`}`);
  }

  async #run(args: readonly string[], { cwd, signal, ...place }: Ask): Promise<RunResult> {
    const { processes, clock, folder, searchPath } = this.#options;
    const abort = linkedAbort(signal);
    const late = clock.after(MAX_COMMAND_MS, () =>
      abort.abort(failed(`git ${args[0]} took longer than ${MAX_COMMAND_MS / 1000} s`)),
    );
    try {
      return await processes.run(gitArgv(args, place), {
        cwd: cwd ?? folder,
        env: gitEnv(searchPath, place),
        signal: abort.signal,
        maxBytes: MAX_OUTPUT_BYTES,
      });
    } finally {
      late.cancel();
      abort.release();
    }
  }
}

/** Not below `refs/troupe/`: git would take `troupe/<task id>` for this one instead of the branch. */
function baseRef(id: string): string {
  return `refs/troupe-base/${id}`;
}

function mainLine(text: string): string {
  const lines = text.split("\n").filter((each) => each.trim() !== "");
  const line = lines.find((each) => /^(fatal|error):/.test(each)) ?? lines[0] ?? "";
  return line.replace(/\p{Cc}/gu, " ").slice(0, 300);
}

function failed(why: string): ConflictError {
  return new ConflictError("worktree_failed", `No worktree for the task: ${why}.`);
}
