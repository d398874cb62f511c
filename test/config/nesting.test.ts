import { parseDocument } from "yaml";
import { describe, expect, it } from "vitest";
import { aliasProblem, isTooDeep, tooDeepAt } from "../../src/config/nesting.ts";

/** `a:` under `a:` under … */
const stairs = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => `${" ".repeat(level)}a:\n`).join("");

describe("too deep are", () => {
  it.each([
    ["lists in brackets", "[".repeat(65), 64],
    ["blocks in braces", "{".repeat(100_000), 64],
    ["brackets that a quoted one seems to close", '[ "]", '.repeat(65), 64 * 7],
    ["dashes on one line", "- ".repeat(40_000), 128],
    ["question marks on one line", "? ".repeat(40_000), 128],
    ["blocks by indentation", stairs(65), (64 * 63) / 2 + 64 * 3 + 64],
    [
      "brackets inside of blocks",
      `${stairs(60)}${" ".repeat(60)}${"[".repeat(10)}`,
      (60 * 59) / 2 + 60 * 3 + 60 + 4,
    ],
  ])("%s", (_, source, offset) => {
    expect(tooDeepAt(source)).toMatchObject({ offset, message: expect.stringContaining("64 levels") });
  });
});

describe("not too deep are", () => {
  it.each([
    ["64 levels", `${"[".repeat(64)}${"]".repeat(64)}`],
    ["64 levels of indentation", stairs(64)],
    ["brackets in quotes", `a: "${"[".repeat(100)}"`],
    ["brackets in a text", `a: |\n  ${"[".repeat(100)}\n  - - - -\n`],
    ["brackets in a comment", `# ${"[".repeat(100)}\na: 1\n`],
    ["brackets in a plain word", `a: b${"[".repeat(100)}\n`],
    ["many brackets beside one another", "- [a, {b: c}]\n".repeat(200)],
    ["many short blocks", "a:\n  - b:\n      c: d\n".repeat(200)],
  ])("%s", (_, source) => expect(tooDeepAt(source)).toBeNull());
});

describe("aliases", () => {
  it("may stand behind what they name", () => {
    expect(aliasProblem(parseDocument("a: &a 1\nb: *a\n"))).toBeNull();
  });

  it.each(["a: &a {b: *a}\n", "a: &a 1\nb: &a {c: *a}\n"])("may not stand inside of it: %j", (source) => {
    const message = "*a stands inside the very block that it names";
    expect(aliasProblem(parseDocument(source))).toEqual({ offset: source.indexOf("*a"), message });
  });
});

it("data is too deep by its levels, not by how often a part of it is used", () => {
  let value: unknown = 1;
  for (let level = 0; level < 60; level += 1) value = [value, value];
  expect(isTooDeep(value)).toBe(false);
  for (let level = 0; level < 10; level += 1) value = { value };
  expect(isTooDeep(value)).toBe(true);
});
