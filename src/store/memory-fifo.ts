// Two small queues: first in first out with a random access that a search needs, and lowest key first.

/** A queue over one array. Contract: `push` and `shift` take constant time on average; never throws. */
export class Fifo<T> {
  #items: T[];
  #head = 0;

  /** Takes the array over. A literal of one item costs a third of what an empty one grows to at its first push. */
  constructor(items: T[] = []) {
    this.#items = items;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The item at this distance from the head, which must be within the length. */
  at(index: number): T {
    return this.#items[this.#head + index] as T;
  }

  /** All of them, oldest first; a copy. */
  items(): T[] {
    return this.#items.slice(this.#head);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first item of a queue that is not empty. */
  shift(): T {
    const item = this.at(0);
    // A dead place would keep its item in memory.
    this.#items[this.#head] = undefined as T;
    this.#head += 1;
    // Half of the array is dead: the copy is paid for by as many shifts.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

/** A binary heap. Contract: `peek` is constant, `push` and `pop` take the logarithm of the size; never throws. */
export class MinHeap<T> {
  readonly #items: T[] = [];
  readonly #key: (item: T) => number;

  /** The key of an item must not change while the heap holds it. */
  constructor(key: (item: T) => number) {
    this.#key = key;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!this.#swapIfLower(at, above)) return;
      at = above;
    }
  }

  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return first;
    this.#items[0] = last;
    let at = 0;
    while (true) {
      const left = at * 2 + 1;
      if (left >= this.#items.length) return first;
      const right = left + 1;
      const least = right < this.#items.length && this.#keyAt(right) < this.#keyAt(left) ? right : left;
      if (!this.#swapIfLower(least, at)) return first;
      at = least;
    }
  }

  #keyAt(at: number): number {
    return this.#key(this.#items[at] as T);
  }

  #swapIfLower(below: number, above: number): boolean {
    if (this.#keyAt(below) >= this.#keyAt(above)) return false;
    const item = this.#items[below] as T;
    this.#items[below] = this.#items[above] as T;
    this.#items[above] = item;
    return true;
  }
}

/** The first position below `length` where `passes` holds, when it holds from there on; else `length`. */
export function firstWhere(length: number, passes: (at: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
