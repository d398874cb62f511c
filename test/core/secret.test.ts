import { describe, expect, it } from "vitest";
import { isPlaceholder, parseSecretRef } from "../../src/core/secret.ts";

describe("parseSecretRef", () => {
  it("tells a variable, none and a literal apart", () => {
    expect(parseSecretRef("env:OPENAI_API_KEY")).toEqual({ from: "env", name: "OPENAI_API_KEY" });
    expect(parseSecretRef(" ENV: A ")).toEqual({ from: "env", name: "A" });
    expect(parseSecretRef("none")).toEqual({ from: "none" });
    expect(parseSecretRef("local-key")).toEqual({ from: "literal", value: "local-key" });
    for (const bad of ["env:", "env:1A", "env:A B", "env:A-B"]) expect(parseSecretRef(bad)).toBeNull();
  });
});

describe("isPlaceholder", () => {
  it.each([
    "",
    "your-api-key",
    "your_openai_key_here",
    "sk-...",
    "sk-xxxxxxxx",
    "changeme",
    "CHANGE_ME",
    "<your key>",
    "${KEY}",
    "xxxx",
    "000000",
    "todo",
    "replace-me",
    "insert-token-here",
  ])("is true of %j", (key) => {
    expect(isPlaceholder(key)).toBe(true);
  });

  it.each(["sk-proj-4fj3kd93kfj3", "gsk_9dk3jd93jd", "AIzaSyD3kd93jdk", "hf_keyTokenish93", "b7c1d2e3f4"])(
    "is false of %j",
    (key) => {
      expect(isPlaceholder(key)).toBe(false);
    },
  );
});
