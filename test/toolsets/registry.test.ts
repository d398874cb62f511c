import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/core/config-schema.ts";
import { webOptions } from "../../src/web-reach.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { builtinToolsets, ToolsetRegistry, toolsetNames } from "../../src/toolsets/registry.ts";

const web = webOptions(configSchema.parse({ tools: { web: { search_url: "http://search.test/" } } }), [], {
  request: () => Promise.reject(new Error("nothing is asked here")),
  resolve: () => Promise.resolve([]),
  ownAddresses: () => [],
});
const registry = new ToolsetRegistry(builtinToolsets({ onInterrupt: "continue", web }));

describe("ToolsetRegistry", () => {
  it("finds every toolset that it names", () => {
    expect(toolsetNames()).toEqual([
      "delegation",
      "file",
      "file_write",
      "progress",
      "ask",
      "terminal",
      "web",
    ]);
    expect([...registry.names]).toEqual(toolsetNames());
    for (const name of registry.names) expect(registry.find(name).name).toBe(name);
  });

  it("gives each toolset's tools once", () => {
    const names = registry.toolsOf(["file", "file"], "leaf").map(({ definition }) => definition.name);
    expect(names).toEqual(["list_dir", "read_file", "search_files"]);
  });

  it("gives tools of one name once, each with a description and a schema that can be checked", () => {
    const tools = registry.toolsOf([...registry.names], "orchestrator").map(({ definition }) => definition);
    expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
    for (const { name, description, parameters } of tools) {
      expect(name).toMatch(/^[a-z_]{1,64}$/);
      expect(description.length).toBeGreaterThan(20);
      expect(parameters).toMatchObject({ type: "object", additionalProperties: false });
    }
  });

  it("has no web where the world has none", () => {
    const apart = new ToolsetRegistry(builtinToolsets({ onInterrupt: "continue" }));
    expect(() => apart.find("web")).toThrow(expect.objectContaining({ code: "unknown_toolset" }) as Error);
  });

  it("gives a leaf nothing to delegate with", () => {
    expect(registry.toolsOf(["delegation"], "leaf")).toEqual([]);
  });

  it("tells a name that is not there yet from one that nobody knows", () => {
    expect(() => registry.find("browser")).toThrow(/browser is not available in this version/);
    expect(() => registry.find("browser")).toThrow(
      expect.objectContaining({ code: "toolset_unavailable" }) as Error,
    );
    expect(() => registry.find("fil")).toThrow(expect.objectContaining({ code: "unknown_toolset" }) as Error);
    expect(() => registry.find("constructor")).toThrow(
      /Known: delegation, file, file_write, progress, ask, terminal/,
    );
  });

  it("lets every toolset that holds something for a task let go of it", async () => {
    const released: string[] = [];
    const holding = (name: string): Toolset => ({
      name,
      description: "",
      tools: () => [],
      release: async (taskId) => void released.push(`${name} ${taskId}`),
    });
    const plain: Toolset = { name: "plain", description: "", tools: () => [] };
    await new ToolsetRegistry([holding("a"), plain, holding("b")]).release("task_1");
    expect(released).toEqual(["a task_1", "b task_1"]);
  });
});
