import { describe, expect, it } from "vitest";
import { ToolError } from "../../src/base/errors.ts";
import { checkSize, clashOf, MAX_EDITED_BYTES, writeError } from "../../src/toolsets/file-refusals.ts";

const known = { version: "aaaa", size: 3 };
const now = { version: "bbbb", size: 5 };

describe("clashOf", () => {
  it("is nothing for who knows the file as it is, and for who makes one", () => {
    expect(clashOf({ path: "a", known, now: known, writer: null })).toBeNull();
    expect(clashOf({ path: "a", known: { version: "aaaa" }, now: known, writer: null })).toBeNull();
    expect(clashOf({ path: "a", known: null, now: null, writer: null })).toBeNull();
  });

  it("says what changed, by whom where that is known, and to read again", () => {
    const clash = clashOf({ path: "a", known, now, writer: "task_2" });
    expect(clash?.code).toBe("conflict");
    expect(clash?.message).toContain(
      "changed by the task task_2: you know version aaaa (3 bytes), it is now bbbb (5",
    );
    expect(clash?.message).toContain("read_file again");
    expect(clashOf({ path: "a", known, now, writer: null })?.message).toContain("by somebody else");
  });

  it("tells what was never read from what is gone", () => {
    expect(clashOf({ path: "a", known: null, now, writer: null })?.code).toBe("not_read");
    expect(clashOf({ path: "a", known, now: null, writer: null })?.message).toContain("is gone");
  });
});

describe("writeError", () => {
  it.each([
    ["EEXIST", "conflict"],
    ["ENOENT", "conflict"],
    ["ELOOP", "is_link"],
    ["EACCES", "not_allowed"],
    ["EROFS", "not_allowed"],
    ["ENOSPC", "cannot_write"],
    ["EXDEV", "cannot_write"],
    ["EIO", "cannot_write"],
  ])("makes %s the code %s", (code, expected) => {
    expect(writeError(Object.assign(new Error("x"), { code }), "a.txt").code).toBe(expected);
  });

  it("leaves what a tool said as it is", () => {
    const error = new ToolError("x", "y");
    expect(writeError(error, "a")).toBe(error);
  });
});

it("sizes up to the bound pass, and the bound is named", () => {
  checkSize("a", MAX_EDITED_BYTES);
  expect(() => checkSize("a", MAX_EDITED_BYTES + 1)).toThrow(`at most ${MAX_EDITED_BYTES} bytes for a`);
});
