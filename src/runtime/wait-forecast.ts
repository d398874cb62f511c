// How long a turn will wait for a backend, foretold from how long leases were held there lately. A guess, and only used
// to choose between places that may serve alike (routing.max_wait_s).
//
// X1. A backend of which nothing is known yet foretells no wait.

/** Of each newest lease in the mean of how long they were held. */
const WEIGHT = 0.2;

export class WaitForecast {
  readonly #heldMs = new Map<string, number>();

  /** A lease on this backend was held for so long. */
  observe(backend: string, heldMs: number): void {
    const mean = this.#heldMs.get(backend);
    this.#heldMs.set(backend, mean === undefined ? heldMs : mean + WEIGHT * (heldMs - mean));
  }

  /** Milliseconds until `ahead` turns have had their lease on one of `slots`. */
  waitMs(backend: string, ahead: number, slots: number): number {
    return ((this.#heldMs.get(backend) ?? 0) * ahead) / Math.max(1, slots);
  }
}
