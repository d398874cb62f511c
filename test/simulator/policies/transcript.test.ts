import { describe, expect, test } from "vitest";
import {
  exchangesOf,
  freshTexts,
  listAt,
  numberAt,
  oneLine,
  textAt,
  underWay,
  userTexts,
} from "../../../src/simulator/policies/transcript.ts";
import { assistant, result, user } from "../fixtures.ts";

describe("calls and their results", () => {
  test("are paired by id, else by name, else by order", () => {
    const byId = [
      {
        ...assistant(""),
        calls: ["x", "y"].map((id) => ({ id, name: "read_file", arguments: { path: id } })),
      },
      { ...result("", "of y"), callId: "y", toolName: null },
      { ...result("", "of x"), callId: "x", toolName: null },
    ];
    expect(exchangesOf(byId).map((entry) => [entry.arguments["path"], entry.text])).toEqual([
      ["y", "of y"],
      ["x", "of x"],
    ]);
    const byName = [
      assistant("", ["list_dir", { path: "a" }], ["read_file", { path: "b" }]),
      result("read_file", "text"),
      result("list_dir", "entries"),
    ];
    expect(exchangesOf(byName).map((entry) => [entry.name, entry.text])).toEqual([
      ["read_file", "text"],
      ["list_dir", "entries"],
    ]);
    const byOrder = [
      assistant("", ["a", {}], ["b", {}]),
      { ...result("", "1"), toolName: null },
      { ...result("", "2"), toolName: null },
    ];
    expect(exchangesOf(byOrder).map((entry) => [entry.name, entry.text])).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });

  test("a result without a call and a call without a result are left out", () => {
    expect(exchangesOf([result("x", "?"), assistant("", ["a", {}]), user("stop")])).toEqual([]);
  });

  test.each([
    [{ error: "no" }, true],
    ["Expected a path, got nothing.", true],
    ["Error: no", true],
    [{ ok: true }, false],
    ["src/ ", false],
  ])("%j counts as refused: %j", (value, failed) => {
    expect(exchangesOf([assistant("", ["t", {}]), result("t", value)])[0]?.failed).toBe(failed);
  });

  test("a result that was cut is read as far as it goes", () => {
    const cut = JSON.stringify({ entries: ["a", "b", "c"] }).slice(0, -7);
    expect(exchangesOf([assistant("", ["t", {}]), result("t", cut)])[0]?.value).toEqual({
      entries: ["a", "b"],
    });
  });
});

describe("what is new", () => {
  const messages = [
    user("first"),
    assistant("done"),
    user("second"),
    assistant("", ["t", {}]),
    result("t", "x"),
    user("third"),
  ];

  test("work under way begins after the last answer without calls", () => {
    expect(userTexts(underWay({ messages, tools: [] }))).toEqual(["second", "third"]);
  });

  test("fresh is what came since the model last spoke", () => {
    expect(freshTexts({ messages, tools: [] })).toEqual(["third"]);
  });
});

test("values are read by the first key that fits", () => {
  const value = { a: 1, b: "x", c: [2] };
  expect([textAt(value, "a", "b"), numberAt(value, "a"), listAt(value, "c")]).toEqual(["x", 1, [2]]);
  expect([textAt(null, "a"), numberAt("x", "a"), listAt(7, "a")]).toEqual([null, null, null]);
  expect(listAt([3], "a")).toEqual([3]);
});

test("one line is one line of at most so many characters", () => {
  expect(oneLine(" a\n b ", 10)).toBe("a b");
  expect(oneLine("x".repeat(20), 10)).toHaveLength(10);
});
