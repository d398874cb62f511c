// The rules about what stands in one source: forbidden globals, sizes, names, head comments and notes to do.
// Pure: they see a scanned source and answer with violations.

import { posix } from "node:path";
import { PRODUCT_ROOTS, roomOf } from "./floors.ts";
import type { FoundFunction } from "./functions.ts";
import { lineAt } from "./mask.ts";
import type { SourceFile } from "./tree.ts";
import type { Violation } from "./violation.ts";

const LONGEST_FILE = 300;
const LONGEST_FUNCTION = 70;
const MOST_PARAMETERS = 3;
/** The literal that editors and the inspector read as a whole. */
const LONG_FILE = "machines/agent.ts";

/** What src/base is to the rest: the one file of the dashboard that reaches the browser's clock and network. */
const BROWSER_FILE = "web/browser.js";

const BANNED_NAMES = new Set(
  "util utils helper helpers common type types misc manager managers shared constants".split(" "),
);

interface ForbiddenGlobal {
  /** The word that an allowance names. */
  readonly token: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Not part of a longer name, and not a property of something else. */
const BARE = "(?<![.\\w$#])";
const bare = (source: string): RegExp => new RegExp(BARE + source, "g");

/** `new Date(ms)` only formats and is allowed; without an argument it reads the clock. */
export const FORBIDDEN_GLOBALS: readonly ForbiddenGlobal[] = [
  { token: "Date.now", pattern: bare("Date\\s*\\.\\s*now\\b"), instead: "take a Clock" },
  {
    token: "new Date()",
    pattern: bare("(?:new\\s+Date\\s*(?:\\(\\s*\\)|;)|Date\\s*\\(\\s*\\))"),
    instead: "take a Clock",
  },
  { token: "performance", pattern: bare("performance\\s*[.[]"), instead: "take a Clock" },
  {
    token: "timers",
    pattern: bare("(?:setTimeout|setInterval|setImmediate)\\b"),
    instead: "take a Clock and call `after`",
  },
  {
    token: "AbortSignal.timeout",
    pattern: bare("AbortSignal\\s*\\.\\s*timeout\\b"),
    instead: "use base's deadline",
  },
  { token: "Math.random", pattern: bare("Math\\s*\\.\\s*random\\b"), instead: "take a Random" },
  {
    token: "crypto random",
    pattern: bare("crypto\\s*\\.\\s*(?:randomUUID|getRandomValues)\\b"),
    instead: "take a Random, or newId of base",
  },
  {
    token: "process",
    pattern: bare("process\\s*(?:\\??\\.|\\[)"),
    instead: "take the environment as a parameter",
  },
  {
    token: "other runtimes",
    pattern: bare("(?:Bun|Deno)\\s*\\??\\."),
    instead: "put the adapter in src/base",
  },
  { token: "globalThis", pattern: bare("globalThis\\b"), instead: "take what you need as a parameter" },
  { token: "console", pattern: bare("console\\s*[.[]"), instead: "take a Logger or a writer" },
  {
    token: "fetch",
    pattern: bare("(?<!\\btypeof\\s+)(?<!\\bfunction\\s+)fetch\\s*\\("),
    instead: "take a fetch as a parameter",
  },
  {
    token: "fetch",
    pattern: /(?<=(?:\?\?|\|\||=)\s*)fetch\b(?!\s*[.:?(])/g,
    instead: "take a fetch as a parameter",
  },
];

/** A name that the file binds itself: a parameter, a constant or a part taken out of an object. */
const OWN_FETCH =
  /(?:\bconst\s+fetch\b|[{,]\s*fetch\s*(?:,[^{};]*)?\}\s*(?:=|:)|[(,]\s*fetch\s*:\s*typeof fetch\s*[,)])/;
/** A method or property function of that name is declared, not called. */
const FETCH_METHOD = /^fetch\s*\([^()]*\)\s*(?::[^;{}]*)?\{/;

const isProduct = (file: SourceFile): boolean => PRODUCT_ROOTS.includes(file.path.split("/")[0] ?? "");

/** Contract: pure; forbidden globals of one source of the product, `message` beginning with the token in backticks. */
export function globalViolations(file: SourceFile): readonly Violation[] {
  if (!isProduct(file) || roomOf(file.path) === "src/base" || file.path === BROWSER_FILE) return [];
  const { code } = file.masked;
  const ownFetch = OWN_FETCH.test(code);
  return FORBIDDEN_GLOBALS.flatMap(({ token, pattern, instead }) =>
    [...code.matchAll(pattern)]
      .filter((match) => token !== "fetch" || !(ownFetch || FETCH_METHOD.test(code.slice(match.index))))
      .map((match): Violation => {
        const message = `\`${token}\` is reached only through src/base and named adapters: ${instead}`;
        return { rule: "globals", path: file.path, line: lineAt(code, match.index), message };
      }),
  );
}

/** A function that registers test cases (`clause` in the conformance suites) is a list of cases, not one piece of work. */
const registersCases = (found: FoundFunction): boolean =>
  /(?<![.\w$])(?:describe|it|test|suite|clause)\b[\w.]*\s*\(/.test(found.code);

/** Contract: pure; lengths of the file and its functions, and counts of parameters. */
export function sizeViolations(file: SourceFile): readonly Violation[] {
  const { path } = file;
  const found: Violation[] = [];
  const lines = file.text.replace(/\n$/, "").split("\n").length;
  if (lines > LONGEST_FILE && path !== LONG_FILE) {
    found.push({
      rule: "file_length",
      path,
      line: 0,
      message: `${lines} lines, at most ${LONGEST_FILE}: split it`,
    });
  }
  for (const { name, line, ...size } of file.functions) {
    const exempt = path.startsWith("test/") && registersCases({ name, line, ...size });
    if (size.lines > LONGEST_FUNCTION && !exempt && path !== LONG_FILE) {
      const message = `\`${name}\` has ${size.lines} lines, at most ${LONGEST_FUNCTION}: split it`;
      found.push({ rule: "function_length", path, line, message });
    }
    if (size.parameters > MOST_PARAMETERS) {
      const message = `\`${name}\` has ${size.parameters} parameters, at most ${MOST_PARAMETERS}: take an options object`;
      found.push({ rule: "parameters", path, line, message });
    }
  }
  return found;
}

/** Contract: pure; the file's and its folders' names, its head comment, and notes without an issue. */
export function wordViolations(file: SourceFile): readonly Violation[] {
  const { path, text, masked } = file;
  const found: Violation[] = [];
  const stem = posix.basename(path).replace(/(?:\.test|\.config)?\.m?[jt]s$/, "");
  const words = [stem, ...path.split("/").slice(0, -1)];
  for (const word of words) {
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(word)) {
      found.push({ rule: "names", path, line: 0, message: `\`${word}\` is not kebab-case` });
    }
    if (BANNED_NAMES.has(word.split("-").at(-1) ?? "")) {
      found.push({
        rule: "names",
        path,
        line: 0,
        message: `\`${word}\` says nothing: name the thing that it holds`,
      });
    }
  }
  if (stem === "index" && path !== "src/index.ts") {
    found.push({ rule: "names", path, line: 0, message: "the only index is src/index.ts" });
  }
  // A test file's name says what it is about.
  if (!path.endsWith(".test.ts") && !/^(?:#![^\n]*\n)?\/[/*]/.test(text)) {
    found.push({ rule: "head_comment", path, line: 1, message: "begins without a comment on what it does" });
  }
  for (const match of masked.comments.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/g)) {
    const line = lineAt(text, match.index);
    found.push({ rule: "todo", path, line, message: `\`${match[0]}\` names no issue: write TODO(#n)` });
  }
  return found;
}
