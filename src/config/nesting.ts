// How deep a YAML text nests, told from its words before anything recursive sees it, and what its aliases make of it.
// Pure, and in time proportional to the text.

import { CST, Lexer, visit, type Document } from "yaml";

/** Levels that a config may have; its schema needs five. */
export const MAX_DEPTH = 64;
/** Aliases that a config may hold; each one is looked up through the whole document. */
export const MAX_ALIASES = 100;

/** What is wrong, and where it begins in the text. */
export interface NestingProblem {
  readonly offset: number;
  readonly message: string;
}

const TOO_DEEP = `expected at most ${MAX_DEPTH} levels of nesting, got more`;
const OPENING: ReadonlySet<string | null> = new Set(["flow-seq-start", "flow-map-start"]);
const CLOSING: ReadonlySet<string | null> = new Set(["flow-seq-end", "flow-map-end"]);
/** `- ` and `? ` open a level where they stand, several of them on one line. */
const INDICATORS: ReadonlySet<string | null> = new Set(["seq-item-ind", "explicit-key-ind"]);
const BLANKS: ReadonlySet<string | null> = new Set(["space", "newline", "comment"]);
/** Marks of the lexer's own; they stand for no character of the text. */
const MARKS: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);

/** Contract: `null` where the text nests at most `MAX_DEPTH` levels; never throws. */
export function tooDeepAt(source: string): NestingProblem | null {
  /** Columns at which blocks are open, from the outermost. */
  const blocks: number[] = [];
  let flows = 0;
  let offset = 0;
  let column = 0;
  let isFirst = true;
  let isScalar = false;
  for (const word of new Lexer().lex(source)) {
    if (!isScalar && MARKS.has(word)) {
      isScalar = word === CST.SCALAR;
      continue;
    }
    const kind = isScalar ? "scalar" : CST.tokenType(word);
    isScalar = false;
    if (OPENING.has(kind)) flows += 1;
    else if (CLOSING.has(kind)) flows = Math.max(0, flows - 1);
    else if (flows === 0 && !BLANKS.has(kind) && (isFirst || INDICATORS.has(kind))) {
      while ((blocks.at(-1) ?? -1) >= column) blocks.pop();
      blocks.push(column);
    }
    if (blocks.length + flows > MAX_DEPTH) return { offset, message: TOO_DEEP };
    const newline = word.lastIndexOf("\n");
    isFirst = newline >= 0 || (isFirst && BLANKS.has(kind));
    column = newline >= 0 ? word.length - newline - 1 : column + word.length;
    offset += word.length;
  }
  return null;
}

/** Aliases that stand inside what they name, or are too many. Contract: never throws; the text was not too deep. */
export function aliasProblem(document: Document): NestingProblem | null {
  let problem: NestingProblem | null = null;
  let count = 0;
  visit(document, {
    Alias: (_, alias, above) => {
      const offset = alias.range?.[0] ?? 0;
      count += 1;
      if (count > MAX_ALIASES)
        problem = { offset, message: `expected at most ${MAX_ALIASES} aliases, got more` };
      else if (above.some((node) => node === alias.resolve(document)))
        problem = { offset, message: `*${alias.source} stands inside the very block that it names` };
      return problem === null ? undefined : visit.BREAK;
    },
  });
  return problem;
}

/** Whether plain data without cycles nests deeper than a text may: aliases can put blocks into one another. */
export function isTooDeep(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    const next = new Set<unknown>();
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      for (const below of Object.values(item) as unknown[]) next.add(below);
    }
    level = [...next];
  }
  return false;
}
