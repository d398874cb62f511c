import { describe, expect, it } from "vitest";
import { replaced } from "../../src/toolsets/file-edit.ts";

const edit = (text: string, ...[oldText, newText, all = false]: readonly [string, string, boolean?]) =>
  replaced(text, { oldText, newText, all });
const code = (...asked: Parameters<typeof edit>): unknown => {
  try {
    return edit(...asked);
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
};

describe("replaced", () => {
  it("replaces the one place, to the letter", () => {
    expect(edit("a b c", "b", "$& $1 \\n")).toEqual({ text: "a $& $1 \\n c", count: 1 });
    expect(edit("a b c", " b", "")).toEqual({ text: "a c", count: 1 });
  });

  it("refuses to choose between places, and replaces all of them when told", () => {
    expect(code("x\ny\nx\n", "x", "z")).toBe("many_matches");
    expect(() => edit("x\ny\nx\n", "x", "z")).toThrow("2 times (lines 1, 3)");
    expect(() => edit("x\n".repeat(9), "x", "z")).toThrow("9 times (lines 1, 2, 3, 4, 5, …)");
    expect(edit("x\ny\nx\n", "x", "xx", true)).toEqual({ text: "xx\ny\nxx\n", count: 2 });
  });

  it("says where text like it stands when it is not there", () => {
    expect(() => edit("one\n  two\nthree", "two\n  three", "x")).toThrow("is at line 2");
    expect(() => edit("one", "four", "x")).toThrow("not in the file, to the letter. Read");
    expect(code("one", "one", "one")).toBe("same_text");
  });

  it("takes line ends as CRLF where the whole file has them, and nowhere else", () => {
    expect(edit("a\r\nb\r\n", "a\nb", "a\nx\nb").text).toBe("a\r\nx\r\nb\r\n");
    expect(edit("a\r\nb\r\n", "a\r\nb", "c").text).toBe("c\r\n");
    expect(code("a\r\nb\nc", "a\nb", "c")).toBe("no_match");
    expect(edit("a\nb\n", "b", "c\nd").text).toBe("a\nc\nd\n");
  });

  it("stops before it builds what no file may hold", () => {
    const text = "x".repeat(2_000_000);
    expect(code(text, "x", "y".repeat(1_000_000), true)).toBe("too_large");
    expect(edit("x\nx", "x", "", true)).toEqual({ text: "\n", count: 2 });
  });
});
