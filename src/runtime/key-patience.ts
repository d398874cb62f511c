// How long conversations have waited for keys: one that was told to wait again and again is told the truth in the end.

import type { Clock } from "../base/clock.ts";

/** Of more conversations than these, the one that began to wait first begins anew. */
const MOST = 4096;
/** Silent for so many times the longest wait, a conversation begins anew. */
const GONE = 2;

export class KeyPatience {
  readonly #clock: Clock;
  readonly #mostMs: number;
  /** When each began to wait, and when it asked last; monotonic. */
  readonly #waits = new Map<string, { readonly since: number; readonly askedAt: number }>();

  constructor(clock: Clock, mostMs: number) {
    this.#clock = clock;
    this.#mostMs = mostMs;
  }

  /** Milliseconds that it may still wait; the first asking begins its wait. */
  left(conversation: string): number {
    const now = this.#clock.monotonic();
    const before = this.#waits.get(conversation);
    // Nobody is told to wait for so long: it did something else meanwhile (a person stopped it, its request failed).
    const isOver = before === undefined || now - before.askedAt > GONE * this.#mostMs;
    const since = isOver ? now : before.since;
    this.#waits.set(conversation, { since, askedAt: now });
    const oldest = this.#waits.keys().next();
    if (this.#waits.size > MOST && !oldest.done) this.#waits.delete(oldest.value);
    return Math.max(0, this.#mostMs - (now - since));
  }

  /** It waits no more: it has a key, or was told that there is none. */
  over(conversation: string): void {
    this.#waits.delete(conversation);
  }
}
