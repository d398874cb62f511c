// A limited thing (child slots, places, leases): who holds a unit of it and who waits for one.
// It never takes a unit back by itself: a lowered limit only means that nobody new gets one until enough are free.
//
// S1. `next` answers only while fewer hold a unit than the limit allows, and never while the gate is shut.

import { WaitQueue, type Dues, type QueueEntry } from "./queue.ts";

/** `agent` and `slot` belong to a parent; `place`, `door` and `lease` to a backend. A door only knows the pause. */
export type GateKind = "agent" | "slot" | "place" | "door" | "lease";

export interface GateOptions {
  readonly kind: GateKind;
  readonly limit: number;
  readonly levels: number;
  readonly strict?: number;
  readonly dues?: Dues;
}

/** Contract: never throws; `hold` and `free` may be repeated. */
export class Gate<Holder, Entry extends QueueEntry> {
  readonly kind: GateKind;
  readonly queue: WaitQueue<Entry>;
  readonly #holders = new Set<Holder>();
  limit: number;
  /** Nobody gets a unit while it is shut; who has one keeps it. */
  shut = false;

  constructor(options: GateOptions) {
    this.kind = options.kind;
    this.limit = options.limit;
    const { levels, strict = 0, dues } = options;
    this.queue = new WaitQueue({ levels, strict, ...(dues && { dues }) });
  }

  get held(): number {
    return this.#holders.size;
  }

  get hasRoom(): boolean {
    return !this.shut && this.#holders.size < this.limit;
  }

  get idle(): boolean {
    return this.#holders.size === 0 && this.queue.size === 0;
  }

  /** In the order in which they got it, newest last. */
  holders(): Iterable<Holder> {
    return this.#holders;
  }

  holds(holder: Holder): boolean {
    return this.#holders.has(holder);
  }

  /** Takes the next waiting entry out of the queue if there is a unit for it; the caller calls `hold`. */
  next(): Entry | undefined {
    return this.hasRoom ? this.queue.take() : undefined;
  }

  hold(holder: Holder): void {
    this.#holders.add(holder);
  }

  /** True when the holder had a unit. */
  free(holder: Holder): boolean {
    return this.#holders.delete(holder);
  }
}
