import { describe, expect, it } from "vitest";
import { allKeys, foreignKeyHint, knownKeys } from "../../src/config/known-keys.ts";

describe("knownKeys", () => {
  it("are those of the block at the path, whatever the person called it", () => {
    expect(knownKeys([])).toContain("delegation");
    expect(knownKeys(["agents", "anything"])).toContain("toolsets");
    expect(knownKeys(["gpus", 3])).toEqual(["id", "provider", "slots", "max_children"]);
    expect(knownKeys(["providers", "p", "models", "m"])).toContain("num_ctx");
    expect(knownKeys(["server", "port"])).toEqual([]);
    expect(knownKeys(["nowhere", "else"])).toEqual([]);
  });

  it("all together hold every block once", () => {
    const keys = allKeys();
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toEqual(
      expect.arrayContaining(["log.level", "agents.*.role", "gpus.*.id", "providers.*.models.*.tools"]),
    );
  });
});

describe("foreignKeyHint", () => {
  it("helps with keys of Hermes only", () => {
    expect(foreignKeyHint("max_summary_chars")).toContain("max_result_chars");
    expect(foreignKeyHint("constructor")).toBeNull();
  });
});
