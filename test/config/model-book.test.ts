import { describe, expect, it } from "vitest";
import type { Discovery } from "../../src/config/discovery.ts";
import { discovery, model, nothing, provider } from "./discovery-fixture.ts";
import { resolved, two, unresolved } from "./resolved-fixture.ts";

describe("named models", () => {
  it("are found as provider/model, bare, with and without :latest, and with slashes and colons", () => {
    const found = discovery({
      ollama: [model("hf.co/org/m:Q4_K_M", 4), model("shared", 2), model("a:latest", 1)],
      other: [model("shared", 2)],
    });
    const yaml = (name: string) =>
      `model: '${name}'\nproviders: {ollama: {type: ollama}, other: {type: ollama, base_url: 'http://h:1'}}\n`;
    const parent = (name: string) => resolved(yaml(name), found).settings.parentModel;
    expect(parent("hf.co/org/m:Q4_K_M")).toMatchObject({ provider: "ollama", model: "hf.co/org/m:Q4_K_M" });
    expect(parent("ollama/hf.co/org/m:Q4_K_M")).toMatchObject({
      provider: "ollama",
      model: "hf.co/org/m:Q4_K_M",
    });
    expect(parent("shared").provider).toBe("ollama");
    expect(parent("other/shared").provider).toBe("other");
    expect(parent("a").model).toBe("a:latest");
    expect(unresolved(yaml("shred"), found).message).toContain("Did you mean shared?");
  });

  it("children inherit a named parent's model", () => {
    const { settings, why } = resolved("model: big:8b\n", two);
    expect(settings.childModel.model).toBe("big:8b");
    expect(why.join("\n")).toContain("children: ollama/big:8b, the parent's: delegation.model is not set");
  });

  it("of agents are written as provider/model, and refused when they are not there", () => {
    const { settings } = resolved("agents: {a: {model: small:1b}, b: {}}\n", two);
    expect(settings.agents.map(({ model: name }) => name)).toEqual(["ollama/small:1b", null]);
    expect(unresolved("agents: {a: {model: smal:1b}}\n", two).message).toContain("agents.a.model is smal:1b");
  });

  it("of a cloud that does not list them are taken on trust, with a warning", () => {
    const found: Discovery = {
      providers: { cloud: provider([], { type: "openai", reachable: false, problem: "401" }) },
      vramBytes: null,
    };
    const yaml = "model: cloud/gpt-x\nproviders: {cloud: {type: openai, api_key: env:KEY}}\n";
    const { settings, why } = resolved(yaml, found);
    expect(settings.parentModel).toEqual({ provider: "cloud", model: "gpt-x", backend: "cloud" });
    expect(settings.models.find(({ ref }) => ref.model === "gpt-x")).toMatchObject({
      tools: true,
      contextTokens: null,
    });
    expect(why).toContain("warning: model is cloud/gpt-x, taken on trust: cloud does not answer");
  });

  it("are taken on trust while their local server does not answer", () => {
    const { settings, servers, why } = resolved("model: big:8b\n", nothing);
    expect(settings.parentModel).toEqual({ provider: "ollama", model: "big:8b", backend: "ollama" });
    expect(resolved("model: big\n", nothing).settings.parentModel.model).toBe("big:latest");
    expect(servers.join("\n")).toContain("warning: ollama cannot be used yet. connection refused.");
    expect(why).toContain("warning: model is big:8b, taken on trust: ollama does not answer");
  });

  it("without a provider belong to the only one of several that could not be asked", () => {
    const yaml =
      "providers: {a: {type: ollama, base_url: 'http://a:1'}, b: {type: ollama, base_url: 'http://b:1'}}\n";
    const down = provider([], { reachable: false, problem: "connection refused" });
    const one = { providers: { a: provider([model("big:8b", 5)]), b: down }, vramBytes: null };
    expect(resolved(`${yaml}model: small:1b\n`, one).settings.parentModel.provider).toBe("b");
    const both = { providers: { a: down, b: down }, vramBytes: null };
    expect(unresolved(`${yaml}model: small:1b\n`, both).message).toContain(
      "model is small:1b, which no provider has (a, b could not be asked).",
    );
    expect(unresolved(`${yaml}model: x/small:1b\n`, one).message).toContain("There is no provider x.");
  });

  it.each([
    ["qwen9:1b", "Type: ollama pull qwen9:1b."],
    ["hf.co/org/model", "Type: ollama pull hf.co/org/model."],
    [
      "mannix/llama3",
      "There is no provider mannix. Known: ollama. If all of it is the name of a model, type: ollama pull mannix/llama3.",
    ],
  ])("that are missing are to be pulled where that can help: %s", (name, words) => {
    expect(unresolved(`model: ${name}\n`, two).message).toContain(words);
  });

  it.each([
    ["model: olama/big:8b", "Did you mean ollama?"],
    ["models: {work: big:8b}\nmodel: wrok", "Did you mean work?"],
  ])("that are misspelt are not: %s", (yaml, words) => {
    const { message } = unresolved(`${yaml}\n`, two);
    expect(message).toContain(words);
    expect(message).not.toContain("pull");
  });

  it("are never chosen from a cloud by themselves", () => {
    const found: Discovery = {
      providers: { cloud: provider([model("gpt-x", null)], { type: "openai" }) },
      vramBytes: null,
    };
    const yaml = "providers: {cloud: {type: openai, api_key: env:KEY}}\n";
    expect(unresolved(yaml, found).message).toContain("Or name one in the config (model: provider/model)");
  });
});
