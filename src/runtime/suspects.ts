// Tasks in whose turn the server has died again and again: which of them it dies of is found out one by one, so that those
// who were only beside it are not given up with it.
//
// S1. Of those in whose turn it died three times or more, one goes on. The next does when that one's turn is over, when it
//     waits for somebody, or when it lets go.
// S2. Who waits here is not taken up: what the server dies of meanwhile is not counted against it (homecoming.ts, G1).

/** Deaths in one turn. Fewer may be anybody's, and one task after the other is slow. */
const SUSPICIOUS = 3;

interface Waiting {
  readonly taskId: string;
  readonly goOn: () => void;
}

export class Suspects {
  readonly #waiting: Waiting[] = [];
  #goesOn: string | null = null;

  /** Resolves when the task may go on, in whose turn the server died so often; or when it has let go. Never rejects. */
  turn(taskId: string, deaths: number): Promise<void> {
    if (deaths < SUSPICIOUS) return Promise.resolve();
    return new Promise((goOn) => {
      this.#waiting.push({ taskId, goOn });
      this.#next();
    });
  }

  /** The task is looked at no more, if it was; one that waits is told to go on, since it has let go. */
  passed(taskId: string): void {
    const at = this.#waiting.findIndex((each) => each.taskId === taskId);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.goOn();
    if (this.#goesOn !== taskId) return;
    this.#goesOn = null;
    this.#next();
  }

  #next(): void {
    if (this.#goesOn !== null) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#goesOn = next.taskId;
    next.goOn();
  }
}
