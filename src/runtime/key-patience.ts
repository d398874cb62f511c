// How long conversations have waited for keys: one that was told to wait again and again is told the truth in the end.

import type { Clock } from "../base/clock.ts";

/** Of more conversations than these, the one that began to wait first begins anew. */
const MOST = 4096;

export class KeyPatience {
  readonly #clock: Clock;
  readonly #mostMs: number;
  /** When each began to wait, monotonic. */
  readonly #since = new Map<string, number>();

  constructor(clock: Clock, mostMs: number) {
    this.#clock = clock;
    this.#mostMs = mostMs;
  }

  /** Milliseconds that it may still wait; the first asking begins its wait. */
  left(conversation: string): number {
    const now = this.#clock.monotonic();
    const since = this.#since.get(conversation) ?? now;
    this.#since.set(conversation, since);
    const oldest = this.#since.keys().next();
    if (this.#since.size > MOST && !oldest.done) this.#since.delete(oldest.value);
    return Math.max(0, this.#mostMs - (now - since));
  }

  /** It waits no more: it has a key, or was told that there is none. */
  over(conversation: string): void {
    this.#since.delete(conversation);
  }
}
