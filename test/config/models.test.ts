import { describe, expect, it } from "vitest";
import type { Discovery } from "../../src/config/discovery.ts";
import { discovery, model, provider } from "./discovery-fixture.ts";
import { resolved, two } from "./resolved-fixture.ts";

describe("context and capabilities", () => {
  it("asks for 16384 tokens, lowered to what the model was trained for", () => {
    const found = discovery({
      ollama: [
        model("long", 5, { contextTokens: 131_072 }),
        model("short", 2, { contextTokens: 4096 }),
        model("unknown", 1, { contextTokens: null }),
      ],
    });
    const { models } = resolved("", found).settings;
    expect(models.map(({ contextTokens }) => contextTokens)).toEqual([16_384, 4096, 16_384]);
  });

  it("lets the config correct the server, still within the trained context", () => {
    const yaml =
      "providers: {ollama: {type: ollama, models: {big:8b: {num_ctx: 999999, tools: false, thinking: true, prompt_price_micros: 7}}}}\n";
    const { models } = resolved(`model: small:1b\n${yaml}`, two).settings;
    expect(models.find(({ ref }) => ref.model === "big:8b")).toMatchObject({
      contextTokens: 40_960,
      tools: false,
      thinking: true,
      promptPriceMicros: 7,
    });
  });

  it("leaves a cloud's context to the cloud", () => {
    const found: Discovery = {
      providers: { cloud: provider([model("g", null, { contextTokens: null })], { type: "openai" }) },
      vramBytes: null,
    };
    const { models } = resolved(
      "model: g\nproviders: {cloud: {type: openai, api_key: env:K}}\n",
      found,
    ).settings;
    expect(models[0]?.contextTokens).toBeNull();
  });

  it("warns of a parent that cannot call tools", () => {
    const { why } = resolved("model: mute\n", discovery({ ollama: [model("mute", 1, { tools: false })] }));
    expect(why.join("\n")).toContain("warning: ollama/mute cannot call tools");
  });
});
