// What model servers said of themselves the last time, for a start at which one of them does not answer: its models
// stay known, and so does which of them parent and children had. Pure; no key and no answer of a model is in it.
//
// D1. What is kept of a server counts for the address that it was kept of, and for no other.
// D2. What a server says now goes before what is kept of it.

import { z } from "zod";
import type { DiscoveredProvider, Discovery } from "./discovery.ts";
import type { ProviderPlan } from "./plan.ts";

const KEPT_SCHEMA = 1;

const keptModel = z.object({
  name: z.string(),
  sizeBytes: z.number().nullable(),
  parameters: z.string().nullable(),
  contextTokens: z.number().nullable(),
  tools: z.boolean(),
  thinking: z.boolean(),
  vision: z.boolean().optional(),
  embeddingOnly: z.boolean(),
});

const keptServer = z.object({
  schema: z.literal(KEPT_SCHEMA),
  provider: z.string(),
  baseUrl: z.string(),
  type: z.enum(["ollama", "openai"]),
  version: z.string().nullable(),
  simulated: z.boolean(),
  models: z.array(keptModel),
  /** Wall-clock milliseconds. */
  seenAt: z.number(),
});
export type KeptServer = z.infer<typeof keptServer>;

/** The servers that were kept, as far as they are such: what another version wrote, or nobody, is left out. */
export function keptServersOf(kept: unknown): readonly KeptServer[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((each: unknown) => {
    const { data } = keptServer.safeParse(each);
    return data === undefined ? [] : [data];
  });
}

const keptOf = (plan: ProviderPlan, kept: readonly KeptServer[]): KeptServer | undefined =>
  kept.find(({ provider, baseUrl }) => provider === plan.name && baseUrl === plan.baseUrl);

type Found = Discovery["providers"];

/** What is to be kept from now on: those that answer as they are, the others as they were (D1). */
export function keepServers(
  plans: readonly ProviderPlan[],
  found: Found,
  { kept, now }: { readonly kept: readonly KeptServer[]; readonly now: number },
): readonly KeptServer[] {
  return plans.flatMap((plan) => {
    const said = found[plan.name];
    if (said?.reachable !== true) return keptOf(plan, kept) ?? [];
    const { type, version, simulated } = said;
    const models = said.models.map((model) => ({ ...model }));
    const { name: provider, baseUrl } = plan;
    return { schema: KEPT_SCHEMA, provider, baseUrl, type, version, simulated, models, seenAt: now };
  });
}

/** The same servers, those that do not answer with what they had (D2). */
export function withKept(plans: readonly ProviderPlan[], found: Found, kept: readonly KeptServer[]): Found {
  const filled = plans.flatMap((plan): readonly (readonly [string, DiscoveredProvider])[] => {
    const said = found[plan.name];
    if (said === undefined) return [];
    const was = said.reachable ? undefined : keptOf(plan, kept);
    if (was === undefined) return [[plan.name, said]];
    const { type, simulated, seenAt } = was;
    const models = was.models.map(({ vision, ...model }) => ({
      ...model,
      ...(vision !== undefined && { vision }),
    }));
    return [[plan.name, { ...said, type, simulated, models, seenAt }]];
  });
  return Object.fromEntries(filled);
}
