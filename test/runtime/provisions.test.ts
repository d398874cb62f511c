import { expect, test } from "vitest";
import type { Tool } from "../../src/core/tool.ts";
import { Provisions } from "../../src/runtime/provisions.ts";
import { MODEL, testSettings } from "./rig.ts";

const tool = (name: string): Tool => ({
  definition: { name, description: "", parameters: {} },
  repeatable: true,
  run: async () => ({ type: "result", value: name }),
});

test("tools are made once for all tasks with the same toolsets and role", () => {
  const asked: string[] = [];
  const provisions = new Provisions(testSettings(), (toolsets, role) => {
    asked.push(`${role} ${toolsets.join()}`);
    return [tool("hit")];
  });
  const leaf = provisions.toolsOf({ role: "leaf", toolsets: ["a", "b"] });
  expect(provisions.toolsOf({ role: "leaf", toolsets: ["a", "b"] })).toBe(leaf);
  expect(provisions.toolsOf({ role: "orchestrator", toolsets: ["a", "b"] })).not.toBe(leaf);
  expect([...leaf.keys()]).toEqual(["hit"]);
  expect(asked).toEqual(["leaf a,b", "orchestrator a,b"]);
});

test("a model of the config is found, and one that went is said", () => {
  const provisions = new Provisions(testSettings(), () => []);
  expect(provisions.modelOf(MODEL).ref).toEqual(MODEL);
  expect(() => provisions.modelOf({ ...MODEL, model: "gone" })).toThrow(
    expect.objectContaining({ code: "model_not_found" }),
  );
});
