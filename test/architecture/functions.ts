// Finds the functions of a source and measures them: declarations, methods, constructors, accessors and arrow
// functions in brackets (the formatter gives every arrow its brackets). Works on masked text by matching brackets.
// Signatures without a body are skipped, except arrow types, whose parameters are counted like any other.

import { lineAt } from "./mask.ts";

export interface FoundFunction {
  /** The name as far as the text shows one; `(arrow)` otherwise. */
  readonly name: string;
  readonly line: number;
  /** From the line of the name to the line of the closing brace, both counted. */
  readonly lines: number;
  readonly parameters: number;
  /** The masked code from the parameters to the end. */
  readonly code: string;
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
/** Words before an opening bracket that make it no parameter list of a method or a call. */
const CONTROL_WORDS = new Set(["if", "for", "while", "switch", "catch", "with"]);
/** Words that are followed by an expression or an arrow function, not by a parameter list of their own. */
const EXPRESSION_WORDS = new Set(
  "return await typeof async yield void delete in of case new throw else do extends default as satisfies".split(
    " ",
  ),
);
/** Words inside a type after which another operand must come. */
const TYPE_OPERATORS = new Set("is keyof readonly typeof extends asserts infer unique".split(" "));

/** How far before a bracket its name and type parameters are looked for. */
const LOOK_BACK = 600;

/** Index of the bracket that closes the one at `open`, or -1. */
export function closingOf(code: string, open: number): number {
  const stack: string[] = [];
  for (let at = open; at < code.length; at += 1) {
    const character = code.charAt(at);
    const closing = CLOSING[character];
    if (closing !== undefined) stack.push(closing);
    else if (character === ")" || character === "]" || character === "}") {
      if (stack.pop() !== character) return -1;
      if (stack.length === 0) return at;
    }
  }
  return -1;
}

interface Head {
  readonly name: string;
  readonly start: number;
  /** A name or `]` stands before the bracket: only a body in braces makes it a function. */
  readonly named: boolean;
}

/** What stands before the bracket at `open`, or `null` when it belongs to a control statement. */
function headBefore(code: string, open: number): Head | null {
  const from = Math.max(0, open - LOOK_BACK);
  const before = withoutGenerics(code.slice(from, open).trimEnd());
  const word = /(#?[\w$]+)\s*\??$/.exec(before);
  if (word === null) {
    const computed = /\[[^[\]]*\]$/.exec(before);
    if (computed !== null && /[{};]\s*(?:async\s+|static\s+|\*\s*)*$/.test(before.slice(0, computed.index))) {
      return { name: computed[0], start: from + computed.index, named: true };
    }
    return { name: "(arrow)", start: open, named: false };
  }
  const name = word[1] as string;
  if (CONTROL_WORDS.has(name) || /(?<![.\w$#])for\s+await$/.test(before)) return null;
  if (EXPRESSION_WORDS.has(name)) return { name: "(arrow)", start: open, named: false };
  if (/(?<![.\w$#])extends\s+[\w$.]*$/.test(before.slice(0, word.index))) return null;
  return { name: name === "function" ? "(function)" : name, start: from + word.index, named: true };
}

/** Cuts a trailing `<…>` of type parameters, if the text ends with one. */
function withoutGenerics(before: string): string {
  if (!before.endsWith(">") || before.endsWith("=>")) return before;
  let depth = 0;
  for (let at = before.length - 1; at >= 0 && before.length - at < 400; at -= 1) {
    if (before[at] === ">" && before[at - 1] !== "=") depth += 1;
    if (before[at] === "<") depth -= 1;
    if (depth === 0) return before.slice(0, at).trimEnd();
  }
  return before;
}

type Body = { readonly kind: "braces" | "arrow"; readonly at: number };

/** Finds what follows a parameter list: a body in braces, an arrow, or nothing that makes it a function. */
function bodyAfter(code: string, close: number): Body | null {
  const rest = code.slice(close + 1);
  const plain = /^\s*(\{|=>|:)/.exec(rest);
  if (plain === null) return null;
  const at = close + plain[0].length;
  if (plain[1] === "{") return { kind: "braces", at };
  if (plain[1] === "=>") return { kind: "arrow", at: at + 1 };
  return bodyAfterType(code, at + 1);
}

/** Skips a return type: an opening brace is a body only where the type needs no further operand. */
function bodyAfterType(code: string, from: number): Body | null {
  let expecting = true;
  let functionType = false;
  for (let at = from; at < code.length; at += 1) {
    const character = code.charAt(at);
    if (/\s/.test(character)) continue;
    if (character === "{" && !expecting) return { kind: "braces", at };
    if (CLOSING[character] !== undefined) {
      functionType = expecting && character === "(";
      at = closingOf(code, at);
      if (at < 0) return null;
      expecting = false;
    } else if (code.startsWith("=>", at)) {
      if (!functionType) return { kind: "arrow", at: at + 2 };
      functionType = false;
      expecting = true;
      at += 1;
    } else if (/[|&?:<,]/.test(character)) {
      expecting = true;
    } else if (/[\w$]/.test(character)) {
      const word = (/^[\w$]+/.exec(code.slice(at, at + 80)) as RegExpExecArray)[0];
      expecting = TYPE_OPERATORS.has(word);
      at += word.length - 1;
    } else if (!/[.>"'`]/.test(character)) {
      return null;
    } else expecting = false;
  }
  return null;
}

/** Where the body ends: its closing brace, or the end of the expression of an arrow. */
function endOf(code: string, body: Body): number {
  const start = body.kind === "arrow" ? code.slice(body.at).search(/\S/) + body.at : body.at;
  if (code[start] === "{") return closingOf(code, start);
  for (let at = start; at < code.length; at += 1) {
    const character = code.charAt(at);
    if (CLOSING[character] !== undefined) at = Math.max(at, closingOf(code, at));
    else if (/[,;)\]}]/.test(character)) return at - 1;
  }
  return code.length - 1;
}

/** Counts what the outermost commas of a parameter list part; a `this` parameter is none. */
function countParameters(list: string): number {
  const parameters: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < list.length; at += 1) {
    const character = list.charAt(at);
    if ("([{<".includes(character)) depth += 1;
    if (")]}".includes(character) || (character === ">" && list[at - 1] !== "=")) depth -= 1;
    if (character !== "," || depth !== 0) continue;
    parameters.push(list.slice(from, at));
    from = at + 1;
  }
  parameters.push(list.slice(from));
  return parameters.filter((text) => text.trim() !== "" && !/^\s*this\s*:/.test(text)).length;
}

/** Contract: pure; in order of appearance; nested functions are listed too. */
export function functionsOf(code: string): readonly FoundFunction[] {
  const found: FoundFunction[] = [];
  for (let open = code.indexOf("("); open >= 0; open = code.indexOf("(", open + 1)) {
    const head = headBefore(code, open);
    const close = head === null ? -1 : closingOf(code, open);
    const body = head === null || close < 0 ? null : bodyAfter(code, close);
    if (head === null || body === null || (head.named && body.kind !== "braces")) continue;
    if (!head.named && body.kind !== "arrow") continue;
    const line = lineAt(code, head.start);
    const end = endOf(code, body);
    found.push({
      name: head.name,
      line,
      lines: lineAt(code, end) - line + 1,
      parameters: countParameters(code.slice(open + 1, close)),
      code: code.slice(open, end + 1),
    });
  }
  return found;
}
