// One task in all its parts, kept fresh while a page shows it: its view, its transcript, its events. Everything is read from
// the server; events only say when to read again.
//
// D1. After `close` nothing is written any more.
// D2. Rows are held once each, in order, however often they are read.

import { signal } from "@preact/signals";
import { onEvent } from "./box.js";
import { after } from "./browser.js";
import { Past } from "./past.js";
import { api } from "./server.js";

/** @typedef {import("../src/core/wire.ts").Wire<import("../src/core/api.ts").TaskView>} TaskView */
/** @typedef {import("./model/conversation.js").TranscriptRow} TranscriptRow */

/**
 * @template T
 * @typedef {{ readonly items: readonly T[], readonly next_cursor: string | null }} Page
 */

/** Bursts of events are one reading. */
const PAUSE_MS = 150;
const PAGE = 200;

export class TaskData {
  view = signal(/** @type {TaskView | null} */ (null));
  rows = signal(/** @type {readonly TranscriptRow[]} */ ([]));
  /** Why it cannot be read; empty while it can. */
  problem = signal("");
  #id;
  #isClosed = false;
  #isReading = false;
  #isStale = false;
  /** @type {(() => void) | null} */
  #pause = null;
  #past;
  #leave;

  /** @param {string} id */
  constructor(id) {
    this.#id = id;
    this.#past = new Past({ task_id: id });
    this.#leave = onEvent((event) => {
      if (event.task_id !== id) return;
      this.#pause ??= after(PAUSE_MS, () => {
        this.#pause = null;
        void this.refresh();
      });
    });
    void this.refresh();
  }

  close() {
    this.#isClosed = true;
    this.#pause?.();
    this.#leave();
    this.#past.close();
  }

  get events() {
    return this.#past.events;
  }

  /** Reads the view and the new rows; a reading that is under way is followed by one more. */
  async refresh() {
    if (this.#isReading) {
      this.#isStale = true;
      return;
    }
    this.#isReading = true;
    try {
      do {
        this.#isStale = false;
        await this.#readView();
        await this.#readRows();
      } while (this.#isStale && !this.#isClosed);
      if (!this.#isClosed) this.problem.value = "";
    } catch (error) {
      if (!this.#isClosed) this.problem.value = error instanceof Error ? error.message : String(error);
    } finally {
      this.#isReading = false;
    }
  }

  get #path() {
    return `/v1/tasks/${encodeURIComponent(this.#id)}`;
  }

  async #readView() {
    /** @type {TaskView} */
    const view = await api.get(this.#path);
    if (!this.#isClosed) this.view.value = view;
  }

  async #readRows() {
    let isMore = true;
    while (isMore && !this.#isClosed) {
      const last = this.rows.value.at(-1)?.index ?? 0;
      /** @type {Page<TranscriptRow>} */
      const page = await api.get(`${this.#path}/transcript`, { after: last, limit: PAGE });
      const fresh = page.items.filter((row) => row.index > last);
      if (!this.#isClosed && fresh.length > 0) this.rows.value = [...this.rows.value, ...fresh];
      isMore = page.next_cursor !== null && fresh.length > 0;
    }
  }
}
