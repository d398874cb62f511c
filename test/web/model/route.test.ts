import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashOf, placeOf, tokenIn } from "../../../web/model/route.js";

describe("the token in an address", () => {
  it.each([
    ["#token=ab12", { token: "ab12", rest: "#/" }],
    ["#token=ab12&to=/task/t1", { token: "ab12", rest: "#/task/t1" }],
    ["#token=ab12&to=https://evil.test", { token: "ab12", rest: "#/" }],
    ["#token=", { token: null, rest: "#/" }],
    ["#/task/t1", { token: null, rest: "#/task/t1" }],
    ["#/?q=token=ab", { token: null, rest: "#/?q=token=ab" }],
    ["", { token: null, rest: "" }],
  ])("%s", (hash, expected) => {
    expect(tokenIn(hash)).toEqual(expected);
  });
});

describe("a place in an address", () => {
  it.each([
    ["", { page: "tree", id: null, at: null, query: "" }],
    ["#/", { page: "tree", id: null, at: null, query: "" }],
    ["#/nowhere", { page: "tree", id: null, at: null, query: "" }],
    ["#/task/task_1?at=12", { page: "task", id: "task_1", at: 12, query: "" }],
    ["#/task/task_1?at=-1", { page: "task", id: "task_1", at: null, query: "" }],
    ["#/gpus", { page: "gpus", id: null, at: null, query: "" }],
    ["#/task/%E0%A4%A", { page: "task", id: "%E0%A4%A", at: null, query: "" }],
  ])("%s", (hash, place) => {
    expect(placeOf(hash)).toEqual(place);
  });

  it("comes back as it was written, whatever the id and the words", () => {
    const places = fc.record({
      page: fc.constantFrom("tree", "task", "chat", "gpus", "inbox", "new"),
      id: fc.option(fc.string({ minLength: 1, unit: "grapheme" })),
      at: fc.option(fc.nat()),
      query: fc.string({ unit: "grapheme" }),
    });
    fc.assert(
      fc.property(places, (place) => {
        expect(placeOf(hashOf(place))).toEqual(place);
      }),
    );
  });
});
