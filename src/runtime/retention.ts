// Keeps the store from growing for ever: removes ended trees by age and size, at once and then every hour. Which trees may
// go is the store's to say (D8); what nobody has read stays, whatever it takes, and a person is told.
//
// H1. A round that fails costs nothing but an hour: the log says so, and the next one comes.
// H2. One round at a time, and none after `close` has resolved.

import type { Clock, Timer } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { PruneReceipt, Store } from "../store/store.ts";

const ROUND_MS = 3_600_000;
/** What stays over the bound is said this often. */
const WARNING_MS = 86_400_000;
const MIB = 1_048_576;

export interface RetentionOptions {
  readonly store: Pick<Store, "prune">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an ended tree is kept that everybody has read. */
  readonly keepMs: number;
  /** What the medium may take. */
  readonly maxBytes: number;
}

export class Retention {
  readonly #options: RetentionOptions;
  #timer: Timer | null = null;
  #round: Promise<void> | null = null;
  #closed = false;
  #warnedAt = -Infinity;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Begins the first round and arms the next. Contract: call once; never throws. */
  start(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.after(ROUND_MS, () => this.start());
    // A round that takes longer than an hour is the next one, too (keeps H2).
    this.#round ??= this.#prune().finally(() => (this.#round = null));
  }

  /** Contract: resolves when the round under way has ended; may be called twice; never throws. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  async #prune(): Promise<void> {
    const { store, clock, logger, keepMs, maxBytes } = this.#options;
    try {
      const receipt = await store.prune({ endedBefore: clock.now() - keepMs, maxBytes });
      const { tasks, bytes } = receipt;
      if (tasks > 0) logger.info("removed what had ended and was read", { tasks, storeMib: mib(bytes) });
      if (bytes > maxBytes) this.#warn(receipt);
    } catch (error) {
      // Keeps H1.
      if (!this.#closed)
        logger.warn("could not remove old tasks; the next try is in an hour", { message: messageOf(error) });
    }
  }

  #warn({ unread, bytes }: PruneReceipt): void {
    const { clock, logger, maxBytes } = this.#options;
    if (clock.monotonic() - this.#warnedAt < WARNING_MS) return;
    this.#warnedAt = clock.monotonic();
    const why =
      unread > 0
        ? "nobody has read the results of some trees, so they stay: collect them, or raise store.max_mb"
        : "what has not ended needs that much: end conversations that are over, or raise store.max_mb";
    logger.warn(`the store is larger than it should be; ${why}`, {
      storeMib: mib(bytes),
      maxMib: mib(maxBytes),
      unreadTrees: unread,
    });
  }
}

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}
