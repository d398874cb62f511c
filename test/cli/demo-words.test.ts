// Ids, times and lines as the demo writes them.

import { describe, expect, it } from "vitest";
import {
  cut,
  cutLine,
  duration,
  pad,
  plural,
  shortId,
  withShortIds,
  wrap,
} from "../../src/cli/demo-words.ts";
import { columnsOf } from "../../src/cli/printable.ts";

const ID = "task_3f2a1cdeadbeefdeadbeefdeadbeef00";

describe("words of the demo", () => {
  it("cuts ids alike in the tree and in what is said", () => {
    expect(shortId(ID)).toBe("task_3f2a1c");
    expect(withShortIds(`- ${ID}: done, ses_0123456789abcdef`)).toBe("- task_3f2a1c: done, ses_012345");
  });

  it.each([
    [0.4, "0 ms"],
    [999, "999 ms"],
    [12_345, "12.3 s"],
  ])("writes %s ms as %s", (ms, text) => expect(duration(ms)).toBe(text));

  it("counts in words", () => {
    expect([plural(1, "call"), plural(3, "call")]).toEqual(["1 call", "3 calls"]);
  });

  it.each([
    ["short", 10, "short"],
    ["a longer text", 8, "a longe…"],
    ["漢字漢字", 5, "漢字…"],
    ["gone", 0, ""],
  ])("cuts %j to %i columns", (text, width, expected) => {
    expect(cut(text, width)).toBe(expected);
    expect(columnsOf(cut(text, width))).toBeLessThanOrEqual(width);
  });

  it("cuts spans where they pass the width together, and keeps their styles", () => {
    expect(cutLine(["ab ", ["dim", "cdefgh"], "x"], 6)).toEqual(["ab ", ["dim", "cd…"]]);
  });

  it("pads by columns, not by characters", () => {
    expect(pad("漢", 4)).toBe("漢  ");
  });

  it("breaks at spaces, inside words that are too long, and where the text does", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
    expect(wrap("a\n\nb", 9)).toEqual(["a", "", "b"]);
    expect(wrap("漢字漢", 1)).toHaveLength(3);
  });
});
