// Keeps what became of API keys over restarts: all of it in one record of the box, replaced as a whole, without any
// secret. What cannot be written is told in the log and written with the next change; no request waits for it.
//
// One write is on its way at a time; changes in between make one more.

import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { keyRecordsOf } from "../core/key-state.ts";
import type { Store } from "../store/store.ts";
import type { KeyDesk } from "./key-desk.ts";

/** The name that the box keeps them under. */
const KEPT_AS = "keys";

export interface KeyKeeperOptions {
  readonly desk: Pick<KeyDesk, "goOn" | "records">;
  readonly store: Pick<Store, "boxState" | "saveBoxState">;
  readonly logger: Logger;
}

export class KeyKeeper {
  readonly #options: KeyKeeperOptions;
  #isDirty = false;
  #writing: Promise<void> | null = null;

  constructor(options: KeyKeeperOptions) {
    this.#options = options;
  }

  /** Reads what was kept, and keeps every change from now on. Contract: throws what the store throws. */
  async start(): Promise<void> {
    const { desk, store } = this.#options;
    const known = keyRecordsOf(await store.boxState(KEPT_AS));
    desk.goOn(known, () => {
      this.#isDirty = true;
      this.#writing ??= this.#write();
    });
  }

  /** Resolves when what has changed is written, or could not be. */
  async settle(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #write(): Promise<void> {
    const { desk, store, logger } = this.#options;
    // What changes in the same step is one write.
    await Promise.resolve();
    while (this.#isDirty) {
      this.#isDirty = false;
      const records = desk.records();
      try {
        await store.saveBoxState(KEPT_AS, records.length === 0 ? null : records);
      } catch (thrown) {
        logger.warn("the states of API keys could not be kept", { message: messageOf(thrown) });
        break;
      }
    }
    this.#writing = null;
  }
}
