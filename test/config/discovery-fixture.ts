// Plain discovery data for the tests of config/.

import type { DiscoveredModel, DiscoveredProvider, Discovery } from "../../src/config/discovery.ts";

export const GIB = 1024 ** 3;

export function model(
  name: string,
  gib: number | null,
  more: Partial<DiscoveredModel> = {},
): DiscoveredModel {
  return {
    name,
    sizeBytes: gib === null ? null : gib * GIB,
    parameters: null,
    contextTokens: 40_960,
    tools: true,
    thinking: false,
    embeddingOnly: false,
    ...more,
  };
}

export function provider(
  models: readonly DiscoveredModel[],
  more: Partial<DiscoveredProvider> = {},
): DiscoveredProvider {
  return {
    type: "ollama",
    reachable: true,
    problem: null,
    version: "0.33.0",
    simulated: false,
    models,
    ...more,
  };
}

export function discovery(
  models: Readonly<Record<string, readonly DiscoveredModel[]>>,
  vramGib: number | null = null,
): Discovery {
  const providers = Object.fromEntries(Object.entries(models).map(([name, list]) => [name, provider(list)]));
  return { providers, vramBytes: vramGib === null ? null : vramGib * GIB };
}

export const nothing: Discovery = {
  providers: { ollama: provider([], { reachable: false, problem: "connection refused", version: null }) },
  vramBytes: null,
};
