// Git inside of the walls: a task in a worktree of its own has a git folder that is private to it, and what it commits
// there is brought home by us, as if it came from a stranger's repository.
//
// C1. Of the repository the walls show its objects alone, for reading, or a copy of them. Its config, hooks, branches and the list of its
//     worktrees are neither seen nor written from inside.
// C2. The private folder stands inside where git looks for the worktree's own, and nowhere else: no git outside of the
//     walls ever reads it. What a task writes into its config or hooks runs inside, where it may run anything anyway.
// C3. Its commits are packed by git inside and come out as one file of a stream, which is checked object by object, with
//     everything that it leads to, before a branch points at it. Names of branches are ours.
// C4. What a task committed is on a branch of the repository before its private folder is removed; what cannot be
//     brought home stays there. Of one task it comes home once at a time, however many children begin with it.

import { basename, dirname } from "node:path";
import type { Clock } from "./base/clock.ts";
import {
  bytesBelow,
  canRead,
  copyRegular,
  copyTree,
  give,
  giveTree,
  isPlainFolder,
  kindAt,
  makeFor,
  moveTo,
  ownerOf,
  putText,
  shortText,
} from "./base/checkout-files.ts";
import { messageOf, ToolError } from "./base/errors.ts";
import { removeAll } from "./base/own-file.ts";
import { outputOf } from "./base/process.ts";
import type { Sandbox, ShownFolder } from "./core/sandbox.ts";
import { branchOf } from "./core/worktree.ts";
import { failed, mainLine, reasonOf, type Git } from "./git-runner.ts";
import type { Repositories, Repository } from "./repository.ts";

/** Of objects for somebody who cannot read them where they lie. */
const MAX_COPY_BYTES = 2 * 1024 * 1024 * 1024;
const MAX_PACK_BYTES = 1024 * 1024 * 1024;
/** Branches, tags and stashes of one task that are not reached from one another. */
const MAX_TIPS = 16;
/** What goes on inside may take its time, or wait for ever. */
const MAX_EXPORT_MS = 300_000;
const EXPORT = "troupe-export.pack";

/** Says the commits that were made, the one that is worked on first, and packs what they have beyond the beginning. */
const EXPORT_SCRIPT = String.raw`
at=$1 branch=$2 start=$3 most=$4
export GIT_DIR=$at GIT_WORK_TREE=$PWD
refuse() { printf 'fatal: %s\n' "$1" >&2; exit 1; }
head=$(git rev-parse --quiet --verify 'HEAD^{commit}' || git rev-parse --quiet --verify "refs/heads/$branch^{commit}") ||
  refuse 'the git folder of the task has no commit that it is at'
git rev-parse --quiet --verify "$start^{commit}" >/dev/null || refuse 'the git folder of the task lost its objects'
stash=
git diff --cached --quiet || git diff --quiet || stash=$(git stash create 'what was staged')
stashes=$(git stash list --format=%H) && found=$(git rev-list --no-walk --all $stash $stashes) || exit 1
tips=($found)
[ \${#tips[@]} -le 200 ] || refuse 'it has more than 200 branches and tags'
found=$(git merge-base --independent "$head" "$start" "\${tips[@]}") || exit 1
others=($(printf '%s\n' $found | grep -v -x -e "$head" -e "$start"))
[ \${#others[@]} -lt "$most" ] || refuse "it has more than $most branches that lead to different commits"
rm -rf -- "$at/${EXPORT}"
printf '%s\n' "$head" "\${others[@]}" --not "$start" | git pack-objects --revs --quiet --stdout >"$at/${EXPORT}" || exit 1
printf '%s\n' "$head" "\${others[@]}"
`.replaceAll("\\$", "$");

export interface InsideGitOptions {
  readonly git: Git;
  readonly clock: Clock;
  readonly repositories: Repositories;
  /** The walls; `null` where no process can be started. */
  readonly sandbox: Sandbox | null;
}

/** The private folder of a task. */
interface Inside {
  readonly id: string;
  readonly inner: string;
  readonly repository: Repository;
  readonly signal: AbortSignal | undefined;
}

interface Homecoming {
  readonly id: string;
  readonly start: string;
  /** The task has ended: its private folder goes. */
  readonly end: boolean;
}

export class InsideGit {
  readonly #options: InsideGitOptions;
  #last: Promise<unknown> = Promise.resolve();
  /** What is coming home, by its task. */
  readonly #coming = new Map<string, Promise<unknown>>();

  constructor(options: InsideGitOptions) {
    this.#options = options;
  }

  /** Where the private git folder of a task is, or would be. */
  folderOf({ home }: Repository, id: string): string {
    return `${home}/.inner-${id}.git`;
  }

  /**
   * What the walls show beside a workspace, when that is a worktree of ours; nothing for any other, and for one whose
   * repository borrows objects from elsewhere, in which git then does not work inside.
   * Contract: throws ToolError `no_workspace`.
   */
  async shownFor(workspace: string, signal?: AbortSignal): Promise<readonly ShownFolder[]> {
    const { repositories } = this.#options;
    if (dirname(workspace) !== repositories.folder || (await kindAt(`${workspace}/.git`)) !== "file")
      return [];
    const making = this.#last.then(() => this.#shown(workspace, signal));
    this.#last = making.catch(() => {});
    try {
      return await making;
    } catch (error) {
      signal?.throwIfAborted();
      throw new ToolError("no_workspace", `No command can run in ${workspace}: ${messageOf(error)}`);
    }
  }

  /**
   * Brings home what was committed inside. Contract: throws ConflictError `worktree_failed` where it cannot, and leaves
   * everything where it is (keeps C4).
   */
  async bringHome(asked: Homecoming, repository: Repository, signal?: AbortSignal): Promise<void> {
    const { id } = asked;
    const before = this.#coming.get(id) ?? Promise.resolve();
    const coming = before.then(() => this.#bringHome(asked, repository, signal));
    const over = coming.catch(() => {});
    this.#coming.set(id, over);
    try {
      await coming;
    } finally {
      if (this.#coming.get(id) === over) this.#coming.delete(id);
    }
  }

  async #bringHome(
    { id, start, end }: Homecoming,
    repository: Repository,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const inner = this.folderOf(repository, id);
    if ((await kindAt(inner)) === "none") return;
    const workspace = `${this.#options.repositories.folder}/${id}`;
    const isGone = (await kindAt(workspace)) === "none";
    try {
      // Git inside asks for a folder to stand in.
      if (isGone) await makeFor(workspace, await ownerOf(inner));
      const tips = await this.#export({ id, start, inner, repository, signal });
      await this.#import({ id, start, inner, tips, repository, signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw failed(`${reasonOf(error)}. What was committed stays in ${inner}`);
    } finally {
      if (isGone) await removeAll(workspace);
    }
    if (end) await removeAll(inner);
  }

  async #shown(workspace: string, signal: AbortSignal | undefined): Promise<readonly ShownFolder[]> {
    const { repositories } = this.#options;
    const repository = await repositories.of(workspace, signal);
    const { common } = repository;
    const objects = `${common}/objects`;
    const borrows = (await kindAt(`${objects}/info/alternates`)) !== "none";
    if (borrows || !(await isPlainFolder(objects)) || objects.includes("\n")) return [];
    const id = basename(workspace);
    const inner = this.folderOf(repository, id);
    if ((await kindAt(inner)) === "none") {
      const size = (await isLent(repository)) ? 0 : await bytesBelow(objects);
      if (size === null || size > MAX_COPY_BYTES) return [];
      await this.#make({ id, inner, objects, repository, signal });
    }
    return shownOf({ id, inner, repository });
  }

  /** Appears whole or not at all. */
  async #make(asked: Inside & { readonly objects: string }): Promise<void> {
    const { id, inner, objects, repository, signal } = asked;
    const { git } = this.#options;
    const { common, format, as, worker } = repository;
    const draft = `${inner}.new`;
    const own = `${common}/worktrees/${id}`;
    const owner = worker ?? as;
    await removeAll(draft);
    if (owner !== null) await makeFor(draft, owner);
    const init = ["init", "--bare", "--quiet", "--template=", `--object-format=${format}`, draft];
    await git.text(init, { as, signal });
    const head = await git.name(["rev-parse", "--verify", "HEAD^{commit}"], { gitDir: own, as, signal });
    const branch = `refs/heads/${branchOf(id)}`;
    await git.text(["symbolic-ref", "HEAD", branch], { gitDir: draft, as, signal });
    await git.text(["update-ref", branch, head], { gitDir: draft, objects, as, signal });
    if (await isLent(repository)) await putText(`${draft}/objects/info/alternates`, `${objects}\n`);
    else await copyTree(objects, `${draft}/objects`);
    await putText(`${draft}/config`, configOf(id, format));
    await copyRegular(`${own}/index`, `${draft}/index`, MAX_PACK_BYTES);
    const shallow = await shortText(`${common}/shallow`, MAX_PACK_BYTES);
    if (shallow !== null) await putText(`${draft}/shallow`, shallow);
    if (owner !== null) await giveTree(draft, owner);
    await moveTo(draft, inner);
  }

  /** The commits that are to come home, by git inside; they lie packed in the private folder then. */
  async #export(asked: Inside & { readonly start: string }): Promise<readonly string[]> {
    const { id, start, inner, repository, signal } = asked;
    const { sandbox, repositories, clock } = this.#options;
    if (sandbox === null) throw failed("no process can be started to read what was committed");
    const { common } = repository;
    const at = `${common}/worktrees/${id}`;
    const words = [at, branchOf(id), start, `${MAX_TIPS}`];
    const argv = ["bash", "--norc", "-c", EXPORT_SCRIPT, "troupe", ...words] as const;
    const shown = await shownOf({ id, inner, repository });
    const packing = await sandbox.open({ workspace: `${repositories.folder}/${id}`, argv, shown });
    const late = clock.after(MAX_EXPORT_MS, () => packing.kill());
    const said = outputOf(packing, { maxBytes: 16_384, ...(signal && { signal }) });
    const { code, stdout, stderr } = await said.finally(() => late.cancel());
    if (code !== 0)
      throw failed(`what was committed inside cannot be read: ${mainLine(stderr) || `exit code ${code}`}`);
    const tips = stdout.trim().split("\n");
    const isName = (tip: string): boolean => tip.length === start.length && /^[0-9a-f]+$/.test(tip);
    if (tips.length > MAX_TIPS || !tips.every(isName))
      throw failed("what was committed inside cannot be told");
    return tips;
  }

  /** Keeps C3. */
  async #import(asked: Inside & { readonly start: string; readonly tips: readonly string[] }): Promise<void> {
    const { id, start, inner, tips, repository, signal } = asked;
    const { git } = this.#options;
    const { common, clean, home, as } = repository;
    const at = { gitDir: common, as, signal };
    const branch = `refs/heads/${branchOf(id)}`;
    const [head = start, ...others] = tips;
    const isThere = await git.holds(["show-ref", "--verify", "--quiet", branch], at);
    // A person may have removed it while the task was at work.
    const before = isThere ? await git.name(["rev-parse", "--verify", `${branch}^{commit}`], at) : start;
    if (head === before && others.length === 0) return;
    const pack = `${home}/.import-${id}.pack`;
    try {
      await copyRegular(`${inner}/${EXPORT}`, pack, MAX_PACK_BYTES);
      if (as !== null) await give(pack, as);
      await git.text(["index-pack", "--stdin", "--strict"], { ...at, stdin: pack });
    } finally {
      await removeAll(pack);
    }
    // Everything that they lead to is there, and of the kind that it should be.
    await git.text(["rev-list", "--objects", "--quiet", ...tips, "--not", start, "--"], at);
    for (const tip of tips) await git.name(["rev-parse", "--verify", `${tip}^{commit}`], at);
    const isAhead = await git.holds(["merge-base", "--is-ancestor", before, head], at);
    for (const other of isAhead ? others : [before, ...others])
      await git.text(["update-ref", `${branch}.${other.slice(0, 12)}`, other], at);
    await git.text(["update-ref", branch, head, ...(isThere ? [before] : [])], at);
    if ((await kindAt(`${common}/worktrees/${id}`)) === "none") return;
    const index = `${common}/worktrees/${id}/index`;
    await git.text(["read-tree", head], { gitDir: clean, index, objects: `${common}/objects`, as, signal });
  }
}

/** Whether those who work inside can read the repository's objects where they lie; else they get a copy. */
async function isLent({ common, as, worker }: Repository): Promise<boolean> {
  const owner = worker ?? as;
  return owner === null || (await canRead(`${common}/objects`, owner));
}

/** Keeps C1 and C2. */
async function shownOf(facts: {
  readonly id: string;
  readonly inner: string;
  readonly repository: Repository;
}): Promise<readonly ShownFolder[]> {
  const { id, inner, repository } = facts;
  const { common } = repository;
  const own = { path: inner, at: `${common}/worktrees/${id}`, writable: true };
  if (!(await isLent(repository))) return [own];
  return [own, { path: `${common}/objects`, at: `${common}/objects`, writable: false }];
}

/** Whoever commits inside is told from people by its name. */
function configOf(id: string, format: string): string {
  const isNewer = format !== "sha1";
  return [
    "[core]",
    `\trepositoryformatversion = ${isNewer ? 1 : 0}`,
    "\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true",
    ...(isNewer ? ["[extensions]", `\tobjectformat = ${format}`] : []),
    "[gc]\n\tauto = 0",
    "[user]",
    `\tname = Troupe ${id}`,
    `\temail = ${id}@troupe.invalid`,
    "",
  ].join("\n");
}
