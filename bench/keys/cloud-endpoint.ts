// A simulated cloud endpoint: it serves a request for as long as the plan says, or refuses its key as the workload
// says, with the typed errors that Troupe's providers make of such answers. Refusals take a round trip.

import { delay, type Clock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import type { KeyBehaviour } from "./key-workload.ts";

const ROUND_TRIP_MS = 80;
const MINUTE_MS = 60_000;

export interface CloudStats {
  readonly served: number;
  /** Requests that were refused, by key. */
  readonly refused: ReadonlyMap<string, number>;
  /** Of keys that never work: those that were sent after their first refusal had come back. */
  readonly refusedAgain: number;
  readonly inFlight: number;
}

interface Used {
  readonly key: KeyBehaviour;
  inFlight: number;
  begun: number[];
  refused: number;
  isKnown: boolean;
}

export class CloudEndpoint {
  readonly #clock: Clock;
  readonly #keys: ReadonlyMap<string, Used>;
  #served = 0;
  #refusedAgain = 0;

  constructor(keys: readonly KeyBehaviour[], clock: Clock) {
    this.#clock = clock;
    this.#keys = new Map(
      keys.map((key) => [key.name, { key, inFlight: 0, begun: [], refused: 0, isKnown: false }]),
    );
  }

  /** Contract: rejects with ProviderError `auth`, `quota` or `rate_limited`. */
  async send(name: string, serveMs: number): Promise<void> {
    const used = this.#keys.get(name) as Used;
    const refusal = this.#refusalOf(used);
    if (refusal !== null) {
      used.refused += 1;
      if (used.isKnown) this.#refusedAgain += 1;
      await delay(this.#clock, ROUND_TRIP_MS);
      used.isKnown = used.key.refuses !== undefined;
      throw refusal;
    }
    used.inFlight += 1;
    used.begun.push(this.#clock.monotonic());
    try {
      await delay(this.#clock, serveMs);
      this.#served += 1;
    } finally {
      used.inFlight -= 1;
    }
  }

  stats(): CloudStats {
    const all = [...this.#keys.values()];
    return {
      served: this.#served,
      refusedAgain: this.#refusedAgain,
      refused: new Map(all.map(({ key, refused }) => [key.name, refused])),
      inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
    };
  }

  #refusalOf(used: Used): ProviderError | null {
    const { key } = used;
    const now = this.#clock.monotonic();
    if (key.refuses === "auth") return refusal("auth", "key_refused", { status: 401 });
    if (key.refuses === "money") return refusal("quota", "insufficient_quota", { status: 402 });
    const { outage } = key;
    if (outage !== undefined && now >= outage.from_s * 1_000 && now < outage.to_s * 1_000) {
      return refusal("rate_limited", "rate_limited", { status: 429, limitScope: "key" });
    }
    if (used.inFlight >= key.concurrency) {
      return refusal("rate_limited", "concurrency_limit", { status: 429, limitScope: "key" });
    }
    if (key.per_minute === undefined) return null;
    used.begun = used.begun.filter((at) => at > now - MINUTE_MS);
    if (used.begun.length < key.per_minute) return null;
    const retryAfterMs = (used.begun[0] as number) + MINUTE_MS - now + 1;
    const hint = key.tells ? { retryAfterMs } : {};
    return refusal("rate_limited", "rate_limited", { status: 429, limitScope: "key", ...hint });
  }
}

function refusal(
  kind: ProviderError["providerKind"],
  code: string,
  options: ConstructorParameters<typeof ProviderError>[2],
): ProviderError {
  return new ProviderError({ kind, code }, `The simulated endpoint refused the key: ${code}.`, options);
}
