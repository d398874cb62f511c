// Follows the event stream of one house from its first event on, across every restart, by the client's own resuming.

import { CancelledError, messageOf, TroupeError } from "../../src/base/errors.ts";
import type { HttpClient } from "../../src/http/client.ts";
import type { Ledger } from "./ledger.ts";

/** A client gives up a server that was away ten times in a row; one that dies all the time is. */
const AWAY: ReadonlySet<string> = new Set(["server_unreachable", "starting"]);

export class Follower {
  readonly #ledger: Ledger;
  readonly #complain: (what: string) => void;
  #cursor = 0;
  #isReading = false;
  #stop = new AbortController();
  #reading: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, complain: (what: string) => void) {
    this.#ledger = ledger;
    this.#complain = complain;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Whether it reads, or waits for its server to come back. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Reads on with this client, which finds its server again by itself. */
  follow(client: HttpClient): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#isReading = true;
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
      const code = thrown instanceof TroupeError ? thrown.code : "";
      if (!signal.aborted && !AWAY.has(code))
        this.#complain(`the event stream ended: ${code} ${messageOf(thrown)}`);
    } finally {
      if (!signal.aborted) this.#isReading = false;
    }
  }
}
