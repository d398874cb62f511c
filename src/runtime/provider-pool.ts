// The providers of the config as living clients: who answers at each address, and which client serves a model with
// the credential resolved. It asks the servers at start-up and whenever somebody looks; it caches no answers.

import { inTime } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { ConfigError, messageOf, ProviderError } from "../base/errors.ts";
import type { ProviderPlan } from "../config/plan.ts";
import type { Discovery, DiscoveredProvider } from "../config/discovery.ts";
import type { Credential } from "../credentials/credential.ts";
import type { Credentials } from "../credentials/credentials.ts";
import { detectOllama } from "../../providers/detect-ollama.ts";
import { createProvider } from "../../providers/registry.ts";
import type { KeyDesk } from "./key-desk.ts";
import { askWithKeys, type Asked } from "./key-questions.ts";
import { KeyedProvider, type KeyCaller } from "./keyed-provider.ts";
import type { ModelInfo, Provider } from "../../providers/provider.ts";

/** A server that has not answered one question within this time counts as not reachable. */
const ASK_MS = 5_000;
/** Models that are described one by one at start-up; the rest are known by the list alone. */
const MOST_DESCRIBED = 64;

export interface ProviderPoolOptions {
  readonly plans: readonly ProviderPlan[];
  readonly credentials: Credentials;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Who lends keys to requests; without it the first key of each provider is used for everything. */
  readonly keys?: KeyDesk;
}

interface Spoken {
  readonly plan: ProviderPlan;
  readonly type: "ollama" | "openai";
  readonly baseUrl: string;
}

export class ProviderPool {
  readonly #options: ProviderPoolOptions;
  /** How each server is spoken to, once asked. */
  readonly #spoken = new Map<string, Spoken>();
  /** The key that each took last, by fingerprint. */
  readonly #taken = new Map<string, string>();
  /** By provider and fingerprint. */
  readonly #clients = new Map<string, Map<string, Provider>>();

  constructor(options: ProviderPoolOptions) {
    this.#options = options;
    for (const plan of options.plans) {
      const type = plan.type === "auto" ? "openai" : plan.type;
      this.#spoken.set(plan.name, { plan, type, baseUrl: plan.baseUrl });
    }
  }

  /** Names, in the order of the config. */
  get names(): readonly string[] {
    return [...this.#spoken.keys()];
  }

  /**
   * The client of a provider, with its credential.
   * Contract: throws ConfigError when the credential is missing or wrong; asks no server.
   */
  of(name: string): Provider {
    const spoken = this.#spoken.get(name);
    if (!spoken) {
      throw new ConfigError(
        "unknown_provider",
        `There is no provider ${name}. Known: ${this.names.join(", ")}.`,
      );
    }
    return this.#clientWith(spoken, this.#keysOf(name)[0] ?? null);
  }

  /** The keys to ask a server with, the likeliest first. Contract: one at least (`null` for none); throws ConfigError. */
  #keysOf(name: string): readonly (Credential | null)[] {
    const { credentials, keys } = this.#options;
    const known =
      keys?.credentialsOf(name, this.#taken.get(name)) ??
      credentials.keysOf(name).usable.map(({ credential }) => credential);
    // Where none can be used, it says why.
    return known.length === 0 ? [credentials.resolve(name)] : known;
  }

  /** Asks with one key after the other, until one is taken. Throws as `of` does. */
  async #askWithKeys<T>(name: string, ask: (client: Provider) => Promise<T>): Promise<Asked<T>> {
    const asked = await askWithKeys(this.#keysOf(name), (key) =>
      ask(this.#clientWith(this.#spoken.get(name) as Spoken, key)),
    );
    if (asked.answered && asked.key) this.#taken.set(name, asked.key.fingerprint);
    return asked;
  }

  /**
   * A provider for the generations of one caller: each takes a key of the pool, where there are keys.
   * Contract: as `of`.
   */
  for(name: string, caller: KeyCaller): Provider {
    const client = this.of(name);
    const window = this.#options.keys?.windowOf(name);
    if (!window) return client;
    const { pool, patience, credentialOf } = window;
    const spoken = this.#spoken.get(name) as Spoken;
    const clientOf = (fingerprint: string): Provider => this.#clientWith(spoken, credentialOf(fingerprint));
    const now = (): number => this.#options.clock.now();
    return new KeyedProvider({ name, client, clientOf, pool, patience, caller, now });
  }

  #clientWith(spoken: Spoken, credential: Credential | null): Provider {
    const { name } = spoken.plan;
    const fingerprint = credential?.fingerprint ?? "";
    const clients = this.#clients.get(name) ?? new Map<string, Provider>();
    this.#clients.set(name, clients);
    const provider = clients.get(fingerprint) ?? this.#client(spoken, credential?.reveal());
    clients.set(fingerprint, provider);
    return provider;
  }

  /** Every provider by name, for those who only look; one without a usable key is looked at without it. */
  all(): ReadonlyMap<string, Provider> {
    return new Map(this.names.map((name) => [name, this.#looking(name)] as const));
  }

  /** Asks with a key that is well at that moment, whatever became of the one before. */
  #looking(name: string): Provider {
    const client = (): Provider => {
      try {
        return this.of(name);
      } catch {
        return this.#client(this.#spoken.get(name) as Spoken);
      }
    };
    const asked = async <T>(ask: (each: Provider) => Promise<T>): Promise<T> => {
      const came = await this.#askWithKeys(name, ask);
      if (came.answered) return came.answer;
      throw came.thrown;
    };
    return {
      get type() {
        return client().type;
      },
      get baseUrl() {
        return client().baseUrl;
      },
      generate: (...args) => client().generate(...args),
      server: (...args) => asked((each) => each.server(...args)),
      models: (...args) => asked((each) => each.models(...args)),
      describe: (...args) => client().describe(...args),
      loaded: (...args) => client().loaded(...args),
      preload: (...args) => client().preload(...args),
      unload: (...args) => client().unload(...args),
    };
  }

  /** Asks every server who it is and what it has. Never throws: what does not answer is told as a problem. */
  async discover(): Promise<Discovery["providers"]> {
    const found = await Promise.all(
      this.names.map(async (name) => [name, await this.discoverOne(name)] as const),
    );
    return Object.fromEntries(found);
  }

  /** The same of one server; its question ends with the signal. */
  discoverOne(name: string, signal?: AbortSignal): Promise<DiscoveredProvider> {
    return this.#ask((this.#spoken.get(name) as Spoken).plan, signal);
  }

  /** How a server that does not answer was spoken to when it did. */
  speakAs(name: string, type: Spoken["type"]): void {
    const plan = this.#options.plans.find((each) => each.name === name);
    if (plan?.type === "auto") this.#spokenIs(plan, type);
  }

  #ask(plan: ProviderPlan, signal?: AbortSignal): Promise<DiscoveredProvider> {
    const late = (): Error =>
      new ProviderError(
        { kind: "timeout", code: "timeout" },
        `${plan.baseUrl} did not answer within ${ASK_MS / 1000} s.`,
      );
    const limit = { clock: this.#options.clock, ms: ASK_MS, late, ...(signal && { signal }) };
    return inTime(limit, (within) => this.#discover(plan, within));
  }

  async #discover(plan: ProviderPlan, signal: AbortSignal): Promise<DiscoveredProvider> {
    const { type } = await this.#speak(plan, signal);
    const unknown = { type, version: null, simulated: false, models: [] };
    try {
      const asked = await this.#askWithKeys(plan.name, async (client) => {
        const server = await client.server(signal);
        return { ...server, models: await describeAll(client, signal) };
      });
      const refused = asked.refused.length === 0 ? {} : { refusedKeys: asked.refused };
      if (!asked.answered)
        return { ...unknown, reachable: false, problem: messageOf(asked.thrown), ...refused };
      const { version, simulated, models } = asked.answer;
      return { type, reachable: true, problem: null, version, simulated, models, ...refused };
    } catch (thrown) {
      return { ...unknown, reachable: false, problem: messageOf(thrown) };
    }
  }

  async #speak(plan: ProviderPlan, signal: AbortSignal): Promise<Spoken> {
    const { fetch, clock } = this.#options;
    if (plan.type !== "auto") return this.#spokenIs(plan, plan.type);
    const detected = await detectOllama(`${rootOf(plan)}/v1`, { fetch, clock, signal }).catch(() => null);
    // What it is may be known from before.
    if (detected === null || detected.answer === "unreachable") return this.#spoken.get(plan.name) as Spoken;
    return this.#spokenIs(plan, detected.answer === "ollama" ? "ollama" : "openai");
  }

  #spokenIs(plan: ProviderPlan, type: Spoken["type"]): Spoken {
    const baseUrl = type === "ollama" && plan.type === "auto" ? rootOf(plan) : plan.baseUrl;
    const spoken: Spoken = { plan, type, baseUrl };
    this.#spoken.set(plan.name, spoken);
    this.#clients.delete(plan.name);
    return spoken;
  }

  #client({ plan, type, baseUrl }: Spoken, apiKey?: string): Provider {
    const { fetch, clock } = this.#options;
    const { connectMs, firstByteMs, idleMs, headers } = plan;
    return createProvider(type, {
      baseUrl,
      fetch,
      clock,
      headers,
      redact: (text) => this.#options.credentials.redact(text),
      deadlines: { connectMs, firstByteMs, idleMs },
      ...(apiKey !== undefined && { apiKey }),
    });
  }
}

/** Where a server answers to its own API, whatever others it speaks below it. */
function rootOf({ baseUrl }: ProviderPlan): string {
  return baseUrl.replace(/\/v1$/i, "");
}

/** The models of a server, each in full where the server tells more one by one. */
async function describeAll(provider: Provider, signal: AbortSignal): Promise<readonly ModelInfo[]> {
  const listed = await provider.models(signal);
  // There the description is the list once more.
  if (provider.type === "openai") return listed;
  const full = await Promise.all(
    listed.slice(0, MOST_DESCRIBED).map((model) => provider.describe(model.name, signal).catch(() => model)),
  );
  // What the list knows of a model (its size on disk) is not always in its description.
  const merged = full.map((model, index) => ({
    ...model,
    sizeBytes: model.sizeBytes ?? listed[index]?.sizeBytes ?? null,
  }));
  return [...merged, ...listed.slice(MOST_DESCRIBED)];
}
