// Whether parents are served alike where their new children wait for a place: in turn, until something is known of what
// their children cost; from then on by cost, within what the children that a parent has live at once may cost.

import type { GenerationSample } from "../../src/scheduler/scheduler.ts";

export interface Newcomer {
  readonly parent: string;
  readonly class: string;
}

/** How often the dearest child, for each live child and two more, a parent may have while another one waits. */
const SLACK = 4;

export class TurnsOfParents {
  /** Since which look a parent has had somebody waiting without a break, and when it was served last. */
  readonly #since = new Map<string, { readonly look: number; readonly had: ReadonlyMap<string, number> }>();
  readonly #served = new Map<string, number>();
  /** What the GPU has done for each parent, and for each of its children. */
  readonly #had = new Map<string, number>();
  readonly #cost = new Map<string, number>();
  #dearest = 0;
  #looks = 0;

  /** What a generation cost. */
  measure({ taskId, parentId, promptMs, outputMs, totalMs }: GenerationSample): void {
    const ms = promptMs + outputMs > 0 ? promptMs + outputMs : totalMs;
    const parent = parentId ?? "";
    this.#had.set(parent, (this.#had.get(parent) ?? 0) + ms);
    this.#cost.set(taskId, (this.#cost.get(taskId) ?? 0) + ms);
    this.#dearest = Math.max(this.#dearest, this.#cost.get(taskId) ?? 0);
  }

  /** Who was served since the last look, and who waits now, with so many places; says who was passed over, or `null`. */
  note(served: readonly Newcomer[], waiting: readonly Newcomer[], places: number): string | null {
    const look = ++this.#looks;
    const lines = new Set(waiting.map(lineOf));
    const now = new Set(served.map(lineOf));
    const slack = SLACK * (places + 2) * this.#dearest;
    let complaint: string | null = null;
    for (const each of served) {
      const before = this.#served.get(lineOf(each));
      const passed = before === undefined ? null : this.#passedSince(before, each, { lines, now, slack });
      if (passed !== null)
        complaint ??= `a child of ${each.parent || "nobody"} is let in, and it was ${passed}'s turn`;
    }
    for (const line of now) this.#served.set(line, look);
    for (const line of this.#since.keys()) if (!lines.has(line)) this.#since.delete(line);
    for (const line of lines)
      if (!this.#since.has(line)) this.#since.set(line, { look, had: new Map(this.#had) });
    return complaint;
  }

  #passedSince(
    look: number,
    { parent: servedParent, class: schedulingClass }: Newcomer,
    looking: {
      readonly lines: ReadonlySet<string>;
      readonly now: ReadonlySet<string>;
      readonly slack: number;
    },
  ): string | null {
    for (const line of looking.lines) {
      const [parent = "", theirs] = line.split(" ");
      if (theirs !== schedulingClass || looking.now.has(line)) continue;
      const since = this.#since.get(line);
      const hasWaited = since !== undefined && since.look < look;
      if (!hasWaited || (this.#served.get(line) ?? 0) >= look) continue;
      const grown = (this.#had.get(servedParent) ?? 0) - (since.had.get(servedParent) ?? 0);
      if (grown >= looking.slack) return parent || "nobody";
    }
    return null;
  }
}

function lineOf({ parent, class: schedulingClass }: Newcomer): string {
  return `${parent} ${schedulingClass}`;
}
