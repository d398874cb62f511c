// Virtual time. One clock for the world, which outlives every crash, and one for each incarnation of the server, whose
// timers die with it.
// K1. Timers fire in order of (due time, order of arming); time stands still while one is at work.
// K2. A jump moves the wall clock alone: what is due by the monotonic clock stays due when it was.

import type { Clock, Timer } from "../../src/base/clock.ts";
import type { Life } from "./life.ts";

interface Pending {
  readonly due: number;
  readonly order: number;
  callback: (() => void) | null;
}

const START_MS = 1_700_000_000_000;

/** The clock of the world: it moves when the simulation takes its next step. */
export class WorldClock implements Clock {
  #elapsed = 0;
  #wall = START_MS;
  #order = 0;
  /** Latest first, so that the next one is popped. */
  readonly #pending: Pending[] = [];

  now(): number {
    return this.#wall + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer: Pending = {
      due: this.#elapsed + Math.max(0, delayMs),
      order: this.#order++,
      callback,
    };
    this.#insert(timer);
    return {
      cancel: () => {
        timer.callback = null;
      },
    };
  }

  /** Moves the wall clock (K2). */
  jump(byMs: number): void {
    this.#wall += byMs;
  }

  /** When the next timer is due; `null` when none is armed. */
  get nextDue(): number | null {
    this.#skipCancelled();
    return this.#pending.at(-1)?.due ?? null;
  }

  /** Moves to the next timer and fires it. */
  fire(): void {
    this.#skipCancelled();
    const timer = this.#pending.pop();
    if (!timer) return;
    this.#elapsed = timer.due;
    timer.callback?.();
  }

  #skipCancelled(): void {
    while (this.#pending.length > 0 && this.#pending.at(-1)?.callback === null) this.#pending.pop();
  }

  #insert(timer: Pending): void {
    let low = 0;
    let high = this.#pending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#pending[middle] as Pending;
      if (other.due > timer.due || (other.due === timer.due && other.order > timer.order)) low = middle + 1;
      else high = middle;
    }
    this.#pending.splice(low, 0, timer);
  }
}

/** The clock of one incarnation: dead, it arms nothing and fires nothing. */
export class MortalClock implements Clock {
  readonly #world: WorldClock;
  readonly #life: Life;
  #armed = 0;

  constructor(world: WorldClock, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  /** Timers of this incarnation that are armed. */
  get armed(): number {
    return this.#armed;
  }

  now(): number {
    return this.#world.now();
  }

  monotonic(): number {
    return this.#world.monotonic();
  }

  after(delayMs: number, callback: () => void): Timer {
    if (this.#life.dead) return { cancel: () => {} };
    this.#armed++;
    let open = true;
    const close = (): boolean => {
      const was = open;
      if (open) this.#armed--;
      open = false;
      return was;
    };
    const timer = this.#world.after(delayMs, () => {
      if (!close() || this.#life.dead || this.#life.point("timer")) return;
      callback();
    });
    return {
      cancel: () => {
        if (close()) timer.cancel();
      },
    };
  }
}
