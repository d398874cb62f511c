// The rules of the house, checked over the sources as text (design: floors and rules; docs/adr/0002-floors.md).
// The rules live in test/architecture/; this file runs them over the tree and over controls that must be caught.

import { describe, expect, it } from "vitest";
import { ALLOWANCES } from "./architecture/allowances.ts";
import { checkSources } from "./architecture/check.ts";
import { CONTROLS, LOOKALIKES } from "./architecture/controls.ts";
import { BESIDE_ROOTS, PRODUCT_ROOTS } from "./architecture/floors.ts";
import { functionsOf } from "./architecture/functions.ts";
import { maskSource } from "./architecture/mask.ts";
import { testPathOf } from "./architecture/mirror.ts";
import { readSources, sourceFile } from "./architecture/tree.ts";
import type { SourceFile } from "./architecture/tree.ts";
import { RULES, describeViolation } from "./architecture/violation.ts";

const tree = readSources([...PRODUCT_ROOTS, ...BESIDE_ROOTS]);
const violations = checkSources(tree);

/** The sources of one control, with a test beside each so that only the rule in question can speak. */
function controlSources(path: string, text: string, mirrored: boolean): SourceFile[] {
  const file = sourceFile(path, text);
  return mirrored && !path.startsWith("test/")
    ? [file, sourceFile(testPathOf(path), "// A test.\n")]
    : [file];
}

describe("the tree", () => {
  it.each(RULES)("keeps the rule %s", (rule) => {
    expect(violations.filter((violation) => violation.rule === rule).map(describeViolation)).toEqual([]);
  });

  it("is read whole: sources of every root are among those checked", () => {
    const roots = new Set(tree.map((file) => file.path.split("/")[0]));
    expect(roots).toEqual(new Set([...PRODUCT_ROOTS, ...BESIDE_ROOTS]));
  });

  it("gives a reason for every exception, and the test that stands in for a missing one", () => {
    const paths = new Set(tree.map((file) => file.path));
    expect(ALLOWANCES.filter(({ test }) => test !== undefined && !paths.has(test))).toEqual([]);
    expect(ALLOWANCES.filter(({ reason }) => !/^[A-Z].{19,}\.$/s.test(reason))).toEqual([]);
  });
});

describe("the rules", () => {
  it.each(CONTROLS)("catch $rule: $name", ({ rule, path, text, says, beside }) => {
    const files = controlSources(path, text, rule !== "mirror");
    for (const [other, content] of Object.entries(beside ?? {})) {
      files.push(...controlSources(other, content, true));
    }
    const found = checkSources(files, []);
    expect(found.map((violation) => violation.rule)).toContain(rule);
    expect(
      found
        .filter((violation) => violation.rule === rule)
        .map(describeViolation)
        .join("\n"),
    ).toContain(says);
  });

  it.each(LOOKALIKES)("leave alone: $name", ({ text, path = "src/runtime/a.ts" }) => {
    const found = checkSources(controlSources(path, `// A head comment.\n${text}\n`, true), []);
    expect(found.map(describeViolation)).toEqual([]);
  });

  it("are each reached by a control or by the allowance tests", () => {
    const reached = new Set<string>([...CONTROLS.map((control) => control.rule), "allowance"]);
    expect(RULES.filter((rule) => !reached.has(rule))).toEqual([]);
  });
});

describe("an allowance", () => {
  const path = "src/runtime/a.ts";
  const allowance = { rule: "globals", path, about: "`console`", reason: "A control." } as const;
  const files = controlSources(path, "// A head.\nconsole.log(1);\nDate.now();\n", true);

  it("covers what it names and nothing else", () => {
    const found = checkSources(files, [allowance]).map(describeViolation);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("`Date.now`");
  });

  it("is itself a violation once nothing needs it", () => {
    const found = checkSources(files, [allowance, { ...allowance, about: "`timers`" }]);
    expect(found.map((violation) => violation.rule)).toContain("allowance");
  });
});

describe("the scanner", () => {
  it("K1 keeps every length and line break while it blanks literals", () => {
    for (const { text } of tree) {
      const { code, comments } = maskSource(text);
      expect(code.length).toBe(text.length);
      expect(comments.length).toBe(text.length);
      expect(code.split("\n").map((line) => line.length)).toEqual(
        text.split("\n").map((line) => line.length),
      );
    }
  });

  it("leaves balanced brackets in every source of the tree", () => {
    const unbalanced = tree.filter(({ masked }) => {
      const depth = { "(": 0, "[": 0, "{": 0 };
      for (const character of masked.code) {
        if (character in depth) depth[character as "("] += 1;
        const open = { ")": "(", "]": "[", "}": "{" }[character];
        if (open !== undefined) depth[open as "("] -= 1;
      }
      return Object.values(depth).some((open) => open !== 0);
    });
    expect(unbalanced.map((file) => file.path)).toEqual([]);
  });

  it("names and measures declarations, methods, accessors and arrows", () => {
    const text = [
      "export async function* one<T extends { a: 1 }>(a: T, ...b: T[]): AsyncGenerator<T> {",
      "  yield a;",
      "}",
      "class A {",
      "  get two(): string {",
      '    return "}";',
      "  }",
      "  async *[Symbol.asyncIterator](): AsyncGenerator<{ a: 1 }> {}",
      "  three(): asserts this is B {}",
      "}",
      "if (a) { go(b); }",
      "const four = (a: string): a is 'x' => a === 'x';",
      "interface I { five(a: 1, b: 2): void; }",
    ].join("\n");
    const found = functionsOf(maskSource(text).code);
    expect(found.map(({ name, line, lines, parameters }) => [name, line, lines, parameters])).toEqual([
      ["one", 1, 3, 2],
      ["two", 5, 3, 0],
      ["[Symbol.asyncIterator]", 8, 1, 0],
      ["three", 9, 1, 0],
      ["(arrow)", 12, 1, 1],
    ]);
  });
});
