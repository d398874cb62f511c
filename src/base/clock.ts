// Time is a parameter. Everything in Troupe that waits or measures takes a Clock; only this file touches the
// runtime's own timers, so that the whole system runs on a virtual clock in tests (design.md §2 rule 5).

/** A timer that was armed; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. May jump. */
  now(): number;
  /** Monotonic milliseconds with a fraction, for durations only. */
  monotonic(): number;
  /** Calls `callback` once, no sooner than `delayMs` from now. Delays over 2^31-1 ms are honoured. */
  after(delayMs: number, callback: () => void): Timer;
}

/** Node, Bun and browsers fire longer timers at once (`setTimeout` takes a signed 32-bit delay). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's clock. Its timers keep the process alive; the owner cancels them at shutdown. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    let handle: ReturnType<typeof setTimeout> | undefined;
    const arm = (leftMs: number): void => {
      const step = Math.min(Math.max(0, leftMs), LONGEST_TIMER_MS);
      handle = setTimeout(() => (leftMs > step ? arm(leftMs - step) : callback()), step);
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

interface PendingTimer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told to.
 * Contract: timers fire in order of (due time, order of arming), each with `now()` at its own due time;
 * `advance` lets promises settle between timers, so awaited work makes progress as it would in real time.
 */
export class SimulatedClock implements Clock {
  #now: number;
  #elapsed = 0;
  #order = 0;
  readonly #pending: PendingTimer[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#pending.length;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = { due: this.#elapsed + Math.max(0, delayMs), order: this.#order++, callback };
    this.#insert(timer);
    return {
      cancel: () => {
        const index = this.#pending.indexOf(timer);
        if (index >= 0) this.#pending.splice(index, 1);
      },
    };
  }

  /** Moves `ms` forward, firing what comes due on the way and settling promises after each timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settle();
    while (this.#pending.length > 0 && (this.#pending[0] as PendingTimer).due <= end) {
      const timer = this.#pending.shift() as PendingTimer;
      this.#moveTo(timer.due);
      timer.callback();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Fires timers until none is left or `limitMs` of virtual time has passed. */
  async drain(limitMs = 86_400_000): Promise<void> {
    const end = this.#elapsed + limitMs;
    await settle();
    while (this.#pending.length > 0 && (this.#pending[0] as PendingTimer).due <= end) {
      await this.advance((this.#pending[0] as PendingTimer).due - this.#elapsed);
    }
  }

  #moveTo(elapsed: number): void {
    this.#now += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }

  #insert(timer: PendingTimer): void {
    let low = 0;
    let high = this.#pending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#pending[middle] as PendingTimer;
      if (other.due < timer.due || (other.due === timer.due && other.order < timer.order)) low = middle + 1;
      else high = middle;
    }
    this.#pending.splice(low, 0, timer);
  }
}

/** Lets every promise chain that is already runnable finish, by yielding to the event loop once. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves after `ms` on the given clock; rejects with the signal's reason as soon as it aborts. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
