// Where actors that wait are put to sleep when nothing has happened to them for a while. One timer for all of them.
// D1. Who settled is asked to sleep after one to two pauses in which it did not settle again; it may refuse.

import type { Clock, Timer } from "../base/clock.ts";

/** Shorter waits are not worth the sleep: waking costs about as much as two events. */
const PAUSE_MS = 1_000;

export interface Sleeper {
  sleep(): void;
}

export class Dormitory {
  readonly #clock: Clock;
  #fresh = new Set<Sleeper>();
  #drowsy = new Set<Sleeper>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something happened to it, and now it waits. */
  settle(sleeper: Sleeper): void {
    this.#drowsy.delete(sleeper);
    this.#fresh.add(sleeper);
    this.#timer ??= this.#clock.after(PAUSE_MS, () => this.#turn());
  }

  close(): void {
    this.#timer?.cancel();
    this.#fresh.clear();
    this.#drowsy.clear();
  }

  #turn(): void {
    const due = this.#drowsy;
    this.#drowsy = this.#fresh;
    this.#fresh = new Set();
    this.#timer = this.#drowsy.size > 0 ? this.#clock.after(PAUSE_MS, () => this.#turn()) : null;
    for (const sleeper of due) sleeper.sleep();
  }
}
