// What actors do, for sockets: one watcher of the runtime for all of them, while there are any. Each message is written
// once, and what happened within BATCH_MS goes out together.
//
// J1. While nobody is connected, nothing is watched.
// J2. A client has every machine, then every actor that is there, and then all that happens; one that cannot keep up is
//     closed, and begins anew when it comes back.

import type { Clock, Timer } from "../base/clock.ts";
import type { InspectionFrame, InspectionSource } from "../core/inspection.ts";
import { batchOf } from "./frame-window.ts";
import { machineMessage, statelyMessage } from "./inspection-wire.ts";
import type { Line, Talk } from "./socket-session.ts";
import { BATCH_MS, CLOSE, HARD_BYTES } from "./socket-words.ts";

/** Messages of one batch: more goes out at once. */
const MAX_BATCH = 2_000;

export class InspectionTalks {
  readonly #source: InspectionSource;
  readonly #clock: Clock;
  /** Each with its place in what is being gathered. */
  readonly #lines = new Map<Line, number>();
  #gathered: string[] = [];
  #flush: Timer | null = null;
  #unwatch: (() => void) | null = null;
  #number = 0;

  constructor(source: InspectionSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** A client that has said who it is. */
  begin(line: Line): Talk {
    this.#unwatch ??= this.#source.watch((frame) => this.#see(frame));
    // In the same breath as the list of actors: nothing is missed, and nothing comes twice.
    this.#lines.set(line, this.#gathered.length);
    line.send(JSON.stringify({ type: "welcome" }));
    line.send(batchOf(this.#source.machines().map((machine) => JSON.stringify(machineMessage(machine)))));
    const actors = this.#source.actors().map((frame) => this.#write(frame));
    for (let at = 0; at < actors.length; at += MAX_BATCH)
      line.send(batchOf(actors.slice(at, at + MAX_BATCH)));
    return { heard: () => false, over: () => this.#leave(line) };
  }

  #leave(line: Line): void {
    this.#lines.delete(line);
    if (this.#lines.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = null;
    this.#flush?.cancel();
    this.#flush = null;
    this.#gathered = [];
  }

  #see(frame: InspectionFrame): void {
    this.#gathered.push(this.#write(frame));
    if (this.#gathered.length >= MAX_BATCH) this.#send();
    else this.#flush ??= this.#clock.after(BATCH_MS, () => this.#send());
  }

  #write(frame: InspectionFrame): string {
    this.#number += 1;
    return JSON.stringify(statelyMessage(frame, this.#number));
  }

  #send(): void {
    this.#flush?.cancel();
    this.#flush = null;
    const gathered = this.#gathered;
    this.#gathered = [];
    const whole = batchOf(gathered);
    for (const [line, from] of this.#lines) {
      this.#lines.set(line, 0);
      if (line.waiting() > HARD_BYTES) line.close(CLOSE.tooSlow, "too slow: connect again");
      else if (from < gathered.length) line.send(from === 0 ? whole : batchOf(gathered.slice(from)));
    }
  }
}
