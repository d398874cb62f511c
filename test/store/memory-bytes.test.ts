import { describe, expect, it } from "vitest";
import { ROW_BYTES, rowBytes, textBytes } from "../../src/store/memory-bytes.ts";

describe("the bytes of a row", () => {
  it("count every character of every text, however deep it lies, as the most that it can take", () => {
    const text = "x".repeat(1_000);
    expect(textBytes(text)).toBe(2_000);
    expect(textBytes(null)).toBe(0);
    expect(rowBytes({ parts: [{ text }, { input: { [text]: [text] } }] })).toBeGreaterThan(ROW_BYTES + 5_000);
  });

  it("are never nothing, and grow with the number of values", () => {
    expect(rowBytes(null)).toBeGreaterThan(ROW_BYTES);
    expect(rowBytes({})).toBeGreaterThan(ROW_BYTES);
    expect(rowBytes([1, 2, 3])).toBeGreaterThan(rowBytes([1]));
  });
});
