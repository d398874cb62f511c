import { describe, expect, it } from "vitest";
import { parseConfigText } from "../../src/config/document.ts";
import { refusal } from "./refusal-fixture.ts";

describe("parseConfigText", () => {
  it("knows the place of keys, values, items and what is missing", () => {
    const parsed = parseConfigText("a:\n  b: [1, x]\nc: &c {d: 1}\ne: *c\n");
    if (!parsed.ok) throw new Error("expected a document");
    const { placeOf } = parsed.document;
    expect(placeOf(["a", "b"])).toEqual({ line: 2, column: 3 });
    expect(placeOf(["a", "b"], "value")).toEqual({ line: 2, column: 6 });
    expect(placeOf(["a", "b", 1], "value")).toEqual({ line: 2, column: 10 });
    expect(placeOf(["e", "d"])).toEqual({ line: 3, column: 8 });
    expect(placeOf(["a", "missing", "more"])).toEqual({ line: 1, column: 1 });
    expect(placeOf([])).toEqual({ line: 1, column: 1 });
  });
});

describe("a document is refused for", () => {
  it.each([
    ["a: [1, 2\nb: 3\n", "config.yaml:2:1: not valid YAML"],
    ["log: {}\nlog: {}\n", "config.yaml:2:1: not valid YAML: this key stands here twice"],
    ["log:\n\tlevel: info\n", "config.yaml:2:1: not valid YAML: a tab is used to indent"],
    ["log: {}\n---\nlog: {}\n", "a second document begins here"],
    ["[q]: x\n", "a key must be plain text"],
    ["log: !shout {}\n", "Unresolved tag"],
  ])("YAML that is wrong: %j", (source, expected) => {
    expect(refusal(source)).toContain(expected);
  });

  it("an alias bomb, at once", () => {
    let bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (let i = 1; i < 10; i++)
      bomb += `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(",")}]\n`;
    expect(refusal(bomb)).toContain("write the values out instead of using aliases");
  });

  it("a file that is longer than any config", () => {
    expect(refusal(`# ${"x".repeat(131_072)}`)).toContain("expected a config of at most 131072 characters");
  });

  it.each([
    ["agents: &a\n  x: *a\n", "config.yaml:2:6: *a stands inside the very block that it names"],
    ["providers: &a\n  x: {headers: *a}\n", "config.yaml:2:16: *a stands inside"],
    ["- &a [[*a]]\n", "config.yaml:1:8: *a stands inside"],
    [`a: &a x\nb: [${"*a,".repeat(101)}]\n`, "expected at most 100 aliases"],
  ])("aliases that lead round or are too many: %j", (source, expected) => {
    expect(refusal(source)).toContain(expected);
  });

  it("aliases that put deep blocks into one another", () => {
    const block = (inside: string) => `${"[".repeat(40)}${inside}${"]".repeat(40)}`;
    expect(refusal(`a: &a ${block("x")}\nb: ${block("*a")}\n`)).toContain("aliases nest over 64 levels");
  });

  it("nesting that a parser would choke on", () => {
    expect(refusal(`a: ${"[".repeat(100_000)}`)).toContain("config.yaml:1:67: expected at most 64 levels");
  });
});
