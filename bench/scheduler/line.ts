// A capped line: so many at once, the rest wait in an order that the caller picks by. The queue of the simple peers.
//
// L1. Never more than `cap` pieces of work of one lane run at once.
// L2. Who is aborted leaves the line at once; a piece of work that ended, however it did, gives its room back.

export interface Waiting<T> {
  readonly entry: T;
  /** Order of coming. */
  readonly rank: number;
}

interface Waiter<T> extends Waiting<T> {
  start(): void;
}

export interface LineOptions<T> {
  readonly cap: number;
  /** Which of those that wait is next; the list is in order of coming and never empty. First come when absent. */
  readonly pick?: (waiting: readonly Waiting<T>[]) => number;
}

export class Line<T> {
  readonly #cap: number;
  readonly #pick: (waiting: readonly Waiting<T>[]) => number;
  readonly #waiting: Waiter<T>[] = [];
  #running = 0;
  #ranks = 0;

  constructor({ cap, pick = () => 0 }: LineOptions<T>) {
    this.#cap = cap;
    this.#pick = pick;
  }

  /** Those that wait and those that run. */
  get held(): number {
    return this.#waiting.length + this.#running;
  }

  /** Resolves when there is room, which the caller gives back with `leave`; rejects with the signal's reason. */
  enter(entry: T, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const start = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const waiter: Waiter<T> = { entry, rank: this.#ranks++, start };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  leave(): void {
    this.#running -= 1;
    this.#serve();
  }

  async run<R>(entry: T, signal: AbortSignal, work: () => Promise<R>): Promise<R> {
    await this.enter(entry, signal);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  #serve(): void {
    while (this.#running < this.#cap && this.#waiting.length > 0) {
      const [next] = this.#waiting.splice(this.#pick(this.#waiting), 1);
      this.#running += 1;
      next?.start();
    }
  }
}
