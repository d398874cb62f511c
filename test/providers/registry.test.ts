import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { providerSchema } from "../../src/core/config-schema.ts";
import { createProvider, PROVIDER_TYPES } from "../../providers/registry.ts";

const options = { baseUrl: "http://127.0.0.1:1/v1", fetch, clock: new SimulatedClock() };

describe("the registry of providers", () => {
  it("builds every type that it names, and the config knows each", () => {
    expect(PROVIDER_TYPES).toContain("ollama");
    for (const type of PROVIDER_TYPES) {
      expect(providerSchema.parse({ type, base_url: options.baseUrl })).toMatchObject({ type });
      expect(createProvider(type, options)).toMatchObject({ type, baseUrl: "http://127.0.0.1:1/v1" });
    }
  });

  it("names the types that exist when it is asked for another", () => {
    expect(() => createProvider("llama", options)).toThrow(/one of ollama, openai, got "llama"/);
    expect(() => createProvider("toString", options)).toThrow(/toString/);
  });
});
