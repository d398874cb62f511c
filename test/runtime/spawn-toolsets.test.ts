import { describe, expect, test } from "vitest";
import { toolsetsOf, toollessNote, type ToolsetQuestion } from "../../src/runtime/spawn-toolsets.ts";
import { testSettings } from "./rig.ts";

const [ABLE, , TOOLLESS] = testSettings().models as [
  ToolsetQuestion["model"],
  ToolsetQuestion["model"],
  ToolsetQuestion["model"],
];
const PLAIN: ToolsetQuestion = {
  asked: undefined,
  ofAgent: null,
  parentHas: null,
  byDefault: [],
  role: "leaf",
  model: ABLE,
  known: new Set(["delegation", "file", "progress", "memory", "messaging", "code_execution"]),
};

describe("toolsetsOf", () => {
  test.each<[string, Partial<ToolsetQuestion>, readonly string[]]>([
    ["nothing anywhere", {}, []],
    ["the default, without a parent", { byDefault: ["file"] }, ["file", "progress"]],
    ["the parent's before the default", { byDefault: ["memory"], parentHas: ["file"] }, ["file", "progress"]],
    [
      "the agent's before the parent's",
      { ofAgent: ["file"], parentHas: ["file", "memory"] },
      ["file", "progress"],
    ],
    ["what was asked for before all", { asked: [], ofAgent: ["file"], parentHas: ["file"] }, []],
    ["each once", { asked: ["file", "file"] }, ["file", "progress"]],
    [
      "for a leaf, none that a leaf may not have",
      { asked: ["file", "delegation", "memory", "messaging", "code_execution"] },
      ["file", "progress"],
    ],
    ["for an orchestrator, delegation always", { role: "orchestrator" }, ["delegation", "progress"]],
    [
      "for an orchestrator below one, delegation once",
      { role: "orchestrator", parentHas: ["delegation", "file"] },
      ["delegation", "file", "progress"],
    ],
    ["progress though the parent lacks it", { asked: ["file"], parentHas: ["file"] }, ["file", "progress"]],
    ["none for a model that cannot call tools", { model: TOOLLESS, parentHas: ["file"] }, []],
  ])("gives %s", (_, question, toolsets) => {
    expect(toolsetsOf({ ...PLAIN, ...question })).toEqual(toolsets);
  });

  test.each<[Partial<ToolsetQuestion>, string]>([
    [{ asked: ["nope"] }, "unknown_toolset"],
    [{ asked: ["file"], parentHas: ["delegation"] }, "toolset_not_inherited"],
    [{ ofAgent: ["file"], parentHas: [] }, "toolset_not_inherited"],
    [{ model: TOOLLESS, asked: ["file"] }, "model_without_tools"],
    [{ model: TOOLLESS, role: "orchestrator" }, "model_without_tools"],
  ])("refuses %j as %s", (question, code) => {
    expect(() => toolsetsOf({ ...PLAIN, ...question })).toThrow(expect.objectContaining({ code }) as Error);
  });
});

test("only a model that cannot call tools has a note", () => {
  expect(toollessNote(ABLE)).toBeNull();
  expect(toollessNote(TOOLLESS)).toContain("gpu/toolless cannot call tools");
});
