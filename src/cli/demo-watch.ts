// Follows the session's events into the record and wakes whoever waits for something to have happened. The story is
// driven by it alone: nothing in the demo sleeps until a figure is hoped to be true.
//
// W1. A wait ends when its condition holds, when the demo's signal aborts, or when the stream of events fails.

import { withSignal } from "../base/abort.ts";
import { InternalError } from "../base/errors.ts";
import type { TaskApi } from "../core/api.ts";
import type { EventFrame } from "../core/event.ts";
import type { DemoRecord } from "./demo-record.ts";

interface Waiter {
  readonly holds: () => boolean;
  resolve(): void;
  reject(reason: unknown): void;
}

export class DemoWatch {
  readonly #record: DemoRecord;
  readonly #signal: AbortSignal;
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<() => void>();
  readonly #witnesses = new Set<(frame: EventFrame) => void>();
  #failure: { readonly reason: unknown } | null = null;

  /** `signal` ends the watch and every wait. */
  constructor(record: DemoRecord, signal: AbortSignal) {
    this.#record = record;
    this.#signal = signal;
  }

  /** Contract: resolves when the signal aborts; never rejects, since its failure is that of every wait. */
  async follow(api: TaskApi): Promise<void> {
    try {
      const query = { after: 0, rootId: this.#record.sessionId, deltas: true, signal: this.#signal };
      for await (const frame of api.events(query)) {
        if (frame.kind === "gap")
          throw new InternalError("demo_gap", "The demo lost events of its own session.");
        for (const see of this.#witnesses) see(frame);
        this.#record.apply(frame);
        this.changed();
      }
    } catch (reason) {
      this.#failure = { reason };
      for (const waiter of this.#waiters) waiter.reject(reason);
      this.#waiters.clear();
    }
  }

  /** Looks at every condition again; called by whoever changes the record. */
  changed(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.holds()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after each change. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Shows each frame as it comes. */
  onFrame(see: (frame: EventFrame) => void): void {
    this.#witnesses.add(see);
  }

  /** Contract: rejects with the signal's reason, or with what broke the stream (keeps W1). */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    if (this.#failure) return Promise.reject(this.#failure.reason as Error);
    let waiter: Waiter | null = null;
    const met = new Promise<void>((resolve, reject) => {
      waiter = { holds, resolve, reject };
      this.#waiters.add(waiter);
    });
    return withSignal(met, this.#signal).finally(() => {
      if (waiter) this.#waiters.delete(waiter);
    });
  }
}
