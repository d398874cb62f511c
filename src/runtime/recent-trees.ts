// Which trees were the last to end before this runtime was made, so that people see after a restart what they saw before
// it. Read once, when somebody first looks, from the end of the event log: no more of it than a bound.

import type { EventType } from "../core/event.ts";
import type { Store } from "../store/store.ts";

/** Events that are looked through; older trees are found with the list. */
const MOST_EVENTS = 20_000;
const PAGE = 1_000;
const ENDS: readonly EventType[] = ["task.done", "task.failed", "task.cancelled"];

export class RecentTrees {
  readonly #store: Pick<Store, "events" | "bounds">;
  #roots: Promise<readonly string[]> | null = null;

  constructor(store: Pick<Store, "events" | "bounds">) {
    this.#store = store;
  }

  /** Roots in the order in which something of their trees last ended, newest last. Contract: throws what the store throws. */
  roots(): Promise<readonly string[]> {
    this.#roots ??= this.#read().catch((thrown: unknown) => {
      this.#roots = null;
      throw thrown;
    });
    return this.#roots;
  }

  async #read(): Promise<readonly string[]> {
    const { newest } = await this.#store.bounds();
    const roots = new Set<string>();
    let after = Math.max(0, newest - MOST_EVENTS);
    for (;;) {
      const page = await this.#store.events({ after, types: ENDS, limit: PAGE });
      for (const { rootId } of page) {
        roots.delete(rootId);
        roots.add(rootId);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return [...roots];
      after = last.cursor;
    }
  }
}
