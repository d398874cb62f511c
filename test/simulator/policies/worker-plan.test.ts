import { describe, expect, test } from "vitest";
import { briefOf } from "../../../src/simulator/policies/worker-brief.ts";
import { fits, isFile, isUnder, nextLook, seenIn } from "../../../src/simulator/policies/worker-plan.ts";
import { exchangesOf } from "../../../src/simulator/policies/transcript.ts";
import type { PolicyMessage, PolicyTool } from "../../../src/simulator/policy.ts";
import { assistant, FILE_TOOLS, result, tools } from "../fixtures.ts";

const LISTED = [
  assistant("", ["list_dir", { path: "." }]),
  result("list_dir", "docs/\nsrc/\nREADME.md 90\na.ts 10\nlogo.png 7"),
];

function look(
  goal: string,
  messages: readonly PolicyMessage[],
  more: { steers?: readonly string[]; offered?: readonly PolicyTool[] } = {},
) {
  const request = { messages, tools: more.offered ?? FILE_TOOLS };
  const next = nextLook(request, briefOf(goal, more.steers ?? []), seenIn(exchangesOf(messages)));
  return next && [next.name, ...Object.values(next.arguments)];
}

const TROUPE_TOOLS: readonly PolicyTool[] = [
  { name: "list_dir", description: "", parameters: { properties: { path: {}, depth: {} } } },
  { name: "read_file", description: "", parameters: { properties: { path: {}, max_lines: {} } } },
  { name: "search_files", description: "", parameters: { properties: { text: {}, glob: {}, path: {} } } },
];

describe("the next look", () => {
  test.each([
    ["a named file is read", "Read docs/a.md", [], ["read_file", "docs/a.md"]],
    ["a named folder is listed", "Count files in docs/adr", [], ["list_dir", "docs/adr"]],
    ["without a place the root is listed", "Say what is here", [], ["list_dir", "."]],
    [
      "a listed folder that the goal names is listed",
      "Summarise the docs folder",
      LISTED,
      ["list_dir", "docs"],
    ],
    [
      "a listed file that the goal names is read",
      "What does the readme say",
      LISTED,
      ["read_file", "README.md"],
    ],
    [
      "a term is searched for where the goal says",
      "Find TODO in src",
      LISTED,
      ["search_files", "TODO", "src"],
    ],
    ["a readme is read first", "Say what is here", LISTED, ["read_file", "README.md"]],
  ])("%s", (...row) => {
    const [, goal, messages, expected] = row;
    expect(look(goal, messages)).toEqual(expected);
  });

  test("K1 no look is taken twice, and every plan ends", () => {
    const messages = [...LISTED];
    const taken: string[] = [];
    for (let turn = 0; turn < 40; turn++) {
      const next = look("Count the files here and find TODO", messages);
      if (next === null) break;
      taken.push(next.join(" "));
      const [name = "", ...rest] = next.map(String);
      const input = name === "search_files" ? { text: rest[0], path: rest[1] } : { path: rest[0] };
      const value =
        name === "list_dir" ? `${rest[0]}/deep/\n${rest[0]}/f${turn}.ts 1` : `x/y${turn}.ts:1: TODO`;
      messages.push(assistant("", [name, input]), result(name, value));
    }
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken.length).toBeGreaterThan(3);
    expect(taken.length).toBeLessThan(12);
    expect(look("Count the files here and find TODO", messages)).toBeNull();
  });

  test("K1 a failed look is not repeated", () => {
    const failed = [assistant("", ["read_file", { path: "a.md" }]), result("read_file", { error: "no" })];
    expect(look("Read a.md", failed)).toBeNull();
  });

  test("K2 arguments have the names of the tool's own schema", () => {
    const offered = [
      { name: "search_files", description: "", parameters: { properties: { query: {}, directory: {} } } },
    ];
    const next = nextLook({ messages: [], tools: offered }, briefOf("Find TODO in src/core", []), seenIn([]));
    expect(next?.arguments).toEqual({ query: "TODO", directory: "src/core" });
  });

  test("K2 a tool that was not offered is not called", () => {
    expect(look("Find TODO in src", [], { offered: tools("read_file") })).toBeNull();
  });

  test("a file that was not named is only glanced at", () => {
    expect(look("Say what is here", LISTED, { offered: TROUPE_TOOLS })).toEqual([
      "read_file",
      "README.md",
      120,
    ]);
    expect(look("Read README.md", [], { offered: TROUPE_TOOLS })).toEqual(["read_file", "README.md"]);
  });
});

describe("after a steer", () => {
  test("only files of the wanted kind are read, and looked for deeper when none was listed", () => {
    expect(look("Say what is here", LISTED, { steers: ["only TypeScript files"] })).toEqual([
      "read_file",
      "a.ts",
    ]);
    expect(
      look("Say what is here", LISTED, { steers: ["only Python files"], offered: TROUPE_TOOLS }),
    ).toEqual(["search_files", "*.py", "."]);
  });

  test("a focus on a file reads it where it was listed and nothing else", () => {
    const listed = [
      assistant("", ["list_dir", { path: "src" }]),
      result("list_dir", "src/a.ts 1\nsrc/b.ts 2"),
    ];
    const steers = ["focus on b.ts"];
    expect(look("Describe src/", listed, { steers })).toEqual(["read_file", "src/b.ts"]);
    const read = [...listed, assistant("", ["read_file", { path: "src/b.ts" }]), result("read_file", "x")];
    expect(look("Describe src/", read, { steers })).toBeNull();
  });

  test("a focus on a word that names nothing is searched for", () => {
    expect(look("Say what is in src/core", LISTED, { steers: ["focus on deadlines"] })).toEqual([
      "list_dir",
      "src/core",
    ]);
    const seen = [
      ...LISTED,
      assistant("", ["list_dir", { path: "src/core" }]),
      result("list_dir", "src/core/x.ts 1"),
    ];
    expect(look("Say what is in src/core", seen, { steers: ["focus on deadlines"] })).toEqual([
      "search_files",
      "deadline",
      "src/core",
    ]);
  });

  test("a wish to be brief means fewer files", () => {
    const read = [...LISTED, assistant("", ["read_file", { path: "README.md" }]), result("read_file", "x")];
    expect(look("Say what is here", read)).toEqual(["read_file", "a.ts"]);
    expect(look("Say what is here", read, { steers: ["be brief"] })).toBeNull();
  });
});

test("paths are told apart by their form", () => {
  expect([isFile("a.md"), isFile("src/core"), isFile(".")]).toEqual([true, false, false]);
  expect([
    isUnder("src/a", "src"),
    isUnder("src", "src"),
    isUnder("srcs/a", "src"),
    isUnder("x", "."),
  ]).toEqual([true, true, false, true]);
  const brief = briefOf("only Markdown files", []);
  expect([fits("a/b.md", brief), fits("a/b.ts", brief), fits("logo.png", briefOf("x", []))]).toEqual([
    true,
    false,
    false,
  ]);
});
