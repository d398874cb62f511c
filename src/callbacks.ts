// Makes the callbacks of a config: their keys, and the senders that follow the event log for them.

import type { Clock } from "./base/clock.ts";
import type { Random } from "./base/ids.ts";
import type { Logger } from "./base/log.ts";
import { callbackKey } from "./config/callbacks.ts";
import type { CallbackSettings } from "./core/settings.ts";
import type { Credentials, CredentialSource } from "./credentials/credentials.ts";
import { Callback, forgetOldCallbacks } from "./runtime/callback.ts";
import type { Store } from "./store/store.ts";

/** What the keys of the callbacks are to the credentials; one without a key needs none, wherever it is. */
export function callbackSources(targets: readonly CallbackSettings[]): readonly CredentialSource[] {
  return targets.map(({ name, url, token }) => {
    const key = callbackKey(name);
    return { name: key, type: "openai", baseUrl: url, apiKey: token ?? "none", apiKeyPath: key };
  });
}

export interface CallbacksOptions {
  readonly targets: readonly CallbackSettings[];
  readonly credentials: Pick<Credentials, "resolve">;
  readonly store: Store;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class Callbacks {
  readonly #options: CallbacksOptions;
  readonly #callbacks: readonly Callback[];

  constructor(options: CallbacksOptions) {
    this.#options = options;
    this.#callbacks = options.targets.map((target) => {
      const authorization = (): string | null => this.#bearerOf(target);
      return new Callback({ ...options, target, authorization });
    });
  }

  /** Starts all of them, and forgets those that the config has no more. Contract: throws what the store throws. */
  async start(): Promise<void> {
    await forgetOldCallbacks(this.#options.store, this.#options.targets);
    for (const callback of this.#callbacks) callback.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#callbacks.map((callback) => callback.close()));
  }

  #bearerOf({ name }: CallbackSettings): string | null {
    const credential = this.#options.credentials.resolve(callbackKey(name));
    return credential && `Bearer ${credential.reveal()}`;
  }
}
