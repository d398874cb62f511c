// Every model that may be used, while the config is being resolved: those that servers told of, and those that the
// config pins. Refuses a name that a reachable local server does not have, and says what to type.
//
// M1. A pinned name ends as exactly one entry, or as an error; never as a silent fall-back to another model.

import { ConfigError } from "../base/errors.ts";
import { taggedModel } from "../core/load-profile.ts";
import type { BackendSettings, ModelSettings } from "../core/settings.ts";
import type { Discovery } from "./discovery.ts";
import {
  findModel,
  findPlaces,
  isOllama,
  modelName,
  modelSettings,
  modelsOf,
  undescribed,
} from "./models.ts";
import type { Place } from "./models.ts";
import type { ProviderPlan } from "./plan.ts";
import { didYouMean, nearest } from "./suggest.ts";

export interface Pin {
  /** As written. */
  readonly name: string;
  /** The config key, for messages. */
  readonly key: string;
  /** Look on this provider only. */
  readonly provider: string | null;
  /** Names that it may be a misspelling of, beside those of models. */
  readonly aliases?: readonly string[];
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

  /** Contract: throws ConfigError `model_missing`; what its server cannot be asked for is taken on trust, with a line that says so. */
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
      throw this.#missing(pin, this.#pullAdvice(pin, model));
    }
    const state = discovered?.reachable === true ? "does not list it" : "does not answer";
    this.#warnings.push(`warning: ${pin.key} is ${pin.name}, taken on trust: ${plan.name} ${state}`);
    // As the server will call it, so that the tasks that get it are still its tasks then.
    const name = isOllama(plan, discovered) ? taggedModel(model) : model;
    const added = this.#placesOf(plan).map((place) => modelSettings(undescribed(name), place));
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
    if (named !== undefined || this.#plans.length === 1) return named ?? this.#plans[0];
    // The others have said what they have, and it is not among that.
    const away = this.#away();
    return away.length === 1 && this.#strangerIn(pin.name) === "" ? away[0] : undefined;
  }

  #away(): readonly ProviderPlan[] {
    return this.#plans.filter(({ name }) => this.#discovery.providers[name]?.reachable !== true);
  }

  /** How to get it, where that could be what is meant. */
  #pullAdvice({ name, aliases = [] }: Pin, model: string): string {
    if (nearest(name, aliases) !== null) return "";
    if (this.#strangerIn(name) === "") return ` Type: ollama pull ${model}`;
    const plans = this.#plans.map((plan) => plan.name);
    const isMistyped = nearest(name.slice(0, name.indexOf("/")), plans) !== null;
    return isMistyped ? "" : ` If all of it is the name of a model, type: ollama pull ${model}`;
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
    const close = didYouMean(bare, [...this.#models.map(({ ref }) => ref.model), ...(pin.aliases ?? [])]);
    const away = pin.provider === null ? this.#away().map((plan) => plan.name) : [];
    const silent = away.length === 0 ? "" : ` (${away.join(", ")} could not be asked)`;
    const where = pin.provider === null ? `no provider has${silent}` : `the provider ${pin.provider} has not`;
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
