import fc from "fast-check";
import { expect, test } from "vitest";
import { AnswerLines } from "../../src/cli/answer-lines.ts";
import { columnsOf } from "../../src/cli/printable.ts";

test("lines come when they are finished, the rest stays", () => {
  const lines = new AnswerLines(() => Infinity);
  expect(lines.push("one\ntw")).toEqual(["one"]);
  expect(lines.rest).toBe("tw");
  expect(lines.push("o\n\nthree")).toEqual(["two", ""]);
  expect(lines.end()).toEqual(["three"]);
  expect(lines.end()).toEqual([]);
});

test("a long line is broken at a blank, and inside a word that is longer than the screen", () => {
  const lines = new AnswerLines(() => 10);
  expect(lines.push("aaaa bbbb cccc")).toEqual(["aaaa bbbb"]);
  expect(lines.rest).toBe("cccc");
  expect(lines.push("d".repeat(12))).toEqual(["ccccdddddd"]);
  expect(lines.rest).toBe("dddddd");
});

test("an escape sequence that comes in two pieces is not shown", () => {
  const lines = new AnswerLines(() => Infinity);
  lines.push("a\u001b[3");
  expect(lines.push("1mb\n")).toEqual(["ab"]);
});

test("no line is wider than the screen, and no letter is lost or doubled, however the text is cut", () => {
  const text = fc.array(fc.constantFrom("a", "b", " ", "漢", "\n", "🎭"), { maxLength: 80 });
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 1, max: 7 }),
      (units, width, cut) => {
        const lines = new AnswerLines(() => width);
        const shown: string[] = [];
        for (let at = 0; at < units.length; at += cut)
          shown.push(...lines.push(units.slice(at, at + cut).join("")));
        shown.push(...lines.end());
        expect(Math.max(0, ...shown.map(columnsOf))).toBeLessThanOrEqual(width);
        expect(shown.join("").replace(/\s/g, "")).toBe(units.join("").replace(/\s/g, ""));
      },
    ),
  );
});
