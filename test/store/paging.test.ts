import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeCursor,
  DEFAULT_PAGE,
  encodeCursor,
  MAX_PAGE,
  pageLimit,
  rowLimit,
  rowsAfter,
} from "../../src/store/paging.ts";

describe("a list cursor", () => {
  it("comes back as the place it stands for", () => {
    expect.hasAssertions();
    const places = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const property = fc.property(places, (order) => {
      expect(decodeCursor(encodeCursor(order))).toBe(order);
    });
    fc.assert(property);
  });

  it("starts before the first task when it is absent", () => {
    expect(decodeCursor(undefined)).toBe(0);
  });

  it.each(["", "5", "t", "T5", "t-5", "t5 ", `t${"z".repeat(11)}`, "t5\n"])("is refused as %j", (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: "bad_cursor" }));
  });
});

describe("limits", () => {
  it("cap a page, and give it a size of its own", () => {
    expect(pageLimit(undefined)).toBe(DEFAULT_PAGE);
    expect(pageLimit(7)).toBe(7);
    expect(pageLimit(MAX_PAGE + 1)).toBe(MAX_PAGE);
  });

  it("bound rows only when they are given", () => {
    expect(rowLimit(undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(rowLimit(MAX_PAGE + 1)).toBe(MAX_PAGE + 1);
  });

  it.each([0, -3, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuse %s", (limit) => {
    expect(() => rowLimit(limit)).toThrow(expect.objectContaining({ code: "bad_limit" }));
    expect(() => pageLimit(limit)).toThrow(expect.objectContaining({ code: "bad_limit" }));
  });
});

describe("rowsAfter", () => {
  it("takes 0 and more, and starts at 0", () => {
    expect([rowsAfter(undefined), rowsAfter(0), rowsAfter(12)]).toEqual([0, 0, 12]);
    expect(() => rowsAfter(-1)).toThrow(expect.objectContaining({ code: "bad_after" }));
  });
});
