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
      priced: false,
    });
  });

  it("knows a price once both of its halves are written down, be they 0", () => {
    const priced = (prices: string): unknown => {
      const yaml = `providers: {ollama: {type: ollama, models: {big:8b: {${prices}}}}}\n`;
      const { models } = resolved(`model: small:1b\n${yaml}`, two).settings;
      return models.find(({ ref }) => ref.model === "big:8b");
    };
    expect(priced("prompt_price_micros: 0, output_price_micros: 0")).toMatchObject({ priced: true });
    expect(
      priced("prompt_price_micros: 3, output_price_micros: 5, cached_prompt_price_micros: 1"),
    ).toMatchObject({
      promptPriceMicros: 3,
      outputPriceMicros: 5,
      cachedPromptPriceMicros: 1,
      priced: true,
    });
    expect(priced("output_price_micros: 5")).toMatchObject({ priced: false });
    expect(priced("prompt_price_micros: 5")).not.toHaveProperty("cachedPromptPriceMicros");
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
