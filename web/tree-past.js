// The events of one tree, read once, for the slider over its past; what happens meanwhile is added.

import { signal } from "@preact/signals";
import { onEvent } from "./box.js";
import { api } from "./server.js";

/** @typedef {import("./live.js").StoredEvent} StoredEvent */

const PAGE = 200;
/** Events that are held of one tree. */
const MOST = 20_000;

export class TreePast {
  events = signal(/** @type {readonly StoredEvent[]} */ ([]));
  #isClosed = false;
  #leave;

  /** @param {string} rootId */
  constructor(rootId) {
    this.#leave = onEvent((event) => {
      const last = this.events.value.at(-1)?.cursor ?? Infinity;
      if (event.root_id === rootId && event.cursor > last) this.events.value = [...this.events.value, event];
    });
    void this.#read(rootId);
  }

  close() {
    this.#isClosed = true;
    this.#leave();
  }

  /** @param {string} rootId */
  async #read(rootId) {
    /** @type {StoredEvent[]} */
    const found = [];
    try {
      for (let after = "0"; found.length < MOST && !this.#isClosed;) {
        /** @type {{ readonly items: readonly StoredEvent[], readonly next_cursor: string | null }} */
        const page = await api.get("/v1/history", { root_id: rootId, after, limit: PAGE });
        found.push(...page.items);
        if (page.next_cursor === null || page.items.length === 0) break;
        after = page.next_cursor;
      }
    } catch {
      // Without its past the tree is shown as it is.
    }
    if (!this.#isClosed) this.events.value = found;
  }
}
