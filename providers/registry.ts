// The one list of providers: the config's word `type` and what it builds. A new protocol is one file, one line here
// and one line in the conformance test; one more OpenAI-compatible endpoint is config only. The scripted provider is
// not in it: it needs a script, which no config holds.

import { ConfigError } from "../src/base/errors.ts";
import { ollama } from "./ollama.ts";
import { openaiCompatible } from "./openai-compatible.ts";
import type { Provider, ProviderOptions } from "./provider.ts";

const FACTORIES: ReadonlyMap<string, (options: ProviderOptions) => Provider> = new Map([
  ["ollama", ollama],
  ["openai", openaiCompatible],
]);

/** Every `type` that the config may name. */
export const PROVIDER_TYPES: readonly string[] = [...FACTORIES.keys()];

/**
 * The provider of this type.
 * Contract: sends nothing yet. Throws ConfigError `provider_type` for an unknown type, and ConfigError for an
 * address, header or key that can never work.
 */
export function createProvider(type: string, options: ProviderOptions): Provider {
  const factory = FACTORIES.get(type);
  if (factory) return factory(options);
  const message = `Expected \`type\` to be one of ${PROVIDER_TYPES.join(", ")}, got ${JSON.stringify(type)}.`;
  throw new ConfigError("provider_type", message);
}
