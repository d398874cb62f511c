// One YAML document with the place of every key. Refuses what a config never needs: tags, several documents,
// keys that are no text, duplicate keys, alias bombs and cycles, deep nesting and long texts.

import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node } from "yaml";
import { messageOf } from "../base/errors.ts";
import { aliasProblem, isTooDeep, MAX_ALIASES, MAX_DEPTH, tooDeepAt } from "./nesting.ts";
import type { ConfigPath, Problem } from "./problem.ts";
import { MAX_CONFIG_BYTES } from "./read-file.ts";

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigDocument {
  /** Plain data; `{}` for an empty file. */
  readonly value: unknown;
  /** Where the key (or, for `of: "value"`, its value) stands; the nearest one above it where it is absent. */
  readonly placeOf: (path: ConfigPath, of?: "key" | "value") => Place;
}

export type ParsedDocument =
  | { readonly ok: true; readonly document: ConfigDocument }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What to do about the mistakes that people make most. */
const ADVICE: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "this key stands here twice; keep one of them",
  TAB_AS_INDENT: "a tab is used to indent; use spaces",
  MULTIPLE_DOCS: "a second document begins here ('---'); a config is one document",
  NON_STRING_KEY: "a key must be plain text; put it in quotes if it looks like a number",
};

function childOf(document: Document, node: unknown, part: string | number) {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (isMap(target)) {
    const pair = target.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === part);
    return pair === undefined ? null : { key: pair.key as Node, value: pair.value as Node | null };
  }
  if (!isSeq(target) || typeof part !== "number") return null;
  const item = target.items[part] as Node | undefined;
  return item === undefined ? null : { key: item, value: item };
}

function offsetOf(document: Document, path: ConfigPath, of: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of path) {
    const child = childOf(document, node, part);
    if (child === null) return offset;
    const valueOffset = child.value?.range?.[0];
    offset = (of === "value" ? valueOffset : undefined) ?? child.key.range?.[0] ?? offset;
    node = child.value;
  }
  return offset;
}

const NO_ALIASES = "write the values out instead of using aliases";

function refused(message: string, { line, column }: Place = { line: 1, column: 1 }): ParsedDocument {
  return { ok: false, problems: [{ line, column, key: "", message }] };
}

function placeIn(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** Contract: never throws; every problem has its line and column. */
export function parseConfigText(source: string): ParsedDocument {
  if (source.length > MAX_CONFIG_BYTES) {
    const message = `expected a config of at most ${MAX_CONFIG_BYTES} characters, got ${source.length}`;
    return { ok: false, problems: [{ line: null, column: null, key: "", message }] };
  }
  const text = source.replace(/^\uFEFF/, "");
  // The parser calls itself for every level, so this is looked at first.
  const tooDeep = tooDeepAt(text);
  if (tooDeep !== null) return refused(tooDeep.message, placeIn(text, tooDeep.offset));
  const counter = new LineCounter();
  const place = (offset: number): Place => {
    const at = counter.linePos(offset);
    return { line: Math.max(1, at.line), column: Math.max(1, at.col) };
  };
  // prettyErrors would quote the source line, and with it perhaps a key.
  const document = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: true,
  });
  const found = [...document.errors, ...document.warnings];
  if (found.length > 0) {
    const problems = found.map((error) => ({
      ...place(error.pos[0]),
      key: "",
      message: `not valid YAML: ${ADVICE[error.code] ?? error.message}`,
    }));
    return { ok: false, problems };
  }
  const alias = aliasProblem(document);
  if (alias !== null) return refused(`${alias.message}; ${NO_ALIASES}`, place(alias.offset));
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    if (isTooDeep(value)) return refused(`aliases nest over ${MAX_DEPTH} levels; ${NO_ALIASES}`);
    const placeOf = (path: ConfigPath, of: "key" | "value" = "key") => place(offsetOf(document, path, of));
    return { ok: true, document: { value, placeOf } };
  } catch (error) {
    return refused(`not usable: ${messageOf(error)}; ${NO_ALIASES}`);
  }
}
