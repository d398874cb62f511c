// The two clocks of a task (design.md §3): active time, which runs only while it holds a lease or runs a tool, and
// the deadline on the wall clock.
// T1. `onExpire` is called at most once, for whichever ends first.
// T2. Waiting never counts: the active clock stands still between `stop` and `start`.

import type { Clock, Timer } from "../base/clock.ts";
import type { TaskFailure, TaskSpec } from "../core/task.ts";

export interface ActivityClockOptions {
  readonly clock: Clock;
  readonly timeoutMs: number | null;
  /** Wall-clock time of the deadline. */
  readonly deadlineAt: number | null;
  /** Active time already used, before a restart. */
  readonly usedMs: number;
  readonly onExpire: (failure: TaskFailure) => void;
}

export class ActivityClock {
  readonly #options: ActivityClockOptions;
  #usedMs: number;
  #since: number | null = null;
  #timer: Timer | null = null;
  #deadline: Timer | null = null;
  #ended = false;

  constructor(options: ActivityClockOptions) {
    this.#options = options;
    this.#usedMs = options.usedMs;
    if (options.deadlineAt === null) return;
    this.#deadline = options.clock.after(Math.max(0, options.deadlineAt - options.clock.now()), () =>
      this.#expire({
        code: "timeout",
        message: "The task's deadline passed before it had an answer. Raise deadline_s, or ask for less.",
        retryable: false,
      }),
    );
  }

  /** Active time so far, in milliseconds. */
  get usedMs(): number {
    return this.#usedMs + (this.#since === null ? 0 : this.#options.clock.monotonic() - this.#since);
  }

  /** Lets active time run. Idempotent. */
  start(): void {
    if (this.#since !== null || this.#ended) return;
    this.#since = this.#options.clock.monotonic();
    const { timeoutMs } = this.#options;
    if (timeoutMs === null) return;
    this.#timer = this.#options.clock.after(timeoutMs - this.#usedMs, () =>
      this.#expire({
        code: "timeout",
        message: `Expected an end within ${timeoutMs / 1000} s of active time. Raise timeout_s, or ask for less.`,
        retryable: false,
      }),
    );
  }

  /** Stops active time. Idempotent. */
  stop(): void {
    if (this.#since === null) return;
    this.#usedMs += this.#options.clock.monotonic() - this.#since;
    this.#since = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Ends both clocks for good. */
  end(): void {
    this.stop();
    this.#ended = true;
    this.#deadline?.cancel();
  }

  #expire(failure: TaskFailure): void {
    if (this.#ended) return;
    this.end();
    this.#options.onExpire(failure);
  }
}

/** The clocks of a task as its spec limits it, `usedMs` of its active time already gone. */
export function activityClockOf(
  { spec, usedMs }: { readonly spec: TaskSpec; readonly usedMs: number },
  clock: Clock,
  onExpire: (failure: TaskFailure) => void,
): ActivityClock {
  const { timeoutMs, deadlineMs } = spec.limits;
  const deadlineAt = deadlineMs === null ? null : spec.createdAt + deadlineMs;
  return new ActivityClock({ clock, timeoutMs, deadlineAt, usedMs, onExpire });
}
