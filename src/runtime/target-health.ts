// Which models have failed tasks lately, so that new tasks of a route begin elsewhere. Tasks that run are not touched.
//
// K1. A model that failed a task is sick for SICK_MS; afterwards one new task may try it, and the others still go
//     elsewhere until it has served that one or SICK_MS are over again (half open).
// K2. One answer makes it well.

import type { Clock } from "../base/clock.ts";
import { SICK_MS } from "../core/limits.ts";
import type { ModelRef } from "../core/task.ts";
import { targetKey } from "./routing.ts";

export class TargetHealth {
  readonly #clock: Clock;
  /** Until when each is left alone, in monotonic milliseconds. */
  readonly #sick = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It failed a task for good. */
  failed(ref: ModelRef): void {
    this.#sick.set(targetKey(ref), this.#clock.monotonic() + SICK_MS);
  }

  /** It gave an answer (K2). */
  served(ref: ModelRef): void {
    if (this.#sick.size > 0) this.#sick.delete(targetKey(ref));
  }

  /** Whether new tasks had better begin elsewhere. */
  isSick(ref: ModelRef): boolean {
    return (this.#sick.get(targetKey(ref)) ?? 0) > this.#clock.monotonic();
  }

  /** A new task begins there: of one that was sick it is the only one to try for now (K1). */
  chosen(ref: ModelRef): void {
    if (this.#sick.has(targetKey(ref))) this.failed(ref);
  }
}
