// Remembers that something happened until somebody looks: what happens often is looked at now and then.

export class ChangeBell {
  #rung = false;
  #closed = false;
  #wake: (() => void) | null = null;

  get closed(): boolean {
    return this.#closed;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  quiet(): void {
    this.#rung = false;
  }

  /** Nothing will happen any more; who waits goes on. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, at once when it has rung since `quiet`. For one who waits at a time. */
  wait(): Promise<void> {
    if (this.#rung || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
