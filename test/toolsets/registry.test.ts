import { describe, expect, it } from "vitest";
import { findToolset, toolsetNames, toolsFor } from "../../src/toolsets/registry.ts";

describe("registry", () => {
  it("finds every toolset that it names", () => {
    expect(toolsetNames()).toContain("file");
    for (const name of toolsetNames()) expect(findToolset(name).name).toBe(name);
  });

  it("gives each toolset's tools once, with a schema of an object", () => {
    const tools = toolsFor(["file", "file"], "leaf");
    expect(tools.map(({ definition }) => definition.name)).toEqual(["list_dir", "read_file", "search_files"]);
    for (const { definition } of tools) expect(definition.parameters).toMatchObject({ type: "object" });
  });

  it("tells a name that is not there yet from one that nobody knows", () => {
    expect(() => findToolset("terminal")).toThrow(/terminal is not available in this version/);
    expect(() => findToolset("web")).toThrow(
      expect.objectContaining({ code: "toolset_unavailable" }) as Error,
    );
    expect(() => findToolset("fil")).toThrow(expect.objectContaining({ code: "unknown_toolset" }) as Error);
    expect(() => findToolset("constructor")).toThrow(/Known: .*file/);
  });
});
