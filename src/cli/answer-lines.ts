// A text that comes in pieces, as lines: finished ones, and the one being written. On a terminal, long lines are
// broken at blanks, so that the unfinished one never takes more than a row.
//
// L1. A piece costs work in proportion to itself and a row, not to what came before it.
// L2. However the text is cut into pieces, the same is shown.

import { columnsOf, fittingIn, printable, unfinishedAt } from "./printable.ts";

/** Characters that a column may hold: marks take none, and without a bound a row of them would never end. */
const MOST_PER_COLUMN = 32;

export class AnswerLines {
  readonly #columns: () => number;
  /** Of the unfinished line: what is printable already, */
  #done = "";
  /** and behind it, as it came, what may be the beginning of an escape sequence. */
  #raw = "";

  /** `columns` is asked at each piece; Infinity never breaks a line. */
  constructor(columns: () => number) {
    this.#columns = columns;
  }

  /** What was written since the last finished line, without anything that a terminal would obey. */
  get rest(): string {
    return this.#done;
  }

  /** Takes a piece; the lines that it finished. */
  push(text: string): readonly string[] {
    const lines = `${this.#raw}${text}`.split("\n");
    const last = lines.pop() as string;
    const finished: string[] = [];
    for (const line of lines) {
      finished.push(...this.#broken(this.#done + printable(line)));
      this.#done = "";
    }
    const settled = unfinishedAt(last);
    const rows = this.#broken(this.#done + printable(last.slice(0, settled)));
    this.#done = rows.at(-1) as string;
    this.#raw = last.slice(settled);
    return [...finished, ...rows.slice(0, -1)];
  }

  /** Ends the text; what was not finished becomes the last line. */
  end(): readonly string[] {
    const rows = this.#broken(this.#done + printable(this.#raw));
    this.#done = "";
    this.#raw = "";
    return rows.length === 1 && rows[0]?.trim() === "" ? [] : rows;
  }

  /** Ends the text before `next`, which was taken already and begins the next one, unless a line of it is finished. */
  endBefore(next: string): readonly string[] {
    const raw = this.#raw;
    const settled = next.endsWith(raw) ? printable(next.slice(0, next.length - raw.length)) : null;
    if (settled !== null && this.#done.endsWith(settled)) {
      this.#done = this.#done.slice(0, this.#done.length - settled.length);
      this.#raw = "";
    } else if (raw.endsWith(next)) this.#raw = raw.slice(0, raw.length - next.length);
    else return [];
    const lines = this.end();
    this.push(next);
    return lines;
  }

  /** The printable line in rows; at least one. */
  #broken(line: string): readonly string[] {
    const most = this.#columns();
    if (most === Infinity) return [line];
    let rest = line;
    const rows: string[] = [];
    while (!isRow(rest, most)) {
      const at = breakAt(rest, most);
      rows.push(rest.slice(0, at).trimEnd());
      rest = rest.slice(at).trimStart();
    }
    return [...rows, rest];
  }
}

/** Looks at a row's worth of the text, however long it is (keeps L1). */
function isRow(text: string, columns: number): boolean {
  return text.length <= columns * MOST_PER_COLUMN && fittingIn(text, columns).length === text.length;
}

/** Where to break: after the last blank that fits, else after the last character that does. */
function breakAt(text: string, columns: number): number {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += columnsOf(character);
    if (end > 0 && (width > columns || end + character.length > columns * MOST_PER_COLUMN)) break;
    end += character.length;
  }
  const blank = text.lastIndexOf(" ", end);
  return blank > 0 ? blank : end;
}
