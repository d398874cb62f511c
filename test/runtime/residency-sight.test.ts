import { describe, expect, test } from "vitest";
import type { LoadedModelInfo } from "../../providers/provider.ts";
import {
  findModel,
  findProfile,
  shapeOf,
  Strangers,
  type Sought,
} from "../../src/runtime/residency-sight.ts";

const shown = (name: string, rest: Partial<LoadedModelInfo> = {}): LoadedModelInfo => ({
  name,
  sizeBytes: 10,
  vramBytes: 8,
  contextTokens: 512,
  digest: null,
  expiresAt: null,
  ...rest,
});
const sought = (rest: Partial<Sought> = {}): Sought => ({
  profile: { backend: "ollama", model: "a:latest", runner: { contextTokens: 512 } },
  digest: null,
  shownContext: null,
  ...rest,
});

describe("a profile in memory", () => {
  test("is found under its name, with or without the tag", () => {
    expect(findProfile([shown("b"), shown("a")], sought())).toMatchObject({ name: "a" });
    expect(findProfile([shown("a:7b")], sought())).toBeUndefined();
  });

  test("is found under another name of the same contents: such a model is loaded once", () => {
    const copy = shown("copy:latest", { digest: "d1" });
    expect(findModel([copy], sought({ digest: "d1" }))).toBe(copy);
    expect(findProfile([copy], sought({ digest: "d1" }))).toBe(copy);
    expect(findProfile([copy], sought({ digest: "d2" }))).toBeUndefined();
    expect(findProfile([shown("x")], sought())).toBeUndefined();
  });

  test("is not there when the model was loaded with another context: our next turn would load it anew", () => {
    expect(findProfile([shown("a", { contextTokens: 4_096 })], sought())).toBeUndefined();
    expect(findModel([shown("a", { contextTokens: 4_096 })], sought())).toBeDefined();
  });

  test("is there with the context that the server made of ours, or where it tells none", () => {
    expect(findProfile([shown("a", { contextTokens: 300 })], sought({ shownContext: 300 }))).toBeDefined();
    expect(findProfile([shown("a", { contextTokens: null })], sought())).toBeDefined();
    const auto = sought({ profile: { backend: "ollama", model: "a:latest", runner: {} } });
    expect(findProfile([shown("a", { contextTokens: 9 })], auto)).toBeDefined();
  });
});

test("the shape of a memory changes when a model comes, goes or becomes another, and not when it is used", () => {
  const before = [shown("a"), shown("b")];
  expect(shapeOf([shown("b"), shown("a", { expiresAt: 7 })])).toBe(shapeOf(before));
  expect(shapeOf([shown("a")])).not.toBe(shapeOf(before));
  expect(shapeOf([shown("a"), shown("b", { contextTokens: 9 })])).not.toBe(shapeOf(before));
});

describe("models of others", () => {
  test("come and go once", () => {
    const strangers = new Strangers();
    expect(strangers.see([shown("x")], 0)).toEqual({ came: ["x"], went: [] });
    expect(strangers.has("x")).toBe(true);
    expect(strangers.see([shown("x")], 1)).toEqual({ came: [], went: [] });
    expect(strangers.see([], 2)).toEqual({ came: [], went: ["x"] });
    expect(strangers.has("x")).toBe(false);
  });

  test("take of the memory what they cannot be moved out of: those that were used of late, or are overdue", () => {
    const strangers = new Strangers();
    strangers.see([shown("x", { expiresAt: 500_000 }), shown("y", { expiresAt: 900_000 })], 0);
    expect(strangers.bytesAtWork(0)).toBe(16);
    strangers.see([shown("x", { expiresAt: 500_000 }), shown("y", { expiresAt: 960_000 })], 60_000);
    expect(strangers.bytesAtWork(60_000)).toBe(8);
    strangers.see([shown("x", { expiresAt: 500_000 }), shown("y", { expiresAt: 960_000 })], 600_000);
    expect(strangers.bytesAtWork(600_000)).toBe(8);
    expect(strangers.bytesAtWork(400_000)).toBe(0);
  });
});
