import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finderOf } from "../../src/toolsets/find-text.ts";

describe("finderOf", () => {
  it("answers as indexOf does, for patterns of any length", () => {
    const letters = fc.constantFrom("a", "b");
    const text = fc.string({ unit: letters, maxLength: 400 });
    fc.assert(
      fc.property(
        text,
        fc.string({ unit: letters, minLength: 1, maxLength: 90 }),
        fc.nat(400),
        (whole, part, from) => {
          expect(finderOf(part)(whole, from)).toBe(whole.indexOf(part, from));
        },
      ),
    );
  });

  it("finds a long pattern at the beginning, in the middle and at the end", () => {
    const pattern = `${"ab".repeat(50)}c`;
    const find = finderOf(pattern);
    const text = `${pattern}${"ab".repeat(60)}c${pattern}`;
    expect([find(text, 0), find(text, 1), find(text, 122), find(text, 223)]).toEqual([0, 121, 222, -1]);
  });

  it("ends for a pattern that nearly fits everywhere, where the engine's own search takes hours", () => {
    const pattern = `${"a".repeat(500_000)}b${"a".repeat(500_000)}`;
    expect(finderOf(pattern)("a".repeat(4 * 1024 * 1024), 0)).toBe(-1);
  });
});
