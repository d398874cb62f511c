// docs/attacks.md against the tests: each case has a row, each test that a row names is there, and each test that names a
// case is in that case's row.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const DOCUMENT = readFileSync(join(ROOT, "docs/attacks.md"), "utf8");

/** The numbers of the acceptance suite; it leaves some out. */
const CASES = [
  [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 18, 20, 21, 22, 23, 24],
  [25, 27, 28, 29, 30, 31, 33, 34, 35, 36],
  [37, 38, 39, 41, 42, 44, 45, 46],
  [47, 48, 50, 51, 52, 53, 54, 56, 57, 58],
  [60, 61, 62, 63, 64, 66, 67, 68, 70, 71],
]
  .flat()
  .map((number) => `T${String(number).padStart(2, "0")}`);

/** What a name begins with: a comment that mentions one is no test. */
const QUOTES = ['"', "`", "'"];

interface Row {
  readonly name: string;
  readonly cell: string;
  readonly tests: readonly { readonly file: string; readonly titles: readonly string[] }[];
}

function rowsOf(document: string): readonly Row[] {
  return [...document.matchAll(/^\| (T\d\d) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, name = "", cell = ""]) => ({
    name,
    cell,
    tests: cell.split(";").flatMap((part) => {
      const file = /`(test\/[^`]+)`/.exec(part)?.[1];
      const titles = [...part.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => title);
      return file === undefined ? [] : [{ file, titles }];
    }),
  }));
}

const rows = rowsOf(DOCUMENT);

/** What a document says that is not so. */
function problemsOf(all: readonly Row[], read: (file: string) => string | null): readonly string[] {
  return all.flatMap(({ name, cell, tests }) => {
    if (tests.length === 0)
      return cell.startsWith("None: ") ? [] : [`${name} names no test and gives no reason`];
    return tests.flatMap(({ file, titles }) => {
      const text = read(file);
      if (text === null) return [`${name}: there is no ${file}`];
      return titles
        .filter((title) => !QUOTES.some((quote) => text.includes(quote + title)))
        .map((title) => `${name}: no "${title}" in ${file}`);
    });
  });
}

const readTest = (file: string): string | null =>
  existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), "utf8") : null;

it("each case has one row, in order", () => {
  expect(rows.map(({ name }) => name)).toEqual(CASES);
});

it("each test that is named is there", () => {
  expect(problemsOf(rows, readTest)).toEqual([]);
});

it("(control) a row without a test, or with one that is not there, is told", () => {
  const wrong = rowsOf(
    '| T01 | a | nothing |\n| T02 | b | `test/none.ts` "x" |\n| T03 | c | `test/docs.test.ts` "no such" |',
  );
  expect(problemsOf(wrong, readTest)).toHaveLength(3);
});

it("each test whose name names a case is in that case's row", () => {
  const files = readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))
    .map((file) => `test/${file}`);
  const unlisted = files.flatMap((file) => {
    const titles = [
      ...(readTest(file) ?? "").matchAll(/^\s*(?:it|test|describe|\]\))[\w.]*\(?[^"`\n]*["`]([^"`\n]*)/gm),
    ];
    const named = new Set(titles.flatMap(([, title = ""]) => title.match(/\bT\d\d\b/g) ?? []));
    return [...named]
      .filter(
        (name) =>
          CASES.includes(name) &&
          !rows.find((row) => row.name === name)?.tests.some((each) => each.file === file),
      )
      .map((name) => `${name}: ${file}`);
  });
  expect(unlisted).toEqual([]);
});
