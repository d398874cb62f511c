import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  columnsOf,
  fittingIn,
  jsonLine,
  marked,
  oneLine,
  printable,
  unfinishedAt,
} from "../../src/cli/printable.ts";

const ESC = "\u001b";
const FORBIDDEN = new RegExp(String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]`);

describe("printable", () => {
  test.each([
    ["colours", `${ESC}[31mred${ESC}[0m`, "red"],
    ["cursor moves and clearing", `a${ESC}[2J${ESC}[1;1Hb`, "ab"],
    ["a title set by OSC with BEL", `${ESC}]0;owned\u0007text`, "text"],
    ["a clipboard write by OSC 52 with ST", `${ESC}]52;c;aGVsbG8=${ESC}\\text`, "text"],
    ["a hyperlink, keeping its words", `${ESC}]8;;http://x${ESC}\\words${ESC}]8;;${ESC}\\`, "words"],
    ["device control strings", `${ESC}Pq#0${ESC}\\text`, "text"],
    ["eight-bit controls", "a\u009b31mb\u0090x\u009cc", "abc"],
    ["a title set by an eight-bit OSC with BEL", "\u009d0;owned\u0007text", "text"],
    ["a clipboard write by an eight-bit OSC with ST", "\u009d52;c;aGk=\u009ctext", "text"],
    ["the escape of a hyperlink that never ends", `${ESC}]8;;http://x words`, "8;;http://x words"],
    ["a string inside another", `${ESC}]0;a\u009d0;b\u0007text`, "0;atext"],
    ["two-byte escapes", `${ESC}cafter${ESC}(Bx`, "afterx"],
    ["carriage returns and backspaces", "good\rbad\b\b\b", "goodbad"],
    ["bells, nulls and deletes", "a\u0007b\u0000c\u007f", "abc"],
    ["overrides of direction", "abc\u202edcb\u202c\u2066x\u2069", "abcdcbx"],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
  ])("V1 takes away %s", (_, text, shown) => expect(printable(text)).toBe(shown));

  test("keeps newlines, tabs and every script", () => {
    const text = "ä\t漢字\nعربي 🎭👩‍🔬 | └─";
    expect(printable(text)).toBe(text);
  });

  test("an unfinished sequence loses its escape and no text behind it", () => {
    expect(printable(`${ESC}]0;a title\nnext`)).toBe("0;a title\nnext");
  });

  test("V1 holds for any text, also when it comes in two pieces", () => {
    const units = fc.array(
      fc.constantFrom(ESC, "[", "]", "3", "1", "m", "\u0007", "\u009b", "\\", "a", "\n", "\u202e"),
    );
    fc.assert(
      fc.property(units, units, (a, b) => {
        const joined = printable(a.join("")) + printable(b.join(""));
        expect(joined).not.toMatch(FORBIDDEN);
      }),
    );
  });

  test.each([
    ["\u009d", ""],
    ["\u0090x", "x"],
    [`${ESC}]`, ""],
    [`${ESC}Px`, "x"],
  ])("V2 a sequence that never ends stops where the next one begins: %j", (unit, rest) => {
    // Were each beginning to look through all that follows, this would be thousands of millions of steps.
    expect(printable(unit.repeat(100_000))).toBe(rest.repeat(100_000));
    // The terminator of the last is not reached from the first.
    expect(printable(`${unit}a${unit}b\u0007c`)).toBe(`${rest}ac`);
  });
});

test.each([
  ["plain", 5],
  [`x${ESC}[31`, 1],
  [`x${ESC}`, 1],
  [`${ESC}]0;t${ESC}`, 0],
  [`${ESC}]0;t${ESC}\\`, 7],
  ["x\u009d0;t", 1],
  ["x\ud83c", 1],
  [`${ESC}]${"y".repeat(5_000)}`, 5_002],
])("of %j what may be unfinished begins at %i", (text, at) => expect(unfinishedAt(text)).toBe(at));

test("oneLine flattens, cleans and cuts with a mark, never inside a character", () => {
  expect(oneLine("  a\n\n b\tc ")).toBe("a b c");
  expect(oneLine(`x${ESC}[31my`)).toBe("xy");
  expect(oneLine("🎭🎭🎭🎭", 3)).toBe("🎭🎭…");
  expect(oneLine("abc", 3)).toBe("abc");
  expect(oneLine(`${" ".repeat(9_000)}abc${" ".repeat(9_000)}`, 3)).toBe("abc");
  expect(oneLine(`abc${" ".repeat(9_000)}def`, 5)).toBe("abc…");
  expect(oneLine("x".repeat(9_000), 5)).toBe("xxxx…");
});

test("jsonLine escapes what JSON leaves and a terminal would obey, and reads back the same", () => {
  const value = { text: "a\u009b31m\u007f\u202e\u2028b" };
  const line = jsonLine(value);
  expect(line).toMatch(/^[\u0020-\u007e]*$/);
  expect(JSON.parse(line)).toEqual(value);
});

test("columns: wide characters take two, marks none", () => {
  expect(["abc", "漢字", "e\u0301", "🎭"].map(columnsOf)).toEqual([3, 4, 1, 2]);
  expect(fittingIn("漢字漢字", 5)).toBe("漢字");
  expect(fittingIn("abc", 0)).toBe("");
});

describe("marked", () => {
  test.each([
    ["an escape", `${ESC}[31mred`, "␛[31mred"],
    ["a clipboard write", `${ESC}]52;c;aGk=\u0007`, "␛]52;c;aGk=␇"],
    ["a delete and a null", "a\u007f\u0000", "a␡␀"],
    ["overrides of direction and eight-bit controls", "\u202eevil\u009b2J", "‹U+202E›evil‹U+009B›2J"],
  ])("shows %s", (_, text, shown) => {
    expect(marked(text)).toBe(shown);
    expect(printable(marked(text))).toBe(shown);
  });
});
