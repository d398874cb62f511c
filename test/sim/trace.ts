// What a simulation says of itself: one line a step, and a hash that runs over all of them. The same seed must give
// the same hash on every machine and runtime, so nothing of either may stand in a line. Lines are kept only on demand.

/** The running hash and, where somebody reads them, the lines. */
export class Trace {
  readonly #lines: string[] | null;
  readonly #labels = new Map<string, string>();
  #low = 0x811c9dc5;
  #high = 0x1b873593;
  #count = 0;

  constructor(keep: boolean) {
    this.#lines = keep ? [] : null;
  }

  /** Lines so far. */
  get count(): number {
    return this.#count;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** 64 bits in hexadecimal: two FNV-1a sums with different multipliers. */
  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** Notes what happened at a virtual time. */
  line(atMs: number, text: string): void {
    const line = `${atMs.toFixed(3)} ${text}`;
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < line.length; at++) {
      const code = line.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b);
    }
    this.#low = Math.imul(low ^ 10, 0x01000193);
    this.#high = high ^ (high >>> 13) ^ low;
    this.#count++;
    this.#lines?.push(line);
  }

  /** A short name for an id, in order of first mention: lines stay readable. */
  label(id: string): string {
    const known = this.#labels.get(id);
    if (known !== undefined) return known;
    const made = `${id.slice(0, id.indexOf("_"))}${this.#labels.size + 1}`;
    this.#labels.set(id, made);
    return made;
  }
}
