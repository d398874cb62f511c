// The parallel slots of one loaded model: a semaphore with one queue, first come first served, without a bound
// (Ollama's own is unbounded: a loaded model never answers 503, however deep its queue is).
//
// Q1. Leases held never pass `slots`.
// Q2. Waiters are served in the order in which they came.
// Q3. A waiter whose signal aborts leaves the queue at once and never takes a slot.
// Q4. A lease is given back once: `release` is idempotent.

import { InternalError } from "../base/errors.ts";

/** The right to one slot. Contract: `release` is idempotent and never throws. */
export interface SlotLease {
  release(): void;
}

interface Waiter {
  grant(): void;
  refuse(reason: Error): void;
}

/** A first-come-first-served semaphore. */
export class SlotQueue {
  readonly slots: number;
  readonly #waiting: Waiter[] = [];
  #held = 0;

  constructor(slots: number) {
    this.slots = slots;
  }

  get held(): number {
    return this.#held;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Contract: resolves with a lease that the caller must release; rejects with the signal's reason on abort. */
  acquire(signal: AbortSignal): Promise<SlotLease> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#held < this.slots) return Promise.resolve(this.#lease());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        grant: () => {
          signal.removeEventListener("abort", onAbort);
          resolve(this.#lease());
        },
        refuse: (reason) => {
          signal.removeEventListener("abort", onAbort);
          reject(reason);
        },
      };
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** Turns away all that wait, with this reason; leases that are held stay. */
  refuseAll(reason: Error): void {
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(reason);
  }

  #lease(): SlotLease {
    this.#held += 1;
    if (this.#held > this.slots) {
      throw new InternalError("slot_overrun", `Expected at most ${this.slots} leases, got ${this.#held}.`);
    }
    let open = true;
    return {
      release: () => {
        if (!open) return;
        open = false;
        this.#held -= 1;
        this.#waiting.shift()?.grant();
      },
    };
  }
}
