// Follows the event stream of one house from its first event on, across every restart, by the client's own resuming.

import { CancelledError, messageOf } from "../../src/base/errors.ts";
import type { HttpClient } from "../../src/http/client.ts";
import type { Ledger } from "./ledger.ts";

export class Follower {
  readonly #ledger: Ledger;
  readonly #complain: (what: string) => void;
  #cursor = 0;
  #stop = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, complain: (what: string) => void) {
    this.#ledger = ledger;
    this.#complain = complain;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Reads on with this client, which finds its server again by itself. */
  follow(client: HttpClient): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#reading = this.#read(client, stop.signal);
  }

  async leave(): Promise<void> {
    this.#stop.abort(new CancelledError("left"));
    await this.#reading;
  }

  async #read(client: HttpClient, signal: AbortSignal): Promise<void> {
    try {
      for await (const frame of client.events({ after: this.#cursor, signal })) {
        if (frame.kind === "delta") continue;
        if (frame.kind === "gap") {
          this.#complain(`the stream tells of a gap after ${frame.after}, and nothing was pruned`);
          continue;
        }
        const { event } = frame;
        if (event.cursor <= this.#cursor)
          this.#complain(`cursor ${event.cursor} comes after ${this.#cursor}`);
        this.#cursor = event.cursor;
        const wrong = this.#ledger.show(event);
        if (wrong !== null) this.#complain(wrong);
      }
    } catch (thrown) {
      if (!signal.aborted) this.#complain(`the event stream ended with: ${messageOf(thrown)}`);
    }
  }
}
