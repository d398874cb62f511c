import { describe, expect, test } from "vitest";
import { parseFlags, type FlagSpec } from "../../src/cli/flags.ts";

const SPECS: readonly FlagSpec[] = [
  { name: "json", help: "" },
  { name: "follow", short: "f", help: "" },
  { name: "model", value: "MODEL", help: "" },
  { name: "toolset", value: "NAME", multiple: true, help: "" },
  { name: "wait-s", value: "SECONDS", help: "" },
];

describe("what is read", () => {
  test("words, switches, values and lists, in any order", () => {
    const { flags, words } = parseFlags(
      ["a goal", "--json", "--model", "m", "--toolset=file", "-f", "--toolset", "web", "more"],
      SPECS,
    );
    expect(words).toEqual(["a goal", "more"]);
    expect([flags.has("json"), flags.has("follow"), flags.has("wait-s")]).toEqual([true, true, false]);
    expect(flags.text("model")).toBe("m");
    expect(flags.texts("toolset")).toEqual(["file", "web"]);
    expect(flags.texts("model")).toEqual(["m"]);
  });

  test("after -- everything is a word, and a lone dash is one", () => {
    expect(parseFlags(["--", "--json"], SPECS).words).toEqual(["--json"]);
    expect(parseFlags(["--model", "-"], SPECS).flags.text("model")).toBe("-");
  });

  test("numbers", () => {
    const { flags } = parseFlags(["--wait-s", "1.5"], SPECS);
    expect(flags.number("wait-s")).toBe(1.5);
    expect(flags.number("model")).toBeUndefined();
    expect(() => flags.integer("wait-s", { least: 0, most: 9 })).toThrow(/whole number from 0 to 9, got 1.5/);
  });
});

describe("what is refused, each as wrong use with what to do", () => {
  test.each([
    ["an unknown flag with a near one", ["--jsn"], /no flag --jsn here\. Did you mean --json\?/],
    ["an unknown flag far from all", ["--zzzzzz"], /no flag --zzzzzz here\. Known: --json, --follow/],
    ["an unknown letter", ["-x"], /no flag -x here/],
    ["a missing value at the end", ["--model"], /a value after --model: --model MODEL/],
    ["a flag where the value should be", ["--model", "--json"], /got the flag --json.*--model=--json/],
    ["a value for a switch", ["--json=yes"], /--json without a value, got "yes"/],
    ["a single flag given twice", ["--model", "a", "--model", "b"], /--model once, got it twice/],
  ])("%s", (_, args, message) => {
    expect(() => parseFlags(args, SPECS)).toThrow(
      expect.objectContaining({ code: "usage", kind: "invalid_request" }),
    );
    expect(() => parseFlags(args, SPECS)).toThrow(message);
  });

  test.each(["", "x", "-1", "Infinity"])("the number %j", (text) => {
    expect(() => parseFlags([`--wait-s=${text}`], SPECS).flags.number("wait-s")).toThrow(
      /to be a number from 0 up/,
    );
  });
});
