import { describe, expect, test } from "vitest";
import { briefOf, goalIn } from "../../../src/simulator/policies/worker-brief.ts";

describe("a goal", () => {
  test("ends where the context begins", () => {
    expect(goalIn("Goal: Count files\n\nContext:\nin src/core")).toBe("Count files");
    expect(goalIn("Count files")).toBe("Count files");
  });

  test.each([
    ["Read README.md and src/core/api.ts.", ["README.md", "src/core/api.ts"]],
    ["List src/core/ and `docs/adr`", ["src/core", "docs/adr"]],
    ["Look into ./src, please", ["./src"]],
    ["Say yes and/or no, e.g. at https://example.org/a.md", []],
    ["Count the files in src", []],
  ])("%j names the places %j", (goal, paths) => {
    expect(briefOf(goal, []).paths).toEqual(paths);
  });

  test("places come from the context when the goal names none", () => {
    expect(briefOf("Count files\n\nContext:\nThey lie in src/core.", []).paths).toEqual(["src/core"]);
    expect(briefOf("Count files in docs/adr\n\nContext:\nNot in src/core.", []).paths).toEqual(["docs/adr"]);
  });

  test.each([
    ["Find all TODOs in src", ["TODO"]],
    ['Which files mention "live place"?', ["live place"]],
    ["Search for Clock in src", ["Clock"]],
    ["Where is MAX_GOAL_CHARS used", ["MAX_GOAL_CHARS"]],
    ["Summarise 'docs/adr'", []],
    ["Count the files", []],
  ])("%j is a search for %j", (goal, terms) => {
    expect(briefOf(goal, []).terms).toEqual(terms);
  });

  test("kinds, counts and wishes are read from words", () => {
    expect(briefOf("How many Markdown files are there? Be brief.", [])).toMatchObject({
      extensions: [".md"],
      wantsCount: true,
      isBrief: true,
    });
    expect(briefOf("Name the largest function in src", [])).toMatchObject({
      wantsLargest: true,
      wantsFunctions: true,
    });
    expect(briefOf("Read package.json", []).extensions).toEqual([]);
  });
});

describe("a steer", () => {
  test("on a kind of file outranks the goal's", () => {
    expect(briefOf("List TypeScript files", ["only Markdown files"]).extensions).toEqual([".md"]);
    expect(briefOf("List TypeScript files", ["hurry up"]).extensions).toEqual([".ts", ".tsx"]);
  });

  test("with a focus leaves the goal's searches aside and keeps its places", () => {
    const brief = briefOf("Find TODO in src/core", ["focus on the deadlines"]);
    expect(brief.focus).toMatchObject({ text: "deadlines", paths: [] });
    expect([...(brief.focus?.keywords ?? [])]).toEqual(["deadline"]);
    expect([brief.terms, brief.paths]).toEqual([[], ["src/core"]]);
    expect(briefOf("Read docs/adr", ["look only at src/base/clock.ts"]).focus?.paths).toEqual([
      "src/base/clock.ts",
    ]);
  });

  test("the last focus counts, and every steer may add places and terms", () => {
    expect(briefOf("x", ["focus on a", "focus on b"]).focus?.text).toBe("b");
    const more = briefOf("Read docs/a.md", ["also read docs/b.md and search for Clock"]);
    expect([more.paths, more.terms]).toEqual([["docs/a.md", "docs/b.md"], ["Clock"]]);
    expect(briefOf("x", ["be brief"]).isBrief).toBe(true);
  });
});
