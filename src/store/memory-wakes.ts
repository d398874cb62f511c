// Who wants to know of the writes of a store in memory, and when they are told.

import type { StoredEvent } from "../core/event.ts";

/** One subscription; the same function may have several. */
interface Listener {
  readonly wake: (events: readonly StoredEvent[]) => void;
}

/** Contract: never throws; what a listener throws reaches nobody who writes. */
export class WakeList {
  readonly #listeners = new Set<Listener>();

  /** Returns the unsubscriber. */
  add(wake: (events: readonly StoredEvent[]) => void): () => void {
    const listener: Listener = { wake };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Wakes the listeners after the caller who awaits this write, each on its own, so that none silences another. */
  announce(events: readonly StoredEvent[]): void {
    if (events.length === 0) return;
    for (const listener of this.#listeners) {
      const wake = (): void => {
        if (this.#listeners.has(listener)) listener.wake(events);
      };
      queueMicrotask(() => queueMicrotask(wake));
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
