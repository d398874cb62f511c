// How often one token may ask: a bucket for each caller that refills steadily, so that one client that runs wild is
// slowed down and the others are not. It limits who is known; who is not is refused before.
//
// R1. Within any time t a caller is let in at most `burst + perS * t` times.
// R2. A refusal takes nothing from the bucket, and says when there is room again.

import type { Clock } from "../base/clock.ts";
import { LimitError } from "../base/errors.ts";
import type { Caller } from "../core/api.ts";

export interface RateLimitOptions {
  /** Requests a second, on average. */
  readonly perS: number;
  /** Requests that may come at once after a quiet time. */
  readonly burst: number;
}

interface Bucket {
  left: number;
  at: number;
}

export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  readonly #buckets = new WeakMap<Caller, Bucket>();

  constructor(options: RateLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Counts one request. Contract: throws LimitError `rate_limited` with `retry_after_ms` when there is no room. */
  take(caller: Caller): void {
    const { perS, burst } = this.#options;
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(caller) ?? { left: burst, at: now };
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perS);
    bucket.at = now;
    this.#buckets.set(caller, bucket);
    if (bucket.left < 1) throw tooOften(this.#options, ((1 - bucket.left) / perS) * 1000);
    bucket.left -= 1;
  }
}

function tooOften({ perS, burst }: RateLimitOptions, retryAfterMs: number): LimitError {
  return new LimitError(
    "rate_limited",
    `Expected at most ${perS} requests a second (${burst} at once) with one token, got more. Wait as Retry-After says, ` +
      "or raise server.rate_limit.requests_per_s.",
    {
      details: {
        limit: perS,
        retry_after_ms: Math.ceil(retryAfterMs),
        config_key: "server.rate_limit.requests_per_s",
      },
    },
  );
}
