// Every model that may be used, while the config is being resolved: those that servers told of, and those that the
// config pins. Refuses a name that a reachable local server does not have, and says what to type.
//
// M1. A pinned name ends as exactly one entry, or as an error; never as a silent fall-back to another model.

import { ConfigError } from "../base/errors.ts";
import type { BackendSettings, ModelSettings } from "../core/settings.ts";
import type { Discovery } from "./discovery.ts";
import {
  findModel,
  findPlaces,
  isLocal,
  isOllama,
  modelName,
  modelSettings,
  modelsOf,
  undescribed,
} from "./models.ts";
import type { Place } from "./models.ts";
import type { ProviderPlan } from "./plan.ts";
import { didYouMean } from "./suggest.ts";

export interface Pin {
  /** As written. */
  readonly name: string;
  /** The config key, for messages. */
  readonly key: string;
  /** Look on this provider only. */
  readonly provider: string | null;
  /** Refuse when its local server does not answer; else it is taken on trust, with a line that says so. */
  readonly mustAnswer: boolean;
}

/** What to do when nothing answers at a local address, in whole sentences. */
export function startAdvice(plan: ProviderPlan, problem: string | null): string {
  // A provider that could not reach its server says where, why and what to type.
  if (problem?.includes("ollama serve") === true) return problem;
  const why = problem === null ? "" : ` (${problem})`;
  return `Expected a model server at ${plan.baseUrl}, got no answer${why}. Type: ollama serve.`;
}

export class ModelBook {
  readonly #plans: readonly ProviderPlan[];
  readonly #discovery: Discovery;
  readonly #backends: readonly BackendSettings[];
  readonly #models: ModelSettings[];
  readonly #warnings: string[] = [];

  constructor(plans: readonly ProviderPlan[], discovery: Discovery, backends: readonly BackendSettings[]) {
    this.#plans = plans;
    this.#discovery = discovery;
    this.#backends = backends;
    this.#models = plans.flatMap((plan) =>
      modelsOf(plan, discovery.providers[plan.name]).flatMap((model) =>
        this.#placesOf(plan).map((place) => modelSettings(model, place)),
      ),
    );
  }

  get models(): readonly ModelSettings[] {
    return this.#models;
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Contract: throws ConfigError `model_missing` or `provider_unreachable`. */
  pin(pin: Pin): ModelSettings {
    const scope =
      pin.provider === null ? this.#models : this.#models.filter(({ ref }) => ref.provider === pin.provider);
    const found = findModel(scope, pin.name);
    if (found !== undefined) return found;
    const plan = this.#planFor(pin);
    if (plan === undefined) throw this.#missing(pin, "");
    const discovered = this.#discovery.providers[plan.name];
    const model = pin.name.startsWith(`${plan.name}/`) ? pin.name.slice(plan.name.length + 1) : pin.name;
    if (discovered?.reachable === true && isOllama(plan, discovered)) {
      throw this.#missing(pin, ` Type: ollama pull ${model}`);
    }
    if (discovered?.reachable !== true && pin.mustAnswer && isLocal(plan, discovered)) {
      const advice = startAdvice(plan, discovered?.problem ?? null);
      throw new ConfigError("provider_unreachable", `${pin.key} is ${pin.name}. ${advice}`);
    }
    const state = discovered?.reachable === true ? "does not list it" : "does not answer";
    this.#warnings.push(`warning: ${pin.key} is ${pin.name}, taken on trust: ${plan.name} ${state}`);
    const added = this.#placesOf(plan).map((place) => modelSettings(undescribed(model), place));
    this.#models.push(...added);
    return added[0] as ModelSettings;
  }

  /** All places of what is meant; the first is what `pin` gives. Throws like `pin`. */
  pinAll(pin: Pin): readonly ModelSettings[] {
    const first = this.pin(pin);
    if (pin.provider !== null) return [first];
    const locals = new Set(this.#backends.filter(({ local }) => local).map(({ name }) => name));
    return findPlaces(this.#models, pin.name, (backend) => locals.has(backend));
  }

  #placesOf(plan: ProviderPlan): readonly Place[] {
    const found = this.#discovery.providers[plan.name];
    return this.#backends
      .filter((backend) => backend.provider === plan.name)
      .map((backend) => ({ plan, found, backend: backend.name }));
  }

  /** The provider that a name which nobody has told of must belong to; `undefined` when it could be several. */
  #planFor(pin: Pin): ProviderPlan | undefined {
    if (pin.provider !== null) return this.#plans.find((plan) => plan.name === pin.provider);
    const named = this.#plans.find((plan) => pin.name.startsWith(`${plan.name}/`));
    return named ?? (this.#plans.length === 1 ? this.#plans[0] : undefined);
  }

  #onlyEmbeds(name: string): boolean {
    const has = (provider: string, wanted: string): boolean =>
      (this.#discovery.providers[provider]?.models ?? []).some(
        (model) => model.embeddingOnly && (model.name === wanted || model.name === `${wanted}:latest`),
      );
    return this.#plans.some(
      (plan) => has(plan.name, name) || has(plan.name, name.slice(plan.name.length + 1)),
    );
  }

  /** What to say of a name whose first part looks like a provider and is none. */
  #strangerIn(name: string): string {
    const provider = name.slice(0, Math.max(0, name.indexOf("/")));
    const plans = this.#plans.map((plan) => plan.name);
    // `hf.co/org/model` is the name of a model.
    if (provider === "" || provider.includes(".") || plans.includes(provider)) return "";
    return ` There is no provider ${provider}.${didYouMean(provider, plans)} Known: ${plans.join(", ")}.`;
  }

  #missing(pin: Pin, advice: string): ConfigError {
    const names = [...new Set(this.#models.map(modelName))];
    const bare = pin.name.slice(pin.name.lastIndexOf("/") + 1);
    const close = didYouMean(
      bare,
      this.#models.map(({ ref }) => ref.model),
    );
    const where = pin.provider === null ? "no provider has" : `the provider ${pin.provider} has not`;
    const stranger = this.#onlyEmbeds(pin.name)
      ? " It makes embeddings and cannot write; name another."
      : this.#strangerIn(pin.name);
    const known =
      names.length === 0 ? "There are no models yet." : `There are: ${names.slice(0, 20).join(", ")}.`;
    return new ConfigError(
      "model_missing",
      `${pin.key} is ${pin.name}, which ${where}.${stranger}${close}${advice === "" ? "" : `${advice}.`} ${known}`,
      { details: { config_key: pin.key, model: pin.name } },
    );
  }
}
