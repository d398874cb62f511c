import { describe, expect, it } from "vitest";
import { countOf, isObject, listOf, numberOf, objectOf, parseJson, textOf } from "../../providers/json.ts";

const ODD: readonly unknown[] = [undefined, null, true, 0, -1, Number.NaN, "", "text", [], [1], {}, { a: 1 }];

describe("reading foreign JSON", () => {
  it("answers with a usable value whatever came", () => {
    expect(ODD.map((value) => isObject(value))).toEqual([...Array<boolean>(10).fill(false), true, true]);
    expect(ODD.map((value) => Object.keys(objectOf(value)).length)).toEqual([
      ...Array<number>(11).fill(0),
      1,
    ]);
    expect(ODD.map((value) => listOf(value).length)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    expect(ODD.map((value) => textOf(value)).join("")).toBe("text");
    expect(ODD.map((value) => numberOf(value)).filter((value) => value !== null)).toEqual([0, -1]);
    expect(ODD.every((value) => countOf(value) === 0)).toBe(true);
    expect([numberOf(Number.POSITIVE_INFINITY), countOf(2.5)]).toEqual([null, 2.5]);
    expect(countOf(1e17)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("tells JSON from what is none, `null` included", () => {
    expect(parseJson("null")).toEqual({ value: null });
    expect(parseJson("{")).toBeUndefined();
  });
});
