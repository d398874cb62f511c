// The flags of the demo: which box they mean, and what does not go together.

import { describe, expect, it } from "vitest";
import { demoOptions } from "../../src/cli/demo-options.ts";

describe("demoOptions", () => {
  it("takes the simulated box where nothing is said", () => {
    expect(demoOptions([])).toEqual({
      json: false,
      help: false,
      backend: { kind: "simulated", crash: false },
    });
  });

  it("reads the wish for a crash", () => {
    expect(demoOptions(["--crash"]).backend).toEqual({ kind: "simulated", crash: true });
  });

  it("reads an Ollama with its models and its place", () => {
    const args = [
      "--ollama",
      "--model",
      "qwen3:4b",
      "--parent-model",
      "qwen3:8b",
      "--url=http://box:1",
      "--json",
    ];
    expect(demoOptions(args)).toEqual({
      json: true,
      help: false,
      backend: { kind: "ollama", model: "qwen3:4b", parentModel: "qwen3:8b", url: "http://box:1" },
    });
  });

  it.each([
    [["--ollama"], "Expected --model NAME after --ollama"],
    [["--model", "x"], "--model goes with --ollama"],
    [["--url", "http://x"], "--url goes with --ollama"],
    [["--ollama", "--model", "x", "--crash"], "--crash does not go with --ollama"],
    [["now"], "Expected no words after demo"],
    [["--modle", "x"], "--model"],
  ])("refuses %j", (args, message) => {
    expect(() => demoOptions(args)).toThrow(message);
  });

  it("gives help before it minds anything else", () => {
    expect(demoOptions(["--help", "--model", "x"]).help).toBe(true);
  });
});
