import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { parsePartial } from "../../../src/simulator/policies/partial-json.ts";

describe("JSON that was cut", () => {
  test.each([
    ["whole", '{"a": [1, 2]}', { a: [1, 2] }],
    ["cut after an element", '{"a": [1, 2', { a: [1] }],
    ["cut inside a string", '{"a": "on', { a: "on" }],
    ["cut after a key", '{"a": 1, "b"', { a: 1 }],
    ["cut in nested objects", '{"e": [{"n": "x"}, {"n": "y"}, {"n', { e: [{ n: "x" }, { n: "y" }] }],
    [
      "cut in the middle by the runtime's mark",
      '{"e": ["a", "b\n… [9 characters cut] …\nz"]}',
      { e: ["a", "b"] },
    ],
    ["cut between elements by the mark", '{"e": ["a"\n… [9 characters cut] …\n]}', { e: ["a"] }],
    ["no JSON", "hello", undefined],
    ["nothing", "", undefined],
  ])("%s", (_, text, expected) => {
    expect(parsePartial(text)).toEqual(expected);
  });

  test("any cut of any object gives an object or nothing, and never throws", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
        const text = JSON.stringify(value);
        const read = parsePartial(text.slice(0, 1 + (cut % text.length)));
        expect(["object", "undefined"]).toContain(typeof read);
      }),
    );
  });
});
