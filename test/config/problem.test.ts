import { describe, expect, it } from "vitest";
import { keyName, problemsError } from "../../src/config/problem.ts";

describe("problemsError", () => {
  it("puts the problems in the order of the file and keeps them as data", () => {
    const at = (line: number | null, column: number | null, message: string) => ({
      line,
      column,
      key: "",
      message,
    });
    const error = problemsError("c.yaml", [
      at(3, 1, "third"),
      at(1, 9, "second"),
      at(1, 2, "first"),
      at(null, null, "whole"),
    ]);
    expect(error.message).toBe(
      "The config has 4 problems:\n  c.yaml: whole\n  c.yaml:1:2: first\n  c.yaml:1:9: second\n  c.yaml:3:1: third",
    );
    expect(error.details["problems"]).toHaveLength(4);
    expect(problemsError("c.yaml", [at(1, 2, "only")]).message).toBe("c.yaml:1:2: only");
  });

  it("writes paths as people write them", () => {
    expect(keyName(["agents", "a", "toolsets", 0])).toBe("agents.a.toolsets[0]");
    expect(keyName([])).toBe("");
  });
});
