// Takes tasks from the store and keeps them: claims, and renews what was claimed.
// O1. Every claim is handed over exactly once, also when the store's answer was lost on its way: one request is under
//     way at a time, since a store remembers its answer to the last one only.
// O2. Claims are renewed before they are looked at: an own claim that had expired is never taken a second time, and
//     a task that another owner has taken meanwhile is let go at once.

import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Claim, Store } from "../store/store.ts";
import type { StorePatience } from "./store-patience.ts";

/** A claim lasts this long unless renewed; renewed at a third of it. One box, one process: nobody else waits for it. */
const CLAIM_MS = 60_000;
/** Tasks claimed in one step. */
const CLAIM_BATCH = 256;

export interface ClaimantOptions {
  readonly owner: string;
  readonly boxId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly patience: StorePatience;
  /** Takes what was claimed, oldest submission first. */
  readonly onClaims: (claims: readonly Claim[]) => Promise<void> | void;
  /** Another owner has the task. */
  readonly onLost: (taskId: string) => void;
  /** Called with every heartbeat. */
  readonly onBeat: () => void;
}

export class Claimant {
  readonly #options: ClaimantOptions;
  #claiming: Promise<void> | null = null;
  #claimAgain = false;
  #heartbeat: Timer | null = null;
  #renewedAt: number;
  #requests = 0;
  #closed = false;

  constructor(options: ClaimantOptions) {
    this.#options = options;
    this.#renewedAt = options.clock.monotonic();
    this.#beat();
  }

  /** Takes what waits in the store. Calls that come while it is at it share its next round. */
  claim(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#claiming) {
      this.#claimAgain = true;
      return this.#claiming;
    }
    this.#claiming = this.#claimAll();
    return this.#claiming;
  }

  /** Claims without anybody waiting for it: what was accepted is taken now, or with the next heartbeat. */
  claimSoon(): Promise<void> {
    return this.claim().catch((error: unknown) => {
      const message = messageOf(error);
      this.#options.logger.warn("what waits in the store could not be claimed; it is tried again", {
        message,
      });
    });
  }

  /** Everything that waits in the store, in one list; handed to nobody else, and before anything else is claimed (O1). */
  async takeAll(): Promise<readonly Claim[]> {
    const all: Claim[] = [];
    this.#claiming = this.#takeInto(all);
    await this.#claiming;
    return all;
  }

  async #takeInto(all: Claim[]): Promise<void> {
    try {
      for (;;) {
        const claims = await this.#next();
        for (const claim of claims) all.push(claim);
        if (claims.length < CLAIM_BATCH) return;
      }
    } finally {
      this.#claiming = null;
    }
  }

  /** Takes nothing more, and gives back what it has. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#heartbeat?.cancel();
    // What a claim under way still takes must be given back with the rest.
    await this.#claiming?.catch(() => {});
    await this.#options.store.release(this.#options.owner);
  }

  async #claimAll(): Promise<void> {
    try {
      do {
        this.#claimAgain = false;
        const claims = await this.#next();
        if (this.#closed) return;
        const received = this.#options.onClaims(claims);
        if (received) await received;
        if (claims.length === CLAIM_BATCH) this.#claimAgain = true;
      } while (this.#claimAgain && !this.#closed);
    } finally {
      // In the same step as the last look at `claimAgain`, so that no call falls between.
      this.#claiming = null;
    }
  }

  /** Patiently, or a parent would end before its accepted child is here. */
  async #next(): Promise<readonly Claim[]> {
    const { store, owner, boxId, clock, patience } = this.#options;
    this.#requests += 1;
    const request = String(this.#requests);
    return patience.call("claim", async () => {
      // Own claims may have run out meanwhile (O2).
      if (clock.monotonic() - this.#renewedAt > CLAIM_MS / 2) await this.#renew();
      return store.claim({ owner, boxId, ttlMs: CLAIM_MS, max: CLAIM_BATCH, request });
    });
  }

  async #renew(): Promise<void> {
    const { store, owner, clock, onLost } = this.#options;
    const lost = await store.heartbeat(owner, CLAIM_MS);
    this.#renewedAt = clock.monotonic();
    for (const taskId of lost) onLost(taskId);
  }

  #beat(): void {
    const { clock, logger } = this.#options;
    this.#heartbeat = clock.after(CLAIM_MS / 3, () => {
      if (this.#closed) return;
      this.#beat();
      this.#options.onBeat();
      this.#renew().catch((error: unknown) => {
        logger.warn("the claims could not be renewed", { message: messageOf(error) });
      });
      void this.claimSoon();
    });
  }
}
