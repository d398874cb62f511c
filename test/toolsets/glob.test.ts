import { describe, expect, it } from "vitest";
import { globMatches } from "../../src/toolsets/glob.ts";

describe("globMatches", () => {
  it.each([
    ["*.ts", "a.ts", true],
    ["*.ts", "src/deep/a.ts", true],
    ["*.ts", "a.tsx", false],
    ["src/*.ts", "src/a.ts", true],
    ["src/*.ts", "src/b/a.ts", false],
    ["src/**/*.ts", "src/a.ts", true],
    ["src/**/*.ts", "src/b/c/a.ts", true],
    ["**/*.md", "README.md", true],
    ["./src/*.ts", "src/a.ts", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["**", "any/thing", true],
    ["*", "x", true],
    ["src/**", "src/a/b", true],
    ["src/**", "other/a", false],
    ["[a].ts", "a.ts", false],
    ["[a].ts", "[a].ts", true],
  ])("%s and %s: %s", (pattern, path, expected) => {
    expect(globMatches(pattern, path)).toBe(expected);
  });

  it("takes patterns that would make a regular expression run for ever", () => {
    expect(globMatches(`${"*a".repeat(100)}b`, "a".repeat(255))).toBe(false);
    expect(globMatches(`${"**/".repeat(60)}x`, "a/".repeat(2000))).toBe(false);
  });
});
