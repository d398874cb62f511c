// A list in the order of rising numbers that any item may leave, also from the middle. It leaves a hole, and at least
// half of the places are taken, so reading past the holes costs no more than reading the items.

import { firstWhere } from "./memory-fifo.ts";

/** Contract: `push`, `remove` and `shift` take a logarithm at most, on average; never throws. */
export class RisingList<T extends object> {
  #keys: number[] = [];
  /** In the places of their keys; `null` is a hole. */
  #items: (T | null)[] = [];
  /** The first place that is no hole. */
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The lowest key, or `undefined` when the list is empty. */
  get firstKey(): number | undefined {
    return this.#keys[this.#head];
  }

  /** Adds an item; its key must be above all others. */
  push(key: number, item: T): void {
    this.#keys.push(key);
    this.#items.push(item);
    this.#size += 1;
  }

  /** Takes the item of a key out, or returns `null`. */
  remove(key: number): T | null {
    const at = firstWhere(this.#keys.length, (place) => (this.#keys[place] as number) >= key);
    if (this.#keys[at] !== key) return null;
    const item = this.#items[at] as T | null;
    if (item === null) return null;
    this.#items[at] = null;
    this.#size -= 1;
    this.#close();
    return item;
  }

  /** Takes the item of the lowest key out, or returns `null`. */
  shift(): T | null {
    const key = this.firstKey;
    if (key === undefined) return null;
    const item = this.#items[this.#head] as T;
    this.#items[this.#head] = null;
    this.#size -= 1;
    this.#close();
    return item;
  }

  /** The items of higher keys, lowest first, while nothing is added or taken out. */
  *above(key: number): Generator<T, void> {
    const start = firstWhere(this.#keys.length, (place) => (this.#keys[place] as number) > key);
    for (let at = Math.max(start, this.#head); at < this.#items.length; at += 1) {
      const item = this.#items[at] as T | null;
      if (item !== null) yield item;
    }
  }

  /** Closes the holes when there are too many: the copy is paid for by as many items that left. */
  #close(): void {
    if (this.#size * 2 < this.#items.length) {
      const kept = (_: unknown, at: number): boolean => this.#items[at] !== null;
      this.#keys = this.#keys.filter(kept);
      this.#items = this.#items.filter((item) => item !== null);
      this.#head = 0;
    }
    while (this.#head < this.#items.length && this.#items[this.#head] === null) this.#head += 1;
  }
}
