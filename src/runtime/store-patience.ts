// Calls to the store, made again while it is merely busy: a disk that hesitates must not cost a task. A refusal is
// never repeated, because it would be the same again. It knows nothing of what the calls do.

import { delay, type Clock } from "../base/clock.ts";
import { messageOf, StoreError, TroupeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

/** Pauses between the tries of one call, in milliseconds; the last one is repeated while the store stays away. */
const PAUSES_MS = [50, 250, 1_000, 5_000, 15_000] as const;
const LAST_PAUSE_MS = 15_000;

/** What a store says of the call itself, not of its own state: trying again changes nothing. */
const REFUSALS: ReadonlySet<string> = new Set([
  "fenced",
  "sequence",
  "ended",
  "not_ended",
  "invalid_write",
  "task_not_found",
  "closed",
  "database_owned",
  "defect",
]);

/** Whether the same call would be refused again. */
export function isRefusal(thrown: unknown): boolean {
  if (!(thrown instanceof TroupeError) || thrown.kind === "internal") return false;
  return !(thrown instanceof StoreError) || REFUSALS.has(thrown.code);
}

export interface StorePatienceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the pauses when the runtime closes. */
  readonly closing: AbortSignal;
}

export class StorePatience {
  readonly #options: StorePatienceOptions;

  constructor(options: StorePatienceOptions) {
    this.#options = options;
  }

  /**
   * Makes a call that may be repeated until it succeeds, is refused, or the runtime closes: a store that is away for an
   * hour must not leave a task that nobody ends.
   * Contract: throws what the last try threw; `what` names the call in the log.
   */
  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      return this.again(thrown, what, work);
    }
  }

  /** The same for a call whose first try was made already, and threw. */
  async again<T>(thrown: unknown, what: string, work: () => Promise<T>): Promise<T> {
    const { clock, logger, closing } = this.#options;
    let last = thrown;
    for (let tries = 0; ; tries++) {
      if (isRefusal(last) || closing.aborted) throw last;
      const pauseMs = PAUSES_MS[tries] ?? LAST_PAUSE_MS;
      logger.warn("the store failed and is asked again", { what, pauseMs, message: messageOf(last) });
      await delay(clock, pauseMs, closing).catch(() => {
        throw last;
      });
      try {
        return await work();
      } catch (next) {
        last = next;
      }
    }
  }
}
