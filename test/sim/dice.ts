// Chance, from one seed. Each part of a world draws from a stream of its own, so that a draw more in one part leaves
// the others as they were.

import { seededRandom, type Random } from "../../src/base/ids.ts";

/** Seeds of the streams; the numbers mean nothing. */
export const STREAMS = {
  world: 0x51ed270b,
  chaos: 0x2545f491,
  product: 0x6a09e667,
  budgets: 0x3c6ef372,
  box: 0x1f83d9ab,
  questions: 0x5be0cd19,
} as const;

/** A stream of its own for this seed. */
export function streamOf(seed: number, salt: number): Random {
  return seededRandom((Math.imul(seed + 1, 0x9e3779b1) ^ salt) >>> 0);
}

export class Dice {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A number in [0, 1). */
  next(): number {
    return this.#random.next();
  }

  chance(share: number): boolean {
    return share > 0 && this.#random.next() < share;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#random.next() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.next() * list.length)] as T;
  }

  /** `count` numbers drawn by `draw`. */
  several<T>(count: number, draw: () => T): T[] {
    return Array.from({ length: count }, draw);
  }
}
