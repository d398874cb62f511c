import { describe, expect, it } from "vitest";
import type { Discovery } from "../../src/config/discovery.ts";
import { model, provider } from "./discovery-fixture.ts";
import { resolved, two } from "./resolved-fixture.ts";

describe("backends", () => {
  it("have one slot for a local server and four for a cloud, and room for at least four children", () => {
    const found: Discovery = {
      providers: { ollama: provider([model("m", 1)]), cloud: provider([], { type: "openai" }) },
      vramBytes: null,
    };
    const yaml = "providers: {ollama: {type: ollama}, cloud: {type: openai, api_key: env:K}}\n";
    expect(resolved(yaml, found).settings.backends).toEqual([
      { name: "ollama", provider: "ollama", gpu: null, slots: 1, maxChildren: 4, local: true },
      { name: "cloud", provider: "cloud", gpu: null, slots: 4, maxChildren: 4, local: false },
    ]);
  });

  it("follow slots and max_children of the provider and of its GPUs", () => {
    const yaml = `providers: {ollama: {type: ollama, slots: 6}}
gpus: [{id: g0, provider: ollama}, {id: g1, provider: ollama, slots: 2, max_children: 9}]
`;
    const { settings } = resolved(yaml, two);
    expect(settings.backends).toEqual([
      { name: "ollama@g0", provider: "ollama", gpu: "g0", slots: 6, maxChildren: 6, local: true },
      { name: "ollama@g1", provider: "ollama", gpu: "g1", slots: 2, maxChildren: 9, local: true },
    ]);
    expect(settings.parentModel.backend).toBe("ollama@g0");
  });
});
