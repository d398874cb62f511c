// The effects of a task that have not let go yet, aborted ones included: a generation until its socket is closed, a
// tool until it has stopped. Leases and ends wait for them.

export class WorkInFlight {
  #generation: Promise<unknown> | null = null;
  #effect: Promise<unknown> | null = null;

  get generation(): Promise<unknown> | null {
    return this.#generation;
  }

  trackGeneration<T>(work: Promise<T>): Promise<T> {
    const settled = (): void => {
      if (this.#generation === tracked) this.#generation = null;
    };
    const tracked = work.then(settled, settled);
    this.#generation = tracked;
    return work;
  }

  trackEffect<T>(work: Promise<T>): Promise<T> {
    const settled = (): void => {
      if (this.#effect === tracked) this.#effect = null;
    };
    const tracked = work.then(settled, settled);
    this.#effect = tracked;
    return work;
  }

  /** Resolves when all of it has let go; `null` when nothing is in flight. */
  settled(): Promise<unknown> | null {
    if (!this.#generation) return this.#effect;
    return this.#effect ? Promise.all([this.#generation, this.#effect]) : this.#generation;
  }
}
