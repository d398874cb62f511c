// The effects of a task that have not let go yet, aborted ones included: a generation until its socket is closed, a
// tool until it has stopped. Leases and ends wait for them.
// What was given up after the cancel deadline stands in nobody's way, but its task is not told as released before it
// has let go.

import type { Clock } from "../base/clock.ts";

export class WorkInFlight {
  #generation: Promise<unknown> | null = null;
  #effect: Promise<unknown> | null = null;
  /** Given up; made for the first of them, since nearly no task has one. */
  #left: Set<Promise<unknown>> | null = null;

  get generation(): Promise<unknown> | null {
    return this.#generation;
  }

  /** Whether something is under way that may still come to something. */
  get isActive(): boolean {
    return this.#generation !== null || this.#effect !== null;
  }

  trackGeneration<T>(work: Promise<T>): Promise<T> {
    const settled = (): void => {
      if (this.#generation === tracked) this.#generation = null;
    };
    const tracked = work.then(settled, settled);
    this.#generation = tracked;
    return work;
  }

  trackEffect<T>(work: Promise<T>): Promise<T> {
    const settled = (): void => {
      if (this.#effect === tracked) this.#effect = null;
    };
    const tracked = work.then(settled, settled);
    // One that was aborted and has not let go is not forgotten for the next.
    if (this.#effect) this.leave(this.#effect);
    this.#effect = tracked;
    return work;
  }

  /** Nobody waits for the outcome of this piece any more. */
  leave(work: Promise<unknown>): void {
    const left = (this.#left ??= new Set());
    const settled = (): void => void left.delete(tracked);
    const tracked = work.then(settled, settled);
    left.add(tracked);
  }

  /** What the next generation waits for: that the one in flight lets go, for `ms` at most; `null` when none is. */
  vacated(clock: Clock, ms: number): Promise<unknown> | null {
    const work = this.#generation;
    if (!work) return null;
    return new Promise<void>((resolve) => {
      const timer = clock.after(ms, () => {
        this.leave(work);
        resolve();
      });
      void work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Resolves when all of it has let go, and what was given up meanwhile; `null` when nothing is in flight. */
  settled(): Promise<unknown> | null {
    const now = this.#inFlight();
    return now && now.then(() => this.settled());
  }

  #inFlight(): Promise<unknown> | null {
    if (this.#left && this.#left.size > 0)
      return Promise.all([this.#generation, this.#effect, ...this.#left]);
    if (!this.#generation) return this.#effect;
    return this.#effect ? Promise.all([this.#generation, this.#effect]) : this.#generation;
  }
}
