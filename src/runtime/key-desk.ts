// The pools of all providers that have keys: made from what the credentials find now, and shown to people.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import { NotFoundError } from "../base/errors.ts";
import type { KeyView } from "../core/box-api.ts";
import type { KeyRecord } from "../core/key-state.ts";
import type { ProviderPlan } from "../config/plan.ts";
import type { Credential } from "../credentials/credential.ts";
import type { Credentials } from "../credentials/credentials.ts";
import { KeyPool } from "../credentials/key-pool.ts";
import { KeyPatience } from "./key-patience.ts";

export interface KeyDeskOptions {
  readonly plans: readonly ProviderPlan[];
  readonly credentials: Pick<Credentials, "keysOf">;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
}

/** For a box without any. */
export const NO_KEYS: Pick<KeyDesk, "shown" | "switchKey"> = {
  shown: () => [],
  switchKey: (fingerprint) => {
    throw unknownKey(fingerprint);
  },
};

interface Counter {
  readonly pool: KeyPool;
  readonly patience: KeyPatience;
}

/** What a provider's requests are given their keys from. */
export interface Window extends Counter {
  readonly credentialOf: (fingerprint: string) => Credential;
}

export class KeyDesk {
  readonly #options: KeyDeskOptions;
  readonly #counters = new Map<string, Counter>();
  /** What is known of keys from before, for pools that are still to be made. */
  #known: readonly KeyRecord[] = [];
  #onChange: () => void = () => {};

  constructor(options: KeyDeskOptions) {
    this.#options = options;
  }

  /**
   * Where requests of a provider get their keys, as the environment has them now; `null` for one without a usable key.
   * Contract: throws ConfigError `unknown_provider` alone.
   */
  windowOf(provider: string): Window | null {
    const { usable } = this.#options.credentials.keysOf(provider);
    if (usable.length === 0) return null;
    const isNew = !this.#counters.has(provider);
    const counter = this.#counterOf(provider);
    counter.pool.sync(usable.map(({ plan }) => plan));
    if (isNew) counter.pool.restore(this.#known);
    const byFingerprint = new Map(usable.map(({ credential }) => [credential.fingerprint, credential]));
    return { ...counter, credentialOf: (fingerprint) => byFingerprint.get(fingerprint) as Credential };
  }

  /**
   * The keys for questions that are no generation: those that nothing speaks against first, and of these the one that
   * such a question was answered with before.
   */
  credentialsOf(provider: string, answered?: string): readonly Credential[] {
    const window = this.windowOf(provider);
    if (window === null) return [];
    const all = window.pool.shown();
    const switchedOn = all.filter(({ state }) => state !== "disabled");
    const shown = switchedOn.length > 0 ? switchedOn : all;
    const rank = ({ state, fingerprint }: (typeof shown)[number]): number =>
      state === "ready" ? (fingerprint === answered ? 0 : 1) : 2;
    return shown
      .toSorted((a, b) => rank(a) - rank(b))
      .map(({ fingerprint }) => window.credentialOf(fingerprint));
  }

  /** Every key of a provider, also those that cannot be used; by fingerprint and source. */
  shown(provider: string): readonly KeyView[] {
    const { unusable } = this.#options.credentials.keysOf(provider);
    const keys = this.windowOf(provider)?.pool.shown() ?? [];
    const broken = unusable.map(({ source, error }): KeyView => {
      const nothing = { until: null, inFlight: 0, concurrency: null, models: [] };
      return { fingerprint: null, source, state: "dead", reason: error.message, ...nothing };
    });
    return [...keys, ...broken];
  }

  /**
   * Switches a key off, or on again as if nothing had become of it, wherever it is used.
   * Contract: throws NotFoundError `key_not_found`.
   */
  switchKey(fingerprint: string, disabled: boolean): void {
    const found = this.#options.plans.filter(({ name }) =>
      this.windowOf(name)?.pool.setDisabled(fingerprint, disabled),
    );
    if (found.length > 0) return;
    throw unknownKey(fingerprint);
  }

  /** Goes on with what is known of keys from before, and tells when something of it changes from now on. */
  goOn(known: readonly KeyRecord[], onChange: () => void): void {
    this.#known = known;
    for (const { pool } of this.#counters.values()) pool.restore(known);
    for (const { name } of this.#options.plans) this.windowOf(name);
    this.#onChange = onChange;
  }

  /** What is to be kept of all keys that are not well. */
  records(): readonly KeyRecord[] {
    return [...this.#counters.values()].flatMap(({ pool }) => pool.records());
  }

  /** Stops the timers of all pools. */
  close(): void {
    for (const { pool } of this.#counters.values()) pool.close();
  }

  #counterOf(provider: string): Counter {
    const known = this.#counters.get(provider);
    if (known) return known;
    const { plans, clock, random } = this.#options;
    const plan = plans.find(({ name }) => name === provider);
    const strategy = plan?.keyStrategy ?? "least_in_flight";
    const pool = new KeyPool({ provider, strategy, clock, random, onChange: () => this.#onChange() });
    const counter = { pool, patience: new KeyPatience(clock, plan?.keyWaitMs ?? 0) };
    this.#counters.set(provider, counter);
    return counter;
  }
}

function unknownKey(fingerprint: string): NotFoundError {
  const message = `There is no key with the fingerprint ${JSON.stringify(fingerprint)}. \`troupe keys\` lists them.`;
  return new NotFoundError("key_not_found", message);
}
