// The events of one task or of one tree, read once, for a slider over its past; what happens meanwhile is added.
//
// P1. After `close` nothing is written any more.
// P2. Each event is held once, in order, however often and by whichever way it comes.

import { signal } from "@preact/signals";
import { onEvent } from "./box.js";
import { api } from "./server.js";

/** @typedef {import("./live.js").StoredEvent} StoredEvent */

/** @typedef {{ readonly task_id: string } | { readonly root_id: string }} Whose */

const PAGE = 200;
/** Events that are held; the newest count. */
const MOST = 20_000;

export class Past {
  events = signal(/** @type {readonly StoredEvent[]} */ ([]));
  #isClosed = false;
  #leave;

  /** @param {Whose} whose */
  constructor(whose) {
    this.#leave = onEvent((event) => {
      const isOurs = "task_id" in whose ? event.task_id === whose.task_id : event.root_id === whose.root_id;
      if (isOurs) this.#hold([event]);
    });
    void this.#read(whose);
  }

  close() {
    this.#isClosed = true;
    this.#leave();
  }

  /** @param {Whose} whose */
  async #read(whose) {
    /** @type {StoredEvent[]} */
    const found = [];
    try {
      for (let after = "0"; found.length < MOST && !this.#isClosed;) {
        /** @type {{ readonly items: readonly StoredEvent[], readonly next_cursor: string | null }} */
        const page = await api.get("/v1/history", { ...whose, after, limit: PAGE });
        found.push(...page.items);
        if (page.next_cursor === null || page.items.length === 0) break;
        after = page.next_cursor;
      }
    } catch {
      // Without its past, what is shown is as it is.
    }
    // At once: a list of thousands is not drawn anew for each page.
    this.#hold(found);
  }

  /** @param {readonly StoredEvent[]} found Keeps P1 and P2. */
  #hold(found) {
    if (this.#isClosed || found.length === 0) return;
    const held = this.events.value;
    const last = held.at(-1)?.cursor ?? -1;
    // What just happened comes in order: nothing is looked for or sorted.
    const isNext = found.length === 1 && (found[0]?.cursor ?? 0) > last;
    this.events.value = (isNext ? [...held, ...found] : merged(held, found)).slice(-MOST);
  }
}

/**
 * @param {readonly StoredEvent[]} held
 * @param {readonly StoredEvent[]} found
 */
function merged(held, found) {
  const byCursor = new Map([...held, ...found].map((event) => [event.cursor, event]));
  return [...byCursor.values()].toSorted((a, b) => a.cursor - b.cursor);
}
