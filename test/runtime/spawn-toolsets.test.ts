import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capabilitiesOf, CAPABILITIES, NO_GRANTS } from "../../src/core/capabilities.ts";
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
  known: new Set([
    "delegation",
    "file",
    "progress",
    "memory",
    "messaging",
    "code_execution",
    "web",
    "terminal",
  ]),
  agent: "child",
  capabilities: NO_GRANTS,
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
    [{ asked: ["file", "web"] }, "capability_conflict"],
    [{ ofAgent: ["terminal", "web"] }, "capability_conflict"],
    [{ parentHas: ["file", "web"] }, "capability_conflict"],
    [{ byDefault: ["file", "web"] }, "capability_conflict"],
    [{ asked: ["file", "web"], capabilities: { ...NO_GRANTS, grants: ["session"] } }, "capability_conflict"],
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

describe("capabilities", () => {
  test.each<[string, readonly string[], Partial<ToolsetQuestion>]>([
    ["a terminal and files in a sandbox without network", ["terminal", "file"], {}],
    [
      "the same with network, where no page is read",
      ["terminal", "file"],
      { capabilities: { grants: [], terminalNetwork: true } },
    ],
    ["the web alone", ["web"], {}],
    [
      "all three where the config grants it",
      ["file", "web"],
      { capabilities: { ...NO_GRANTS, grants: ["child"] } },
    ],
  ])("let %s run", (_, asked, rest) => {
    expect(toolsetsOf({ ...PLAIN, asked, ...rest })).toEqual([...asked, "progress"]);
  });

  test("that conflict are refused with the key that allows it, the agent, and who holds what", () => {
    expect(() => toolsetsOf({ ...PLAIN, asked: ["file", "web"] })).toThrow(
      expect.objectContaining({
        kind: "limit",
        message: expect.stringMatching(
          /file \(private_data\), web \(reads_untrusted, talks_out\)\..*add child to tools\.grants/,
        ) as string,
        details: { config_key: "tools.grants", agent: "child", toolsets: ["file", "web", "progress"] },
      }) as Error,
    );
  });

  const names = fc.uniqueArray(fc.constantFrom("delegation", "file", "terminal", "web", "progress"));
  const grants = fc.subarray(["session", "child", "a", "b"]);

  test("are only lost on the way down, and never all three without a grant", () => {
    const level = fc.record({
      asked: fc.option(names, { nil: undefined }),
      ofAgent: fc.option(names),
      role: fc.constantFrom("leaf" as const, "orchestrator" as const),
      agent: fc.constantFrom("child", "a", "b"),
    });
    const settings = fc.record({ grants, terminalNetwork: fc.boolean() });
    let spawned = 0;
    let refused = 0;
    fc.assert(
      fc.property(
        names,
        fc.array(level, { minLength: 1, maxLength: 5 }),
        settings,
        (root, levels, capabilities) => {
          let above: readonly string[] = root;
          for (const each of levels) {
            let kept: readonly string[];
            try {
              kept = toolsetsOf({ ...PLAIN, ...each, parentHas: above, capabilities });
            } catch {
              refused += 1;
              continue;
            }
            spawned += 1;
            const held = capabilitiesOf(kept, capabilities);
            expect(capabilitiesOf(above, capabilities)).toEqual(expect.arrayContaining([...held]));
            const isGranted = capabilities.grants.includes(each.agent);
            expect(isGranted || held.length < CAPABILITIES.length).toBe(true);
            above = kept;
          }
        },
      ),
      { numRuns: 1_000 },
    );
    // A property that only ever saw refusals would hold for nothing.
    expect(spawned).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });
});
