import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clipped, oneLine, plainPieces } from "../../../web/model/plain-text.js";

const shown = (text: string): string =>
  plainPieces(text)
    .map((piece) => piece.text)
    .join("");
/** What a terminal or a line of text obeys instead of showing it. */
// oxlint-disable-next-line no-control-regex -- these are what must not get through
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/;

describe("text of a model", () => {
  it.each([
    ["markup", '<img src=x onerror="alert(1)">', '<img src=x onerror="alert(1)">'],
    ["colours of a terminal", "\u001b[31mred\u001b[0m", "[ESC][31mred[ESC][0m"],
    ["a title of a terminal", "\u001b]0;owned\u0007", "[ESC]]0;owned[BEL]"],
    ["a link of a terminal", "\u001b]8;;http://x\u001b\\a", "[ESC]]8;;http://x[ESC]\\a"],
    ["a turned direction", "gpj\u202eexe.", "gpj[right-to-left override]exe."],
    ["a line written over", "safe\revil", "safe[CR]evil"],
    ["lines of Windows", "a\r\nb", "a\nb"],
    ["an invisible space", "pay\u200bpal", "pay[U+200B]pal"],
    ["half a character", "\ud83c", "[U+D83C]"],
    ["a family", "👩‍👩‍👧 and ä", "👩‍👩‍👧 and ä"],
    ["tabs and lines", "a\tb\nc", "a\tb\nc"],
  ])("shows %s", (_name, text, expected) => expect(shown(text)).toBe(expected));

  it("X1 X2 takes nothing out and lets nothing through that a screen obeys", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0x2fff }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          const pieces = plainPieces(text);
          expect(pieces.some((piece) => OBEYED.test(piece.text))).toBe(false);
          const kept = pieces
            .filter((piece) => piece.name === null)
            .reduce((sum, piece) => sum + piece.text.length, 0);
          const marks = pieces.filter((piece) => piece.name !== null).length;
          expect(kept + marks).toBe(text.replaceAll("\r\n", "\n").length);
        },
      ),
    );
  });

  it("is cut between characters, and says how much is left out", () => {
    expect(clipped("ab🎭", 3)).toEqual({ head: "ab", rest: 2 });
    expect(clipped("ab🎭", 4)).toEqual({ head: "ab🎭", rest: 0 });
    const huge = "x".repeat(10_000_000);
    expect(clipped(huge, 20_000)).toMatchObject({ rest: 9_980_000 });
    expect(oneLine(huge, 10)).toBe("xxxxxxxxxx…");
  });

  it("stands on one line where a list shows it", () => {
    expect(oneLine("  a\n\n b\u001b[2J ")).toBe("a b[ESC][2J");
  });
});
