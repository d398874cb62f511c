import { describe, expect, it } from "vitest";
import { didYouMean, nearest } from "../../src/config/suggest.ts";

const known = ["max_concurrent_children", "max_spawn_depth", "model", "timeout_s", "port"];

describe("nearest", () => {
  it.each([
    ["modle", "model"],
    ["Model", "model"],
    ["max-spawn-depth", "max_spawn_depth"],
    ["max_concurrent_childs", "max_concurrent_children"],
    ["timeout", "timeout_s"],
    ["prot", "port"],
  ])("takes %s for %s", (word, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });

  it("finds nothing near to what is far, and does not spend time on it", () => {
    expect(nearest("zzzzzz", known)).toBeNull();
    expect(nearest("x".repeat(1_000_000), known)).toBeNull();
    expect(didYouMean("zzzzzz", known)).toBe("");
    expect(didYouMean("modle", known)).toBe(" Did you mean model?");
  });
});
