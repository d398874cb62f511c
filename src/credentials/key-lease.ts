// The right to send one request with one key. Its owner says how the request went, and ends it in every case.
//
// L1. A lease ends exactly once; whatever is said of it later is not heard.

import type { ProviderError } from "../base/errors.ts";
import type { RateWindow } from "../core/rate-limits.ts";
import type { KeyNeed } from "./pool-key.ts";
import type { Judgement } from "./pool-signal.ts";

/** What a pool hears of its leases. */
export interface LeaseOwner {
  succeeded(lease: KeyLease): void;
  failed(lease: KeyLease, error: ProviderError): Judgement;
  observed(lease: KeyLease, windows: readonly RateWindow[]): void;
  ended(lease: KeyLease): void;
}

export class KeyLease {
  readonly fingerprint: string;
  readonly source: string;
  readonly need: KeyNeed;
  /** Monotonic milliseconds. */
  readonly sentAt: number;
  readonly #owner: LeaseOwner;
  #over = false;

  constructor(owner: LeaseOwner, about: Pick<KeyLease, "fingerprint" | "source" | "need" | "sentAt">) {
    this.#owner = owner;
    this.fingerprint = about.fingerprint;
    this.source = about.source;
    this.need = about.need;
    this.sentAt = about.sentAt;
  }

  /** The answer is whole. */
  succeeded(): void {
    if (!this.#over) this.#owner.succeeded(this);
  }

  /** The request was refused, or broke; what that means, and whether another key may be tried at once. */
  failed(error: ProviderError): Judgement {
    if (this.#over) return { signal: { about: "nothing" }, rotation: "never" };
    return this.#owner.failed(this, error);
  }

  /** What the answer's headers say is left. */
  observed(windows: readonly RateWindow[]): void {
    if (!this.#over) this.#owner.observed(this, windows);
  }

  /** Gives the key back. Idempotent. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.ended(this);
  }
}
