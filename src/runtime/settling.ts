// The time between a task's last transition and its end in the store: everything it did lets go, or the deadline
// passes, or somebody forces it. Concludes exactly once.

import type { Clock, Timer } from "../base/clock.ts";

export interface SettlingOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Resolves when all has let go; never rejects. */
  readonly work: Promise<unknown>;
  /** `settled` is false when something would not let go in time. */
  readonly conclude: (settled: boolean) => void;
}

export class Settling {
  readonly #timer: Timer;
  readonly #conclude: (settled: boolean) => void;
  #concluded = false;

  constructor({ clock, deadlineMs, work, conclude }: SettlingOptions) {
    this.#conclude = conclude;
    this.#timer = clock.after(deadlineMs, () => this.force());
    void work.then(() => this.#once(true));
  }

  /** Concludes now, whatever still runs. */
  force(): void {
    this.#once(false);
  }

  #once(settled: boolean): void {
    if (this.#concluded) return;
    this.#concluded = true;
    this.#timer.cancel();
    this.#conclude(settled);
  }
}
