// The requests that wait for a model: one bounded queue, first come first served, with its head in service.
//
// W1. No more than `most` wait behind the head; one more is refused in Ollama's words.
// W2. A request ends once, with a use of its model or with an error, and hears its client no more afterwards.

import { LimitError } from "../base/errors.ts";
import type { RunnerOptionValues, SimulatedModel } from "./config.ts";
import type { RunnerUse } from "./runner.ts";
import type { RunnerSetup } from "./runner-setup.ts";

/** Ollama's text, two spaces included; clients match it. */
export const BUSY_MESSAGE = "server busy, please try again.  maximum pending requests exceeded";

/** What one request asks of the scheduler before it may use a model. */
export interface ModelDemand {
  readonly model: SimulatedModel;
  /** `null` takes the model's or the server's default. */
  readonly contextTokens: number | null;
  /** Options that a model is loaded with, by Ollama's names. */
  readonly runnerOptions?: RunnerOptionValues;
  /** `null` leaves it as it is; negative keeps the model for ever, 0 unloads it when idle. */
  readonly keepAliveMs: number | null;
  readonly signal: AbortSignal;
}

/** One request that waits. */
export class Pending {
  readonly demand: ModelDemand;
  /** Changed only by a server that tries again with a smaller context. */
  setup: RunnerSetup;
  /** Monotonic, on the box's clock. */
  readonly since: number;
  readonly outcome: Promise<RunnerUse>;
  /** Whether everything else was unloaded for it, after it had not fitted. */
  hadRoomMade = false;
  #settle: { resolve(use: RunnerUse): void; reject(reason: unknown): void } | null = null;
  readonly #onAbort = (): void => this.refuse(this.demand.signal.reason);

  constructor(demand: ModelDemand, setup: RunnerSetup, since: number) {
    this.demand = demand;
    this.setup = setup;
    this.since = since;
    this.outcome = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    demand.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether it needs nothing any more. */
  get isOver(): boolean {
    return this.#settle === null;
  }

  grant(use: RunnerUse): void {
    this.#end()?.resolve(use);
  }

  refuse(reason: unknown): void {
    this.#end()?.reject(reason);
  }

  /** Keeps W2. */
  #end(): { resolve(use: RunnerUse): void; reject(reason: unknown): void } | null {
    const settle = this.#settle;
    this.#settle = null;
    this.demand.signal.removeEventListener("abort", this.#onAbort);
    return settle;
  }
}

/** The queue. Contract: `serve` is called for one request at a time, and never rejects. */
export class PendingQueue {
  readonly #most: number;
  readonly #serve: (pending: Pending) => Promise<void>;
  readonly #waiting: Pending[] = [];
  #head: Pending | null = null;
  refused = 0;

  constructor(most: number, serve: (pending: Pending) => Promise<void>) {
    this.#most = most;
    this.#serve = serve;
  }

  /** Requests behind the head; those whose client has gone are among them until their turn comes, as in Ollama. */
  get length(): number {
    return this.#waiting.length;
  }

  /** The request that everybody behind it waits for. */
  get head(): Pending | null {
    return this.#head;
  }

  add(pending: Pending): void {
    if (this.#head !== null && this.#waiting.length >= this.#most) {
      this.refused += 1;
      return pending.refuse(new LimitError("busy", BUSY_MESSAGE)); // keeps W1
    }
    this.#waiting.push(pending);
    if (this.#head === null) void this.#serveAll();
  }

  refuseAll(reason: Error): void {
    this.#head?.refuse(reason);
    for (const pending of this.#waiting.splice(0)) pending.refuse(reason);
  }

  async #serveAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#head = next;
      if (!next.isOver) await this.#serve(next);
    }
    this.#head = null;
  }
}
