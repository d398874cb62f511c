// Finds what a source imports, from its text: static imports over any number of lines, `import type`,
// `export … from`, side-effect imports and dynamic `import()`. It resolves nothing and reads no other file.

import { lineAt } from "./mask.ts";
import type { MaskedSource } from "./mask.ts";

export interface ImportEdge {
  /** As written; `null` for a dynamic import whose target is computed. */
  readonly specifier: string | null;
  /** True for `import type … from` and `export type … from` only: an inline `type` still loads the module. */
  readonly typeOnly: boolean;
  readonly reexport: boolean;
  /** `export * from` and `export * as x from`. */
  readonly star: boolean;
  readonly line: number;
}

/** A word that shows that the text between `import` or `export` and `from` is not one clause. */
const NOT_IN_A_CLAUSE = "import|export|class|interface|function|const|let|var|abstract|declare|async";

const STATIC_FROM = new RegExp(
  `(?<![.\\w$#])(import|export)\\b(\\s+type\\b(?=\\s*[\\w$*{]))?` +
    `((?:(?!\\b(?:${NOT_IN_A_CLAUSE})\\b)[\\w$*{},\\s"'])*?)(?<![\\w$])from\\s*(["'])`,
  "g",
);
const SIDE_EFFECT = /(?<![.\w$#])import\s*(["'])/g;
const DYNAMIC = /(?<![.\w$#])import\s*\(\s*(["'`]?)/g;

/** The text between the quote at `open` and its end; the mask kept the quotes and blanked what they hold. */
function quoted(text: string, open: number): string {
  const quote = text.charAt(open);
  return text.slice(open + 1, text.indexOf(quote, open + 1));
}

/** Contract: pure; in order of appearance per kind. `text` is the source that `masked` was made from. */
export function importsOf(text: string, masked: MaskedSource): readonly ImportEdge[] {
  const edges: ImportEdge[] = [];
  for (const match of masked.code.matchAll(STATIC_FROM)) {
    const clause = match[3] ?? "";
    edges.push({
      specifier: quoted(text, match.index + match[0].length - 1),
      typeOnly: match[2] !== undefined,
      reexport: match[1] === "export",
      star: match[1] === "export" && clause.trim().startsWith("*"),
      line: lineAt(text, match.index),
    });
  }
  for (const match of masked.code.matchAll(SIDE_EFFECT)) {
    edges.push(plainEdge(text, match.index, quoted(text, match.index + match[0].length - 1)));
  }
  for (const match of masked.code.matchAll(DYNAMIC)) {
    const specifier = match[1] === "" ? null : quoted(text, match.index + match[0].length - 1);
    edges.push(plainEdge(text, match.index, specifier?.includes("${") ? null : specifier));
  }
  return edges;
}

function plainEdge(text: string, index: number, specifier: string | null): ImportEdge {
  return { specifier, typeOnly: false, reexport: false, star: false, line: lineAt(text, index) };
}
