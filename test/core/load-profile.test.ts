import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  loadProfileOf,
  profileKey,
  runnerOptionsOf,
  runsHere,
  taggedModel,
} from "../../src/core/load-profile.ts";

const model = (name: string, contextTokens: number | null) => ({
  ref: { provider: "ollama", model: name, backend: "ollama" },
  contextTokens,
});
const backend = { name: "ollama", residency: { vramBytes: null } };

describe("a load profile", () => {
  it("is a model, where it runs, and what it is loaded with", () => {
    expect(loadProfileOf(model("qwen3:8b", 16_384), backend)).toEqual({
      backend: "ollama",
      model: "qwen3:8b",
      runner: { contextTokens: 16_384 },
    });
  });

  it("is none where nothing is loaded at our command", () => {
    expect(loadProfileOf(model("gpt", 128_000), { name: "cloud" })).toBeNull();
    expect(loadProfileOf(model("gpt", 128_000), undefined)).toBeNull();
    expect(loadProfileOf(model("gpt-oss:120b-cloud", 8_192), backend)).toBeNull();
    expect(profileKey(null)).toBe("");
  });

  it("has one key for the same model under both of its names, and another for another context", () => {
    const keyOf = (name: string, contextTokens: number | null): string =>
      profileKey(loadProfileOf(model(name, contextTokens), backend));
    expect(keyOf("qwen3:8b", 16_384)).toBe("qwen3:8b@16384");
    expect(keyOf("tiny", 512)).toBe(keyOf("tiny:latest", 512));
    expect(keyOf("tiny", 512)).not.toBe(keyOf("tiny", 513));
    expect(keyOf("tiny", null)).toBe("tiny:latest@auto");
  });

  it("differs in its key exactly where a server would load anew", () => {
    const models = fc.record({
      name: fc.constantFrom("a", "a:latest", "b", "host:1/a"),
      context: fc.option(fc.integer({ min: 1, max: 3 })),
    });
    fc.assert(
      fc.property(models, models, (one, other) => {
        const [left, right] = [model(one.name, one.context), model(other.name, other.context)];
        const same =
          taggedModel(one.name) === taggedModel(other.name) &&
          JSON.stringify(runnerOptionsOf(left)) === JSON.stringify(runnerOptionsOf(right));
        const keys = [left, right].map((each) => profileKey(loadProfileOf(each, backend)));
        expect(keys[0] === keys[1]).toBe(same);
      }),
    );
  });

  it("leaves an option out that nobody chose, instead of sending its absence", () => {
    expect(runnerOptionsOf(model("a", null))).toEqual({});
    expect(Object.keys(runnerOptionsOf(model("a", null)))).toEqual([]);
  });
});

it("what a server passes on to a cloud runs there, wherever the server stands", () => {
  const backends = [
    { name: "gpu", local: true },
    { name: "cloud", local: false },
  ];
  const here = (model: string, backend: string): boolean => runsHere({ model, backend }, backends);
  expect([here("qwen3:8b", "gpu"), here("gpt-oss:120b-cloud", "gpu"), here("glm:cloud", "gpu")]).toEqual([
    true,
    false,
    false,
  ]);
  expect([here("qwen3:8b", "cloud"), here("qwen3:8b", "gone")]).toEqual([false, false]);
});
