// The next look that a worker takes: one call of a file tool, or none when it has seen enough. Derived anew each turn
// from the goal, the steers and what came back, so that a steer changes the plan from the next turn on.
//
// K1. The same call is never made twice, and never more than MOST_CALLS in all: every plan ends.
// K2. Only tools that were offered are called, with argument names that their schemas have.

import { offers, type PolicyCall, type PolicyRequest } from "../policy.ts";
import {
  fileTextOf,
  isFileRefusal,
  listingOf,
  searchOf,
  type Entry,
  type FileText,
  type Listing,
  type Search,
} from "./file-results.ts";
import { isRecord, type Exchange } from "./transcript.ts";
import type { Brief } from "./worker-brief.ts";

const MOST_CALLS = 12;
const MOST_FOLDERS = 4;
/** Lines read of a file to say what it is about. */
const GLANCE_LINES = 120;
const READABLE = /\.(md|mdx|tsx?|m?js|jsonl?|ya?ml|txt|py|css|html|toml|sh)$|^[A-Z]+$/;

/** Everything that the file tools have brought back so far. */
export interface Seen {
  readonly listings: readonly Listing[];
  readonly texts: readonly FileText[];
  readonly searches: readonly Search[];
  readonly failures: readonly Exchange[];
  /** Calls made, as text, so that none is made again. */
  readonly made: ReadonlySet<string>;
}

/** What makes two calls the same look: how much of a file is read does not count. */
function keyOf(call: PolicyCall): string {
  const words = Object.values(call.arguments).filter((value) => typeof value === "string");
  return `${call.name} ${words.join(" ")}`;
}

/** Sorts the answered calls of the file tools into facts and failures. */
export function seenIn(exchanges: readonly Exchange[]): Seen {
  const files = exchanges.filter((entry) => /^(list_dir|read_file|search_files)$/.test(entry.name));
  const failed = (entry: Exchange): boolean =>
    entry.failed || (typeof entry.value === "string" && isFileRefusal(entry.name, entry.text));
  const good = (name: string): readonly Exchange[] =>
    files.filter((entry) => entry.name === name && !failed(entry));
  return {
    listings: good("list_dir").map(listingOf),
    texts: good("read_file").map(fileTextOf),
    searches: good("search_files").map(searchOf),
    failures: files.filter(failed),
    made: new Set(files.map(keyOf)),
  };
}

/** The argument names that a tool's schema has. */
function schemaOf(request: PolicyRequest, tool: string): Readonly<Record<string, unknown>> {
  const schema = request.tools.find((offered) => offered.name === tool)?.parameters["properties"];
  return isRecord(schema) ? schema : {};
}

/** A tool's own name for an argument: the first of these that its schema has (K2). */
function argumentName(request: PolicyRequest, tool: string, names: readonly [string, ...string[]]): string {
  const schema = schemaOf(request, tool);
  return names.find((name) => name in schema) ?? names[0];
}

class Plan {
  readonly #request: PolicyRequest;
  readonly #brief: Brief;
  readonly #seen: Seen;

  constructor(request: PolicyRequest, brief: Brief, seen: Seen) {
    this.#request = request;
    this.#brief = brief;
    this.#seen = seen;
  }

  next(): PolicyCall | null {
    if (this.#seen.made.size >= MOST_CALLS) return null;
    const wishes = [...this.#places(), ...this.#searches(), ...this.#folders(), ...this.#reads()];
    return (
      wishes.find((wish) => offers(this.#request, wish.name) && !this.#seen.made.has(keyOf(wish))) ?? null
    );
  }

  #list(path: string): PolicyCall {
    const name = argumentName(this.#request, "list_dir", ["path", "directory", "dir"]);
    return { name: "list_dir", arguments: { [name]: path } };
  }

  /** A file that was named is read as the tool gives it; of one that only happened to be there, its beginning. */
  #read(path: string, isNamed: boolean): PolicyCall {
    const name = argumentName(this.#request, "read_file", ["path", "file_path", "file"]);
    const isCut = !isNamed && "max_lines" in schemaOf(this.#request, "read_file");
    return { name: "read_file", arguments: { [name]: path, ...(isCut ? { max_lines: GLANCE_LINES } : {}) } };
  }

  /** What was named in so many words; else the root, unless something was seen already. */
  #places(): readonly PolicyCall[] {
    const paths = this.#brief.focus?.paths.length ? this.#brief.focus.paths : this.#brief.paths;
    if (paths.length === 0) return this.#seen.made.size === 0 ? [this.#list(".")] : [];
    return paths.map((path) => (isFile(path) ? this.#read(this.#listed(path), true) : this.#list(path)));
  }

  /** A bare file name that some listing showed stands for the file there. */
  #listed(path: string): string {
    if (path.includes("/")) return path;
    const entries = this.#seen.listings.flatMap((listing) => listing.entries);
    return entries.find((entry) => entry.name === path)?.path ?? path;
  }

  #searches(): readonly PolicyCall[] {
    const term = argumentName(this.#request, "search_files", ["text", "pattern", "query", "term"]);
    const byText = this.#terms().map((word) => this.#search({ [term]: word }));
    const { extensions } = this.#brief;
    const canGlob = "glob" in schemaOf(this.#request, "search_files");
    if (!canGlob || extensions.length === 0 || this.#candidates().length > 0) return byText;
    // Nothing of the wanted kind was listed: it may lie deeper.
    return [...byText, ...extensions.map((extension) => this.#search({ glob: `*${extension}` }))];
  }

  #search(what: Readonly<Record<string, string>>): PolicyCall {
    const place = argumentName(this.#request, "search_files", ["path", "directory", "dir"]);
    const where = this.#brief.focus?.paths[0] ?? this.#roots()[0] ?? this.#brief.paths[0] ?? ".";
    return { name: "search_files", arguments: { ...what, [place]: where } };
  }

  #terms(): readonly string[] {
    const { terms, focus, wantsFunctions } = this.#brief;
    if (focus === null) return wantsFunctions ? [...terms, "function "] : terms;
    // A focus that names no place and nothing that was listed is a word to search for.
    const isPlace = focus.paths.length > 0 || this.#meant().length > 0 || terms.length > 0;
    return isPlace ? terms : [...focus.keywords].slice(0, 1);
  }

  /** The folders that the work is about. */
  #roots(): readonly string[] {
    const named = (this.#brief.focus?.paths ?? []).concat(this.#brief.paths).filter((path) => !isFile(path));
    return named.length > 0
      ? named
      : this.#meant()
          .filter((entry) => entry.isFolder)
          .map((entry) => entry.path);
  }

  /** Listed entries that the goal calls by their names, with or without the ending. */
  #meant(): readonly Entry[] {
    const { words } = this.#brief;
    return this.#seen.listings
      .flatMap((listing) => listing.entries)
      .filter(
        ({ name }) => words.has(name.toLowerCase()) || words.has(name.toLowerCase().replace(/\.\w+$/, "")),
      );
  }

  /** Folders to go into: those that were meant, and where nothing readable was listed so far, the next ones down. */
  #folders(): readonly PolicyCall[] {
    const meant = this.#meant().filter((entry) => entry.isFolder);
    const isLost = this.#candidates().length === 0 && this.#searches().length === 0;
    const deeper =
      this.#brief.wantsCount || isLost
        ? this.#inside().filter(
            (entry) => entry.isFolder && !entry.name.startsWith(".") && entry.name !== "node_modules",
          )
        : [];
    const room = Math.max(0, MOST_FOLDERS - Math.max(0, this.#seen.listings.length - 1));
    return [...meant, ...deeper.slice(0, room)].map((entry) => this.#list(entry.path));
  }

  /** Listed entries under the folders that the work is about; all where none is named. */
  #inside(): readonly Entry[] {
    const roots = this.#roots();
    return this.#seen.listings
      .filter((listing) => roots.length === 0 || roots.some((root) => isUnder(listing.path, root)))
      .flatMap((listing) => listing.entries);
  }

  #candidates(): readonly Entry[] {
    return this.#inside().filter((entry) => !entry.isFolder && fits(entry.path, this.#brief));
  }

  /** Files that were called by their names suffice; then those with matches; else the first ones listed. */
  #reads(): readonly PolicyCall[] {
    const found = this.#seen.searches.flatMap((search) => search.matches.map((match) => match.path));
    const named = this.#meant().filter((entry) => !entry.isFolder);
    const isReadme = (entry: Entry): number => (/^readme/i.test(entry.name) ? 0 : 1);
    const first = this.#candidates().toSorted((a, b) => isReadme(a) - isReadme(b));
    const { focus, terms, paths } = this.#brief;
    const isGuided = named.length > 0 || focus !== null || terms.length > 0 || paths.some(isFile);
    const isFocused = focus !== null && (focus.paths.length > 0 || named.length > 0);
    const listed = [...named, ...(isGuided ? [] : first)].map((entry) => entry.path);
    const wanted = [...new Set([...listed, ...(isFocused ? [] : found)])].filter((path) =>
      fits(path, this.#brief),
    );
    const isNamed = (path: string): boolean => named.some((entry) => entry.path === path);
    return wanted.slice(0, this.#appetite()).map((path) => this.#read(path, isNamed(path)));
  }

  /** How many files to read: some to say what is in them, few to say how many there are. */
  #appetite(): number {
    if (this.#brief.isBrief) return 1;
    return this.#brief.wantsCount || this.#brief.terms.length > 0 ? 2 : 4;
  }
}

/** Whether a path looks like a file: it has an ending. A folder with one is mistaken for a file. */
export function isFile(path: string): boolean {
  return /[\w-]\.\w{1,5}$/.test(path);
}

/** Whether a path is a folder or lies in it. */
export function isUnder(path: string, root: string): boolean {
  return root === "." || path === root || path.startsWith(`${root}/`);
}

/** Whether a file is one to read, by its ending and by what a steer allows. */
export function fits(path: string, brief: Brief): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (brief.extensions.length > 0) return brief.extensions.some((extension) => name.endsWith(extension));
  return READABLE.test(name);
}

/** The next call; `null` when the worker has seen enough. */
export function nextLook(request: PolicyRequest, brief: Brief, seen: Seen): PolicyCall | null {
  return new Plan(request, brief, seen).next();
}
