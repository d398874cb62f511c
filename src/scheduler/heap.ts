// A binary heap whose items know where they lie, so that any of them may leave in O(log n), not only the first.
// It compares ranks, and ties between equal ones; ties are unique, so the order is total and never depends on history.
//
// H1. An item lies in at most one heap; `heapIndex` is -1 while it lies in none.

export interface HeapItem {
  /** Lowest first. It must not change while the item lies in a heap. */
  rank: number;
  /** Lowest first among equal ranks; it must not change either. */
  tie: number;
  /** Kept by the heap. */
  heapIndex: number;
}

/** Whether `a` comes before `b`. */
export function isBefore(a: HeapItem, b: HeapItem): boolean {
  const ahead = a.rank - b.rank;
  return ahead < 0 || (ahead === 0 && a.tie < b.tie);
}

/** Lowest rank first. Contract: never throws; `push` of an item that lies in it and `remove` of one that does not are no-ops. */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** All items, in no promised order but the first. */
  get items(): readonly T[] {
    return this.#items;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    if (item.heapIndex >= 0) return; // keeps H1
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#up(item);
  }

  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0 || this.#items[index] !== item) return;
    item.heapIndex = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#put(last, index);
    this.#up(last);
    this.#down(last);
  }

  /** Every move goes through here, so that no item ever has a stale index. */
  #put(item: T, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }

  #up(item: T): void {
    while (item.heapIndex > 0) {
      const index = item.heapIndex;
      const above = this.#items[(index - 1) >>> 1] as T;
      if (isBefore(above, item)) return;
      this.#put(item, above.heapIndex);
      this.#put(above, index);
    }
  }

  #down(item: T): void {
    for (;;) {
      const index = item.heapIndex;
      let below = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      if (right !== undefined && isBefore(right, below as T)) below = right;
      if (below === undefined || isBefore(item, below)) return;
      this.#put(item, below.heapIndex);
      this.#put(below, index);
    }
  }
}
