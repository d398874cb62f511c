import { describe, expect, it } from "vitest";
import { CHILD_INSTRUCTIONS, SESSION_INSTRUCTIONS, withOwn } from "../../src/config/instructions.ts";
import { builtinToolsets, ToolsetRegistry } from "../../src/toolsets/registry.ts";

describe("instructions", () => {
  it("name only tools that the agent has", () => {
    const registry = new ToolsetRegistry(builtinToolsets({ onInterrupt: "continue" }));
    const tools = registry
      .toolsOf(["delegation", "file"], "orchestrator")
      .map(({ definition }) => definition.name);
    const named = (text: string) =>
      [...new Set(text.match(/\b[a-z]+(_[a-z]+)+\b/g))].filter((word) => word !== "task_id");
    expect(named(SESSION_INSTRUCTIONS).length).toBeGreaterThan(3);
    expect(named(SESSION_INSTRUCTIONS).filter((name) => !tools.includes(name))).toEqual([]);
    expect(named(CHILD_INSTRUCTIONS)).toEqual([]);
  });

  it("are short enough for a small model's context", () => {
    for (const text of [SESSION_INSTRUCTIONS, CHILD_INSTRUCTIONS]) expect(text.length).toBeLessThan(1600);
  });

  it("put the person's own behind Troupe's, and add nothing for an empty text", () => {
    expect(withOwn("base", " own \n")).toBe("base\n\nown");
    expect(withOwn("base", " \n")).toBe("base");
  });
});
