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

test("L2 is what is shown of any text with escape sequences, however it is cut", () => {
  const unit = fc.constantFrom(
    "\u001b",
    "]",
    "[",
    "\\",
    "\u0007",
    "\u009c",
    "\u009d",
    "\u009b",
    "3",
    "m",
    " ",
    "a",
    "\n",
    "🎭",
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (units, cut) => {
      const text = units.join("");
      const whole = new AnswerLines(() => Infinity);
      const pieces = new AnswerLines(() => Infinity);
      const shown: string[] = [];
      for (let at = 0; at < text.length; at += cut) shown.push(...pieces.push(text.slice(at, at + cut)));
      expect([...shown, ...pieces.end()]).toEqual([...whole.push(text), ...whole.end()]);
    }),
  );
});

test.each([
  ["eight-bit beginnings of strings", "\u009d"],
  ["escapes", "\u001b]"],
  ["marks that take no column", "\u0301"],
])("L1 what is kept of a line of %s stays within a row", (_, unit) => {
  const lines = new AnswerLines(() => 79);
  let shown = 0;
  for (let piece = 0; piece < 5_000; piece += 1) {
    for (const line of lines.push(unit.repeat(4))) shown += line.length;
    expect(lines.rest.length).toBeLessThanOrEqual(79 * 32);
  }
  for (const line of lines.end()) shown += line.length;
  expect(shown).toBe(unit === "\u0301" ? 20_000 : 0);
});

test("L1 a long line is broken in one walk over it", () => {
  const rows = new AnswerLines(() => 79).push(`${"x".repeat(500_000)}\n`);
  expect(rows.join("").length).toBe(500_000);
});

test("ends a text before the next one, also inside an escape sequence", () => {
  const lines = new AnswerLines(() => Infinity);
  lines.push("one\u001b[1mtwo\u001b[3");
  expect(lines.endBefore("two\u001b[3")).toEqual(["one"]);
  expect(lines.push("1m!\n")).toEqual(["two!"]);
  lines.push("three\u001b[");
  expect(lines.endBefore("elsewhere")).toEqual([]);
  expect(lines.endBefore("[")).toEqual(["three"]);
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
