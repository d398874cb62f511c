// Calls to the store, made again while it is merely busy: a disk that hesitates must not cost a task. A refusal is
// never repeated, because it would be the same again. It knows nothing of what the calls do.

import { delay, type Clock } from "../base/clock.ts";
import { messageOf, StoreError, TroupeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

/** Pauses between the tries of one call, in milliseconds: about 20 s, which a backup or a full disk may take. */
const PAUSES_MS = [50, 250, 1_000, 5_000, 15_000];

/** What a store says of the call itself, not of its own state: trying again changes nothing. */
const REFUSALS: ReadonlySet<string> = new Set([
  "fenced",
  "sequence",
  "ended",
  "not_ended",
  "invalid_write",
  "task_not_found",
  "closed",
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
   * Makes a call that may be repeated until it succeeds, is refused, or has failed too often.
   * Contract: throws what the last try threw; `what` names the call in the log.
   */
  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    const { clock, logger, closing } = this.#options;
    for (const pauseMs of PAUSES_MS) {
      try {
        return await work();
      } catch (thrown) {
        if (isRefusal(thrown) || closing.aborted) throw thrown;
        logger.warn("the store failed and is asked again", { what, pauseMs, message: messageOf(thrown) });
        await delay(clock, pauseMs, closing).catch(() => {
          throw thrown;
        });
      }
    }
    return work();
  }
}
