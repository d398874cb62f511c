// Folders of a workspace, walked within bounds. Links are shown but never followed: what they lead to inside the
// workspace is found at its own place, and a loop of links costs nothing. Files that are being written are passed over.

import { lstat, opendir } from "node:fs/promises";
import { ToolError } from "../base/errors.ts";
import { isDraft } from "./file-draft.ts";
import type { Opened, Workspace } from "./workspace.ts";

export interface Entry {
  /** Relative to the workspace, with `/`. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Bytes; of files only. */
  readonly size: number | null;
}

export interface WalkBounds {
  /** 1 is the folder's own entries. */
  readonly maxDepth: number;
  readonly maxEntries: number;
  readonly withSizes: boolean;
  /** Folder names that are listed but not entered. */
  readonly skip: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** One folder is never read further than this, so that a million entries cost neither time nor memory. */
const MAX_FOLDER_ENTRIES = 20_000;

interface Named {
  readonly name: string;
  readonly kind: Entry["kind"];
}

async function entriesOf(
  folder: Opened,
  limit: number,
): Promise<{ readonly names: Named[]; readonly more: boolean }> {
  const names: Named[] = [];
  let more = false;
  // Through the descriptor: the folder that was checked is the folder that is listed.
  for await (const item of await opendir(folder.descriptorPath)) {
    if (isDraft(item.name)) continue;
    if (names.length >= limit) {
      more = true;
      break;
    }
    const file = item.isFile() ? "file" : "other";
    const kind = item.isSymbolicLink() ? "link" : item.isDirectory() ? "folder" : file;
    names.push({ name: item.name, kind });
  }
  return { names: names.sort((a, b) => (a.name < b.name ? -1 : 1)), more };
}

async function sizeOf(folder: Opened, name: string): Promise<number | null> {
  try {
    return (await lstat(`${folder.descriptorPath}/${name}`)).size;
  } catch {
    return null;
  }
}

/** Walks breadth first, names in order. */
export class Walk {
  readonly #workspace: Workspace;
  readonly #bounds: WalkBounds;
  #seen = 0;
  #cutShort = false;
  #depthReached = false;

  constructor(workspace: Workspace, bounds: WalkBounds) {
    this.#workspace = workspace;
    this.#bounds = bounds;
  }

  /** Entries were left out. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  /** Entries were left out, or folders below the depth were not entered. */
  get truncated(): boolean {
    return this.#cutShort || this.#depthReached;
  }

  /**
   * The entries below `path`.
   * Contract: throws ToolError for `path` itself; a folder further down that cannot be opened (or was swapped for
   * something else meanwhile) is passed over. Throws the signal's reason.
   */
  async *entries(path: string): AsyncGenerator<Entry> {
    let level = [path];
    for (let depth = 1; level.length > 0; depth++) {
      const next: string[] = [];
      for (const folder of level) {
        this.#bounds.signal.throwIfAborted();
        for (const entry of await this.#list(folder, depth === 1)) {
          if (this.#seen >= this.#bounds.maxEntries) {
            this.#cutShort = true;
            return;
          }
          this.#seen++;
          if (entry.kind === "folder" && !this.#bounds.skip.has(nameOf(entry.path))) next.push(entry.path);
          yield entry;
        }
      }
      if (depth >= this.#bounds.maxDepth) {
        this.#depthReached = next.length > 0;
        return;
      }
      level = next;
    }
  }

  async #list(path: string, first: boolean): Promise<readonly Entry[]> {
    try {
      return await this.#workspace.withFolder(path, async (folder) => {
        const { names, more } = await entriesOf(folder, MAX_FOLDER_ENTRIES);
        this.#cutShort ||= more;
        const room = this.#bounds.maxEntries - this.#seen + 1;
        const entries: Entry[] = [];
        for (const { name, kind } of names.slice(0, room)) {
          const size = kind === "file" && this.#bounds.withSizes ? await sizeOf(folder, name) : null;
          entries.push({ path: folder.path === "." ? name : `${folder.path}/${name}`, kind, size });
        }
        return entries;
      });
    } catch (error) {
      if (first || !(error instanceof ToolError)) throw error;
      return [];
    }
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
