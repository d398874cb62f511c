// Whoever waits for what a screen or a terminal of a test will show: asked at once, and again after each change.

export class Watchers {
  readonly #looks = new Set<() => void>();

  /** Resolves once it holds. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Something has changed. */
  look(): void {
    for (const look of this.#looks) look();
  }
}
