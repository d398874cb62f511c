// The repository that a folder is the checkout of, found so that a `.git` which an agent put there leads nowhere else.
//
// G1. A `.git` that is a folder is the repository itself; one that is a file counts only when the repository that it names
//     has this folder in its list of worktrees. Agents write to shared folders, and a forged `.git` would have the
//     owner's other repositories checked out for them. A folder named `.git` that appeared while agents had a shell beside
//     it counts only when a person has vouched for it: links in it can lead to any other's objects.
// G2. Where root started the server, git acts as the repository's owner: what it writes there is that owner's, and a link
//     that somebody of the same user laid leads to nothing that only root may write. In root's own repository a checkout
//     belongs to the user whom the sandbox runs commands as.

import { basename, dirname, resolve } from "node:path";
import {
  ensureOpenFolder,
  folderBeside,
  give,
  isPlainFolder,
  kindAt,
  moveUnlessThere,
  ownerOf,
  shortText,
  type Owner,
} from "./base/checkout-files.ts";
import { ensureFolder } from "./base/own-file.ts";
import { failed, reasonOf, type Git } from "./git-runner.ts";
import { SERVICE_UID } from "./sandbox/sandbox.ts";
import { resolvedPath } from "./toolsets/file-policy.ts";

export interface Repository {
  /** Absolute: the folder with its branches, objects and config. */
  readonly common: string;
  /** `sha1` or `sha256`. */
  readonly format: string;
  /** Where what belongs to its worktrees lies beside them; writable for whoever git acts as. */
  readonly home: string;
  /** A git folder of our own with the same kind of objects (keeps N2 of git-command.ts). */
  readonly clean: string;
  /** Whom git becomes; `null`: it stays who we are. */
  readonly as: Owner | null;
  /** Whose checkouts are while a task is at work in them; `null`: git's. */
  readonly worker: Owner | null;
}

/** Whether agents may have made the repository in the folder; links resolved. */
export type HasAppeared = (folder: string) => Promise<boolean>;

export interface RepositoriesOptions {
  readonly git: Git;
  /** Where all worktrees of this box lie; made when the first one is. */
  readonly folder: string;
  /** The user that this process acts as; `null` where the system has no such numbers. */
  readonly uid: number | null;
  readonly hasAppeared: HasAppeared;
}

export class Repositories {
  readonly #options: RepositoriesOptions;
  /** Clean git folders by their paths. */
  readonly #clean = new Map<string, Promise<string>>();

  constructor(options: RepositoriesOptions) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** Contract: throws ConflictError `worktree_failed` where the folder is not the top of a repository. */
  async of(base: string, signal?: AbortSignal): Promise<Repository> {
    const { git, folder, uid } = this.#options;
    const isRoot = uid === 0;
    await (isRoot ? ensureOpenFolder(folder) : ensureFolder(folder));
    const asked = ["--show-prefix", "--git-common-dir", "--absolute-git-dir", "--show-object-format"];
    let answer: string;
    try {
      answer = await git.text(["rev-parse", "--path-format=absolute", ...asked], { cwd: base, signal });
    } catch (error) {
      throw failed(`${base} is no git repository that can be read: ${reasonOf(error)}`);
    }
    const [prefix, common, gitDir, format] = answer.split("\n");
    if (!common?.startsWith("/") || !gitDir || !format)
      throw failed(`git rev-parse answered nothing of ${base}`);
    if (prefix !== "")
      throw failed(`${base} is inside a git repository, not its top folder, which isolation: worktree needs`);
    const problem = await forgery(base, { common, gitDir }, this.#options.hasAppeared);
    if (problem !== null) throw failed(problem);
    const owner = isRoot ? await ownerOf(common) : null;
    const as = owner === null || owner.uid === 0 ? null : owner;
    const worker = owner !== null && as === null ? { uid: SERVICE_UID, gid: SERVICE_UID } : null;
    const home = as === null ? folder : `${folder}/.user-${as.uid}`;
    return { common, format, home, as, worker, clean: await this.#cleanFolder(home, format, as) };
  }

  #cleanFolder(home: string, format: string, as: Owner | null): Promise<string> {
    const path = `${home}/.clean-${format}.git`;
    const known = this.#clean.get(path);
    if (known !== undefined) return known;
    const made = this.#make({ home, path, format, as });
    this.#clean.set(path, made);
    made.catch(() => this.#clean.delete(path));
    return made;
  }

  async #make(asked: { home: string; path: string; format: string; as: Owner | null }): Promise<string> {
    const { home, path, format, as } = asked;
    await ensureFolder(home);
    if (as !== null) await give(home, as);
    if ((await kindAt(path)) === "folder") return path;
    // Another server may be making it too.
    const draft = await folderBeside(path);
    if (as !== null) await give(draft, as);
    const init = ["init", "--bare", "--quiet", "--template=", `--object-format=${format}`, draft];
    await this.#options.git.text(init, { as });
    await moveUnlessThere(draft, path);
    return path;
  }
}

/** Keeps G1: why the folder is no checkout of the repository that git found for it, or `null`. */
async function forgery(
  base: string,
  { common, gitDir }: { readonly common: string; readonly gitDir: string },
  hasAppeared: HasAppeared,
): Promise<string | null> {
  const top = await resolvedPath(base);
  const dotGit = `${top}/.git`;
  const kind = await kindAt(dotGit);
  if (kind === "none") return `${base} is a bare repository, and isolation: worktree needs a checkout`;
  if (kind === "folder" && common === dotGit && gitDir === dotGit) {
    if (!(await hasAppeared(top))) return null;
    return `the .git of ${base} appeared after agents had got a shell there, so that one of them may have made it, and it may lead anywhere. If it is yours, say so: troupe worktrees trust ${top}`;
  }
  if (kind === "file" && dirname(dirname(gitDir)) === common && (await isPlainFolder(gitDir))) {
    const back = (await shortText(`${gitDir}/gitdir`))?.trim();
    if (back && basename(back) === ".git") {
      const named = await resolvedPath(dirname(resolve(gitDir, back)));
      if (named === top) return null;
    }
  }
  return `the .git of ${base} leads to ${common}, which does not know of it; use the repository itself or a worktree of it`;
}
