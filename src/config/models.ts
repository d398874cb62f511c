// Models by name, and what is known of each: the server's word, corrected by the config's.

import type { Prices } from "../core/price.ts";
import type { ModelSettings } from "../core/settings.ts";
import { isLoopback } from "../core/endpoint.ts";
import type { DiscoveredModel, DiscoveredProvider } from "./discovery.ts";
import type { ProviderPlan } from "./plan.ts";

/** Runs on a GPU of ours: its context is ours to choose. An Ollama in the next room counts too. */
export function isLocal(plan: ProviderPlan, found: DiscoveredProvider | undefined): boolean {
  return isOllama(plan, found) || isLoopback(plan.baseUrl);
}

export function isOllama(plan: ProviderPlan, found: DiscoveredProvider | undefined): boolean {
  return (found?.type ?? plan.type) === "ollama";
}

/** A name without a tag means `latest`, as on Ollama itself. */
function matches(model: string, wanted: string): boolean {
  return model === wanted || model === `${wanted}:latest` || `${model}:latest` === wanted;
}

/**
 * The model that a person, a config or a request means: `provider/model`, or a bare name, where the first provider
 * that has it counts. Names may hold slashes and colons (`hf.co/org/model:Q4_K_M`).
 * Contract: `undefined` when there is none; never throws.
 */
export function findModel(models: readonly ModelSettings[], name: string): ModelSettings | undefined {
  const slash = name.indexOf("/");
  if (slash > 0) {
    const [provider, rest] = [name.slice(0, slash), name.slice(slash + 1)];
    const found = models.find(({ ref }) => ref.provider === provider && matches(ref.model, rest));
    if (found !== undefined) return found;
  }
  return models.find(({ ref }) => ref.model === name) ?? models.find(({ ref }) => matches(ref.model, name));
}

/**
 * Every place where a model is served that a name means: of `provider/model` the backends of that provider, of a bare
 * name each local server that has it, and a cloud only where no provider before it has the name.
 * Contract: empty when there is none; never throws.
 */
export function findPlaces(
  models: readonly ModelSettings[],
  name: string,
  isLocal: (backend: string) => boolean,
): readonly ModelSettings[] {
  const first = findModel(models, name);
  if (first === undefined) return [];
  const { provider, model } = first.ref;
  const isBare = name !== `${provider}/${model}` && !name.startsWith(`${provider}/`);
  const isSame = ({ ref }: ModelSettings): boolean =>
    ref.model === model &&
    (ref.provider === provider || (isBare && isLocal(first.ref.backend) && isLocal(ref.backend)));
  return models.filter(isSame);
}

/** `provider/model`, which findModel always finds again. */
export function modelName(model: ModelSettings): string {
  return `${model.ref.provider}/${model.ref.model}`;
}

/** What the config asks of models beyond what they were trained for, and what they get instead. */
export function contextWarnings(
  plans: readonly ProviderPlan[],
  found: Readonly<Record<string, DiscoveredProvider>>,
): readonly string[] {
  return plans.flatMap((plan) =>
    Object.entries(plan.config.models).flatMap(([name, { num_ctx: asked }]) => {
      const trained =
        found[plan.name]?.models.find((model) => matches(model.name, name))?.contextTokens ?? null;
      if (asked === undefined || trained === null || asked <= trained) return [];
      const key = `providers.${plan.name}.models.${name}.num_ctx`;
      return [`warning: ${key} is ${asked}, and the model was trained for ${trained}: it gets ${trained}`];
    }),
  );
}

/** What stands for a model that no server has described. */
export function undescribed(name: string): DiscoveredModel {
  return {
    name,
    sizeBytes: null,
    parameters: null,
    contextTokens: null,
    tools: true,
    thinking: false,
    embeddingOnly: false,
  };
}

export interface Place {
  readonly plan: ProviderPlan;
  readonly found: DiscoveredProvider | undefined;
  readonly backend: string;
}

export function modelSettings(model: DiscoveredModel, { plan, found, backend }: Place): ModelSettings {
  const own = Object.entries(plan.config.models).find(([name]) => matches(model.name, name))?.[1];
  const trained = model.contextTokens;
  const vision = own?.vision ?? model.vision;
  const asked = own?.num_ctx ?? (isOllama(plan, found) ? plan.config.num_ctx : null);
  return {
    ref: { provider: plan.name, model: model.name, backend },
    contextTokens: asked === null || trained === null ? (asked ?? trained) : Math.min(asked, trained),
    tools: own?.tools ?? model.tools,
    thinking: own?.thinking ?? model.thinking,
    ...(vision !== undefined && { vision }),
    ...pricesOf(own ?? {}),
  };
}

/** A price counts as known once both of its halves are written down. */
function pricesOf(own: Partial<ProviderPlan["config"]["models"][string]>): Prices {
  const {
    prompt_price_micros: prompt,
    output_price_micros: output,
    cached_prompt_price_micros: cached,
  } = own;
  return {
    promptPriceMicros: prompt ?? 0,
    outputPriceMicros: output ?? 0,
    ...(cached !== undefined && { cachedPromptPriceMicros: cached }),
    priced: prompt !== undefined && output !== undefined,
  };
}

/** What a provider has: what it told, then what only the config knows of. */
export function modelsOf(
  plan: ProviderPlan,
  found: DiscoveredProvider | undefined,
): readonly DiscoveredModel[] {
  const told = (found?.models ?? []).filter((model) => !model.embeddingOnly);
  const configured = Object.keys(plan.config.models)
    .filter((name) => !(found?.models ?? []).some((model) => matches(model.name, name)))
    // A local server has told everything it has; a name that it lacks is a typing mistake or still to be pulled.
    .filter(() => found?.reachable !== true || !isOllama(plan, found));
  return [...told, ...configured.map(undescribed)];
}
