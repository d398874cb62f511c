import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf, fittingIn, jsonLine, oneLine, printable } from "../../src/cli/printable.ts";

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

  test("takes time in proportion to the text", () => {
    expect(printable(`${ESC}]`.repeat(200_000))).toBe("");
  });
});

test("oneLine flattens, cleans and cuts with a mark, never inside a character", () => {
  expect(oneLine("  a\n\n b\tc ")).toBe("a b c");
  expect(oneLine(`x${ESC}[31my`)).toBe("xy");
  expect(oneLine("🎭🎭🎭🎭", 3)).toBe("🎭🎭…");
  expect(oneLine("abc", 3)).toBe("abc");
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
