// Positive controls: small sources that break one rule each, and lookalikes that break none. Without them a scanner
// that finds nothing would pass for a tree that is clean.

import type { Rule } from "./violation.ts";

export interface Control {
  readonly name: string;
  readonly rule: Rule;
  readonly path: string;
  readonly text: string;
  /** Part of the message that must come. */
  readonly says: string;
  /** Further sources that the case needs. */
  readonly beside?: Readonly<Record<string, string>>;
}

const HEAD = "// A head comment.\n";

/** One case whose text follows a head comment. */
function bad(rule: Rule, path: string, rest: { name: string; text: string; says: string }): Control {
  return { rule, path, ...rest, text: HEAD + rest.text };
}

const importing = (rule: Rule, path: string, rest: { text: string; says: string }): Control =>
  bad(rule, path, { name: `${path}: ${rest.text.replace(/\s+/g, " ")}`, ...rest });

const IMPORTS: readonly Control[] = [
  importing("floors", "src/core/a.ts", { text: 'import { x } from "../store/b.ts";', says: "only go down" }),
  importing("floors", "src/base/a.ts", {
    text: 'import type { X } from "../core/b.ts";',
    says: "only go down",
  }),
  importing("floors", "src/store/a.ts", {
    text: 'import {\n  x,\n  y,\n} from "../scheduler/b.ts";',
    says: "sibling",
  }),
  importing("floors", "providers/a.ts", { text: 'import "../src/config/b.ts";', says: "sibling" }),
  importing("floors", "src/http/a.ts", {
    text: 'const x = await import("../runtime/b.ts");',
    says: "sibling",
  }),
  importing("floors", "src/http/a.ts", {
    text: "const x = await import(`../runtime/b.ts`);",
    says: "sibling",
  }),
  importing("floors", "src/runtime/a.ts", { text: 'import x from "../compose.ts";', says: "floor 5" }),
  importing("floors", "src/compose.ts", { text: 'import { x } from "./cli/b.ts";', says: "floor 6" }),
  importing("floors", "src/core/a.ts", { text: 'import { x } from "../attic/b.ts";', says: "no room" }),
  importing("floors", "src/attic/b.ts", { text: "export const x = 1;", says: "lies in no room" }),
  importing("types_only", "machines/a.ts", {
    text: 'import { x } from "../src/store/b.ts";',
    says: "import type",
  }),
  importing("types_only", "machines/a.ts", {
    text: 'import { type X } from "../providers/b.ts";',
    says: "import type",
  }),
  importing("outside", "src/core/a.ts", { text: 'import { x } from "../../test/b.ts";', says: "test/b.ts" }),
  importing("outside", "src/cli/a.ts", { text: 'import { x } from "../../bench/b.ts";', says: "bench/b.ts" }),
  importing("outside", "web/chart/a.js", {
    text: 'import { x } from "../../src/core/b.ts";',
    says: "browsers load nothing but web/",
  }),
  importing("outside", "web/model/a.js", {
    text: 'import { x } from "../../src/base/b.ts";',
    says: "src/base",
  }),
  importing("floors", "web/model/a.js", { text: 'import { x } from "../chart/b.js";', says: "only go down" }),
  importing("floors", "src/core/a.ts", {
    text: 'import { x } from "../../web/chart/b.js";',
    says: "floor 6",
  }),
  importing("extension", "web/model/a.js", { text: 'import { x } from "./b.ts";', says: ".js" }),
  importing("outside", "providers/a.ts", { text: 'import x from "../package.json";', says: "package.json" }),
  importing("owners", "src/core/a.ts", {
    text: 'import { setup } from "xstate";',
    says: "belongs to machines",
  }),
  importing("owners", "src/runtime/a.ts", {
    text: 'import { z } from "zod";',
    says: "belongs to src/core",
  }),
  importing("owners", "src/cli/a.ts", {
    text: 'import type { Hono } from "hono/tiny";',
    says: "imports hono",
  }),
  importing("owners", "src/http/a.ts", {
    text: 'import { serve } from "@hono/node-server";',
    says: "src/base/listen-node.ts",
  }),
  importing("owners", "src/core/a.ts", { text: 'import x from "left-pad";', says: "has no owner" }),
  importing("builtins", "src/core/a.ts", { text: 'import { join } from "node:path";', says: "node:path" }),
  importing("builtins", "src/runtime/a.ts", {
    text: 'import { spawn } from "node:child_process";',
    says: "node:child_process",
  }),
  importing("computed_import", "src/core/a.ts", { text: "await import(name);", says: "name the module" }),
  importing("computed_import", "src/core/a.ts", {
    text: "await import(`./${name}.ts`);",
    says: "name the module",
  }),
  importing("extension", "src/core/a.ts", { text: 'import { x } from "./b.js";', says: ".ts" }),
  importing("reexport", "src/index.ts", { text: 'export * from "./core/b.ts";', says: "export *" }),
  importing("reexport", "src/core/a.ts", { text: 'export * as b from "./b.ts";', says: "export *" }),
  importing("reexport", "bench/a.ts", { text: 'export * from "./b.ts";', says: "export *" }),
  importing("reexport", "src/core/a.ts", { text: 'export { x } from "./b.ts";', says: "src/index.ts" }),
  importing("reexport", "src/core/a.ts", { text: 'export type { X } from "./b.ts";', says: "src/index.ts" }),
  {
    ...importing("cycles", "src/core/a.ts", {
      text: 'import type { B } from "./b.ts";\nexport type A = B;',
      says: "src/core/a.ts → src/core/b.ts → src/core/a.ts",
    }),
    beside: { "src/core/b.ts": `${HEAD}import type { A } from "./a.ts";\nexport type B = A;\n` },
  },
];

const global = (token: string, text: string): Control =>
  bad("globals", "src/runtime/a.ts", { name: `\`${text}\``, text, says: `\`${token}\`` });

const GLOBALS: readonly Control[] = [
  bad("globals", "web/model/a.js", {
    name: "a clock in a page",
    text: "const now = Date.now();",
    says: "`Date.now`",
  }),
  global("Date.now", "const now = Date.now();"),
  global("Date.now", "const text = `at ${Date.now()}`;"),
  global("Date.now", "const clock = { now: Date.now };"),
  global("new Date()", "const now = new Date();"),
  global("new Date()", "const now = Date();"),
  global("performance", "const now = performance.now();"),
  global("timers", "setTimeout(go, 5);"),
  global("timers", "const timer = setInterval(go, 5);"),
  global("timers", "const later = setImmediate;"),
  global("AbortSignal.timeout", "const signal = AbortSignal.timeout(5);"),
  global("Math.random", "const x = Math.random();"),
  global("crypto random", "const id = crypto.randomUUID();"),
  global("crypto random", "crypto.getRandomValues(new Uint8Array(4));"),
  global("process", "const home = process.env.HOME;"),
  global("process", 'const home = process["env"];'),
  global("other runtimes", "Deno.exit(1);"),
  global("globalThis", "const call = globalThis.fetch;"),
  global("console", 'console.log("x");'),
  global("fetch", "const answer = await fetch(url);"),
  global("fetch", "const call = options.fetch ?? fetch;"),
  global("fetch", "send({ fetch: typeof fetch === 'function' }, fetch(url));"),
];

const lines = (count: number, text: string): string => `${text}\n`.repeat(count);

const SHAPES: readonly Control[] = [
  bad("file_length", "src/core/a.ts", { name: "301 lines", text: lines(300, "//"), says: "301 lines" }),
  bad("file_length", "test/a.test.ts", { name: "a long test", text: lines(301, "//"), says: "302 lines" }),
  bad("function_length", "src/core/a.ts", {
    name: "a long function",
    text: `export function long(a: string): { x: number } {\n${lines(69, "  // }")}}\n`,
    says: "`long` has 71 lines",
  }),
  bad("function_length", "src/core/a.ts", {
    name: "a long method",
    text: `class A {\n  async #go(): Promise<void> {\n${lines(70, "    go('{');")}  }\n}\n`,
    says: "`#go` has 72 lines",
  }),
  bad("function_length", "providers/a.ts", {
    name: "a long arrow",
    text: `const f = (a: string): ((b: string) => string) => {\n${lines(70, "  // `")}};\n`,
    says: "has 72 lines",
  }),
  bad("function_length", "test/a.test.ts", {
    name: "a long function of a test",
    text: `function fixture(): void {\n${lines(70, "  go();")}}\n`,
    says: "`fixture` has 72 lines",
  }),
  bad("parameters", "src/core/a.ts", {
    name: "four parameters",
    text: "export function f(a: Map<string, number>, b = [1, 2], c: (x: 1, y: 2) => void, d?: string): void {}\n",
    says: "`f` has 4 parameters",
  }),
  bad("parameters", "src/core/a.ts", {
    name: "four parameters of a constructor",
    text: "class A {\n  constructor(\n    a: 1,\n    b: 2,\n    c: 3,\n    d: 4,\n  ) {}\n}\n",
    says: "`constructor` has 4 parameters",
  }),
  bad("parameters", "src/core/a.ts", {
    name: "four parameters of an arrow",
    text: "const f = async (a: 1, b: 2, c: 3, d: 4): Promise<void> => go(a);\n",
    says: "has 4 parameters",
  }),
  bad("names", "src/core/string-utils.ts", {
    name: "utils",
    text: "export type X = 1;",
    says: "string-utils",
  }),
  bad("names", "src/core/types.ts", { name: "types", text: "export type X = 1;", says: "`types`" }),
  bad("names", "test/helpers/a.ts", { name: "a folder of helpers", text: "", says: "`helpers`" }),
  bad("names", "src/core/taskRecord.ts", { name: "camelCase", text: "", says: "kebab-case" }),
  bad("names", "src/core/index.ts", { name: "a second barrel", text: "", says: "only index" }),
  {
    name: "no head",
    rule: "head_comment",
    path: "src/core/a.ts",
    text: "let x = 1;\n",
    says: "begins without",
  },
  bad("todo", "src/core/a.ts", { name: "a bare note", text: "// TODO: later\n", says: "TODO(#n)" }),
  bad("todo", "src/core/a.ts", { name: "a note with a name", text: "/* FIXME(ann) */\n", says: "FIXME" }),
  bad("mirror", "src/core/a.ts", {
    name: "no test",
    text: "export const x = 1;\n",
    says: "test/core/a.test.ts",
  }),
  bad("mirror", "web/model/a.js", {
    name: "no test of a browser's module",
    text: "export const x = 1;\n",
    says: "test/web/model/a.test.ts",
  }),
];

export const CONTROLS: readonly Control[] = [...IMPORTS, ...GLOBALS, ...SHAPES];

/** Sources that look like violations to a careless scanner. Each is a file of `src/runtime` but where it says so. */
export const LOOKALIKES: readonly { readonly name: string; readonly text: string; readonly path?: string }[] =
  [
    {
      name: "globals in strings",
      text: "const x = \"Date.now() // \" + 'console.log(1)' + `process.env ${y}`;",
    },
    { name: "globals in comments", text: "// Date.now() is refused.\n/* setTimeout(x) */ const y = 1;" },
    {
      name: "globals in a regular expression",
      text: 'const r = /[/]console.log(x)"/g; const s = a / b / c;',
    },
    {
      name: "properties of the same name",
      text: "clock.setTimeout(1); this.#process.x(); options.fetch(url);",
    },
    { name: "formatting a time", text: "const text = new Date(time).toISOString();" },
    { name: "the type of fetch", text: "interface A {\n  readonly fetch: typeof fetch;\n}" },
    {
      name: "a fetch of its own",
      text: "function go({ url, fetch }: Options): void {\n  void fetch(url);\n}",
    },
    {
      name: "a method called fetch",
      text: "const app = {\n  fetch(request: Request): Response {\n    return x;\n  },\n};",
    },
    { name: "an import in a string", text: "const x = 'import { y } from \"../http/a.ts\";';" },
    { name: "an import of the own room", text: 'import { y } from "./b.ts";' },
    { name: "an import of a type below", text: 'import type {\n  A, // from "x"\n} from "../store/b.ts";' },
    {
      name: "types below machines",
      path: "machines/a.ts",
      text: 'import type { A } from "../src/store/b.ts";',
    },
    {
      name: "a type of the core in a module of the page",
      path: "web/model/a.js",
      text: '/** @typedef {import("../../src/core/task.ts").Task} Task */\nimport { y } from "./b.js";',
    },
    { name: "a call with four arguments", text: "const x = cond ? go(a, b, c, d) : other((e) => e);" },
    { name: "a call whose arguments compare", text: "go(a < b, c > d, (x) => x);" },
    {
      name: "a class that extends a call",
      text: `class A extends mixin(B, C, D, E) {\n${lines(72, "  // x")}}`,
    },
    { name: "a this parameter", text: "function go(this: A, b: 1, c: 2, d: 3): void {}" },
    { name: "a note with its issue", text: "// TODO(#12): mend this." },
    { name: "a word in a string", text: 'const word = "TODO";' },
    {
      name: "a long list of cases",
      path: "test/a.test.ts",
      text: `describe("a", () => {\n${lines(80, '  it("b", () => {});')}});`,
    },
  ];
