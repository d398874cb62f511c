// Whether parents take turns where their new children wait for a place: between two children of one parent each other
// parent whose child waited all the while must have been served.

export interface Newcomer {
  readonly parent: string;
  readonly class: string;
}

export class TurnsOfParents {
  /** Since which look a parent has had somebody waiting without a break, and when it was served last. */
  readonly #since = new Map<string, number>();
  readonly #served = new Map<string, number>();
  #looks = 0;

  /** Who was served since the last look, and who waits now; says who was passed over, or `null`. */
  note(served: readonly Newcomer[], waiting: readonly Newcomer[]): string | null {
    const look = ++this.#looks;
    const lines = new Set(waiting.map(lineOf));
    const now = new Set(served.map(lineOf));
    let complaint: string | null = null;
    for (const each of served) {
      const before = this.#served.get(lineOf(each));
      const passed = before === undefined ? null : this.#passedSince(before, each, { lines, now });
      if (passed !== null)
        complaint ??= `a child of ${each.parent || "nobody"} is let in, and it was ${passed}'s turn`;
    }
    for (const line of now) this.#served.set(line, look);
    for (const line of this.#since.keys()) if (!lines.has(line)) this.#since.delete(line);
    for (const line of lines) if (!this.#since.has(line)) this.#since.set(line, look);
    return complaint;
  }

  #passedSince(
    look: number,
    { class: schedulingClass }: Newcomer,
    { lines, now }: { readonly lines: ReadonlySet<string>; readonly now: ReadonlySet<string> },
  ): string | null {
    for (const line of lines) {
      const [parent = "", theirs] = line.split(" ");
      if (theirs !== schedulingClass || now.has(line)) continue;
      const hasWaited = (this.#since.get(line) ?? Infinity) < look;
      if (hasWaited && (this.#served.get(line) ?? 0) < look) return parent || "nobody";
    }
    return null;
  }
}

function lineOf({ parent, class: schedulingClass }: Newcomer): string {
  return `${parent} ${schedulingClass}`;
}
