// Stops what gives no sign of life: a generation without a token, a tool call without a word. It is the progress
// deadline beside `timeout_s`, which counts active time, and beside the providers' own deadlines, which see sockets.
// It decides nothing about what follows: whoever holds the watch does.
// W1. A stall is told once, before the abort, and what is held then fails as it whatever it comes to.
// W2. Nobody waits longer than the cancel deadline for what was stopped; what ignores the abort is left behind.
// W3. After the end of the watch no timer and no listener remains.

import { linkedAbort, type LinkedAbort } from "../base/abort.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { EventData } from "../core/event.ts";
import type { Settings } from "../core/settings.ts";
import type { TaskSpec } from "../core/task.ts";
import type { Journal } from "./journal.ts";
import type { WorkInFlight } from "./work-in-flight.ts";

/** What stalled, in words, and for how long it had been silent. */
export type Stall = EventData["task.stalled"];

export interface StallWatchOptions {
  readonly clock: Clock;
  /** Milliseconds of silence that are too long; 0 or less is no limit. */
  readonly ms: number;
  /** What it has to let go once it was stopped, in milliseconds. */
  readonly letGoMs: number;
  /** The silence in words: `no token from gpu/qwen3:8b`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** The reason of the abort, and what the held work fails as. */
  readonly errorOf: (stall: Stall) => Error;
  readonly onStall: (stall: Stall) => void;
  /** It did not let go in time: it may still act, though nobody listens. */
  readonly onLeft: (work: Promise<unknown>) => void;
}

/** Contract: measures monotonic time, so that neither a changed clock nor a laptop's sleep looks like silence. */
export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #link: LinkedAbort;
  #heardAt: number;
  #timer: Timer | null = null;
  #error: Error | null = null;
  #work: Promise<unknown> | null = null;
  #leave: (() => void) | null = null;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#link = linkedAbort(options.signal);
    this.#heardAt = options.clock.monotonic();
    if (options.ms > 0) this.#arm(options.ms);
  }

  /** Aborts with the signal that was given, and by a stall. */
  get signal(): AbortSignal {
    return this.#link.signal;
  }

  /** What a stall became; `null` while there was none. */
  get stalled(): Error | null {
    return this.#error;
  }

  /** A sign of life. Called for every token, so it only notes the time. */
  alive(): void {
    this.#heardAt = this.#options.clock.monotonic();
  }

  /** Settles as `work` does; rejects with the stall's error when it stalled, at the latest `letGoMs` after it (W2). */
  hold<T>(work: Promise<T>): Promise<T> {
    this.#work = work;
    return new Promise<T>((resolve, reject) => {
      this.#leave = () => reject(this.#error as Error);
      work.then(
        (value) => (this.#error ? reject(this.#error) : resolve(value)),
        (thrown: unknown) => reject(this.#error ?? (thrown as Error)),
      );
    });
  }

  /** Ends the watch; may be called twice. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#link.release();
  }

  #arm(ms: number): void {
    this.#timer = this.#options.clock.after(ms, () => this.#look());
  }

  #look(): void {
    this.#timer = null;
    // Called off already: whoever did so waits for it, with a deadline of its own.
    if (this.signal.aborted) return;
    const { clock, ms } = this.#options;
    const silentMs = clock.monotonic() - this.#heardAt;
    if (silentMs < ms) return this.#arm(ms - silentMs);
    this.#stall(silentMs);
  }

  #stall(silentMs: number): void {
    const { clock, what, letGoMs, errorOf, onStall, onLeft } = this.#options;
    const stall = { what: `${what} for ${seconds(silentMs)} s`, silentMs: Math.round(silentMs) };
    this.#error = errorOf(stall);
    onStall(stall);
    this.#timer = clock.after(letGoMs, () => {
      if (this.#work) onLeft(this.#work);
      this.#leave?.();
    });
    this.#link.abort(this.#error);
  }
}

/** Whole seconds where there is one, so that the text is the same each time. */
function seconds(ms: number): string {
  return ms >= 1000 ? String(Math.floor(ms / 1000)) : (ms / 1000).toFixed(1);
}

/** What a watch needs of the task that it is for. */
export interface WatchedHost {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly services: { readonly clock: Clock; readonly settings: Settings; readonly logger: Logger };
  readonly journal: Journal;
  readonly work: WorkInFlight;
}

/** A watch over one piece of a task's work, by its own limit; a stall is an event at once. */
export function watchOver(
  host: WatchedHost,
  rest: Pick<StallWatchOptions, "what" | "signal" | "errorOf">,
): StallWatch {
  const { id, spec, services, journal, work } = host;
  return new StallWatch({
    ...rest,
    clock: services.clock,
    ms: spec.limits.stallMs,
    letGoMs: services.settings.cancelDeadlineMs,
    onStall: (stall) => {
      journal.event({ type: "task.stalled", data: stall });
      // A journal that breaks tells its host.
      journal.flush().catch(() => {});
    },
    onLeft: (left) => {
      services.logger.warn("a stalled piece of work did not let go in time and was left behind", {
        task: id,
        what: rest.what,
      });
      work.leave(left);
    },
  });
}
