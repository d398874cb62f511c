import { describe, expect, it } from "vitest";
import type { Discovery } from "../../src/config/discovery.ts";
import { model, provider } from "./discovery-fixture.ts";
import { resolved, two } from "./resolved-fixture.ts";

/** Slots and children that nobody fixed. */
const FOUND = { autoSlots: { most: 32 }, autoChildren: { most: 64 } };

/** Nobody told the memory. */
const RESIDENT = { residency: { vramBytes: null } };

describe("backends", () => {
  it("have one slot for a local server and four for a cloud, and room for at least four children", () => {
    const found: Discovery = {
      providers: { ollama: provider([model("m", 1)]), cloud: provider([], { type: "openai" }) },
      vramBytes: null,
    };
    const yaml = "providers: {ollama: {type: ollama}, cloud: {type: openai, api_key: env:K}}\n";
    expect(resolved(yaml, found).settings.backends).toEqual([
      {
        name: "ollama",
        provider: "ollama",
        gpu: null,
        slots: 1,
        maxChildren: 4,
        local: true,
        ...FOUND,
        ...RESIDENT,
      },
      { name: "cloud", provider: "cloud", gpu: null, slots: 4, maxChildren: 8, local: false, ...FOUND },
    ]);
  });

  it("find what is auto, and keep to what is a number, of the GPU before that of its provider", () => {
    const yaml = `providers: {ollama: {type: ollama, slots: 6, max_children: auto}}
gpus: [{id: g0, provider: ollama}, {id: g1, provider: ollama, max_children: 9}]
`;
    const [found, fixed] = resolved(yaml, two).settings.backends;
    expect(found).toMatchObject({ slots: 6, maxChildren: 12, autoChildren: FOUND.autoChildren });
    expect(found).not.toHaveProperty("autoSlots");
    expect(fixed).toMatchObject({ slots: 6, maxChildren: 9 });
    expect(fixed).not.toHaveProperty("autoChildren");
    const pinned = "providers: {ollama: {type: ollama, slots: auto, max_children: 3}}\n";
    const [backend] = resolved(pinned, two).settings.backends;
    expect(backend).toMatchObject({ slots: 1, maxChildren: 3, autoSlots: FOUND.autoSlots });
    expect(backend).not.toHaveProperty("autoChildren");
  });

  it("follow slots and max_children of the provider and of its GPUs", () => {
    const yaml = `providers: {ollama: {type: ollama, slots: 6}}
gpus: [{id: g0, provider: ollama}, {id: g1, provider: ollama, slots: 2, max_children: 9}]
`;
    const { settings } = resolved(yaml, two);
    expect(settings.backends).toEqual([
      { name: "ollama@g0", provider: "ollama", gpu: "g0", slots: 6, maxChildren: 12, local: true },
      { name: "ollama@g1", provider: "ollama", gpu: "g1", slots: 2, maxChildren: 9, local: true },
    ]);
    expect(settings.parentModel.backend).toBe("ollama@g0");
  });

  it("load and unload by plan on an Ollama that is one backend, unless the config or Ollama's cloud says otherwise", () => {
    const residencyOf = (keys: string, more = "", vramBytes: number | null = null) =>
      resolved(`providers: {ollama: {type: ollama${keys}}}\n${more}`, { ...two, vramBytes }).settings
        .backends[0]?.residency;
    expect(residencyOf("", "", 24_000)).toEqual({ vramBytes: 24_000 });
    expect(residencyOf("", "gpus: [{id: g0, provider: ollama}]\n")).toEqual({ vramBytes: null });
    expect(residencyOf(", manage_models: false")).toBeUndefined();
    expect(residencyOf(", base_url: 'https://ollama.com', api_key: none")).toBeUndefined();
    expect(residencyOf(", base_url: 'http://notollama.com', api_key: none")).toEqual({ vramBytes: null });
  });
});
