// What a goal and the steers after it ask a worker to do, found by words: places, terms to search for, kinds of file,
// and how long the answer may be. A later steer outranks what came before it. Pure; never throws.

import { oneLine } from "./transcript.ts";
import { keywords } from "./words.ts";

/** The goal and the steers, reduced to what a plan needs. */
export interface Brief {
  readonly goal: string;
  /** Files and folders named in so many words, by the goal and the steers. */
  readonly paths: readonly string[];
  /** Single words of the goal, or of the focus: a name in a listing that equals one is meant. */
  readonly words: ReadonlySet<string>;
  readonly terms: readonly string[];
  /** Only files that end so; empty for any. */
  readonly extensions: readonly string[];
  readonly wantsCount: boolean;
  readonly wantsLargest: boolean;
  readonly wantsFunctions: boolean;
  readonly isBrief: boolean;
  /** The steers, in order. */
  readonly steers: readonly string[];
  /** What the last steer with a focus asked to look at; `null` without one. The rest is left aside then. */
  readonly focus: Focus | null;
}

/** Where a steer wants the worker to look: places if it names some, else words. */
export interface Focus {
  readonly text: string;
  readonly paths: readonly string[];
  readonly keywords: ReadonlySet<string>;
}

const KINDS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\b(markdown|\.?md)\b/i, [".md"]],
  [/\b(typescript|\.?ts)\b/i, [".ts", ".tsx"]],
  [/\b(javascript|\.?js)\b/i, [".js", ".mjs"]],
  [/\b(json)\b/i, [".json"]],
  [/\b(ya?ml)\b/i, [".yaml", ".yml"]],
  [/\b(python)\b/i, [".py"]],
];
const PATH = /(?:^|[\s"'`(])((?:\.{1,2}\/)?[\w@.-]+(?:\/[\w@.-]+)*\/?)(?=[\s"'`),;:?!]|\.(?:\s|$)|$)/g;
const HAS_EXTENSION = /[\w-]\.(?:md|mdx|tsx?|m?js|jsonl?|ya?ml|txt|py|css|html|toml|lock|sh)$/i;
const QUOTED = /["“`']([^"“”`'\n]{2,80})["”`']/g;
const SEARCHED =
  /\b(?:search for|grep(?: for)?|mentions? of|mention|contains?|containing|occurrences? of|uses? of)\s+(?:the\s+)?(\w+)/gi;
/** What follows such a verb and is no term. */
const GENERIC =
  /^(?:a|all|an|any|each|every|files?|folders?|functions?|headings?|it|lines?|that|the|this|which|words?)$/i;
/** Words in capitals are searched for as they stand: a marker in a comment, a constant. */
const CAPITALS = /\b(TODOs?|FIXMEs?|XXX|HACK|[A-Z]{2,}_[A-Z_]+)\b/g;
const CONTEXT = /\n\s*(?:#+\s*)?context\b\s*:?/i;

function all(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map((found) => found[1] ?? "").filter((found) => found !== "");
}

function isPath(word: string): boolean {
  if (/^\.+$/.test(word) || /^(?:and\/or|either\/or|e\.g|i\.e)$/i.test(word)) return word === ".";
  return word.includes("/") || HAS_EXTENSION.test(word);
}

function pathsIn(text: string): readonly string[] {
  const bare = text.replace(/\bhttps?:\S+/g, "");
  const paths = all(bare, PATH).map((word) => word.replace(/[.]+$/, ""));
  return [...new Set(paths.filter(isPath).map((path) => path.replace(/(?<=.)\/+$/, "")))];
}

function termsIn(text: string): readonly string[] {
  const quoted = all(text, QUOTED).filter((term) => !isPath(term));
  const searched = all(text, SEARCHED).filter((term) => !GENERIC.test(term));
  const named = [...searched, ...all(text, CAPITALS)].map((term) => term.replace(/(?<=[A-Z])s$/, ""));
  return [...new Set([...quoted, ...named])];
}

function extensionsIn(text: string): readonly string[] {
  const bare = text.replace(new RegExp(PATH, "g"), (word) => (isPath(word.trim()) ? " " : word));
  return KINDS.filter(([pattern]) => pattern.test(bare)).flatMap(([, extensions]) => extensions);
}

function focusIn(text: string): string | null {
  const match =
    /\b(?:focus (?:only )?on|concentrate on|look (?:only )?(?:at|into)|only (?:look at|read))\s+(?:the\s+)?(.+?)[.!]?$/i;
  return match.exec(text.trim())?.[1] ?? null;
}

const isBriefWish = (text: string): boolean =>
  /\b(be (?:very )?brief|briefly|keep it short|short answer|shorter|one line)\b/i.test(text);

/** The goal itself: what stands before the context that the parent added. */
export function goalIn(text: string): string {
  const bare = text.replace(/^\s*(?:#+\s*)?(?:your )?(?:goal|task)\b\s*:?\s*/i, "");
  const end = bare.search(CONTEXT);
  return (end < 0 ? bare : bare.slice(0, end)).trim();
}

/** Reads the first user text and the steers that came since. */
export function briefOf(first: string, steers: readonly string[]): Brief {
  const goal = goalIn(first);
  const focused = steers.findLast((steer) => focusIn(steer) !== null);
  const wish = focused === undefined ? null : focusIn(focused);
  const focus = wish === null ? null : { text: wish, paths: pathsIn(wish), keywords: keywords(wish) };
  const kinds = steers.map(extensionsIn).findLast((extensions) => extensions.length > 0);
  const named = pathsIn(goal);
  const places = named.length > 0 ? named : pathsIn(first);
  const source = wish ?? goal;
  return {
    goal: oneLine(goal, 160),
    paths: [...new Set([...places, ...steers.flatMap(pathsIn)])],
    words: new Set(source.toLowerCase().match(/[\w.-]*\w/g) ?? []),
    terms: wish === null ? [...new Set([...termsIn(goal), ...steers.flatMap(termsIn)])] : termsIn(wish),
    extensions: kinds ?? extensionsIn(goal),
    wantsCount: /\b(count|how many|number of)\b/i.test(goal),
    wantsLargest: /\b(largest|biggest)\b/i.test(goal),
    wantsFunctions: [goal, ...steers].some((text) => /\b(functions?|methods?)\b/i.test(text)),
    isBrief: [goal, ...steers].some(isBriefWish),
    steers,
    focus,
  };
}
