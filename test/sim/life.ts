// The life of one incarnation of the server: it may end at any point where it touches the world, and what has ended
// never acts or answers again.

/** Where a crash may strike. */
export type Point = "store before" | "store after" | "timer" | "provider" | "tool";

export class Life {
  readonly number: number;
  /** The point at which it crashes, counted from its beginning; `null` for one that lives. */
  #crashAt: number | null;
  readonly #onDeath: (life: Life, where: Point | null) => void;
  #points = 0;
  #dead = false;

  constructor(number: number, crashAt: number | null, onDeath: (life: Life, where: Point | null) => void) {
    this.number = number;
    this.#crashAt = crashAt;
    this.#onDeath = onDeath;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Counts a point; `true` when the crash strikes here, and for ever after. */
  point(where: Point): boolean {
    if (this.#dead) return true;
    this.#points++;
    if (this.#points !== this.#crashAt) return false;
    this.end(where);
    return true;
  }

  /** It crashes no more. */
  spare(): void {
    this.#crashAt = null;
  }

  /** Ends it; `where` is `null` for an end that was asked for. */
  end(where: Point | null): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#onDeath(this, where);
  }
}

/** The answer of what has died: none, ever. */
export function never<T>(): Promise<T> {
  return new Promise<never>(() => {});
}
