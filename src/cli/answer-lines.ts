// A text that comes in pieces, as lines: finished ones, and the one being written. On a terminal, long lines are
// broken at blanks, so that the unfinished one never takes more than a row.

import { columnsOf, printable } from "./printable.ts";

export class AnswerLines {
  readonly #columns: () => number;
  #rest = "";

  /** `columns` is asked at each piece; Infinity never breaks a line. */
  constructor(columns: () => number) {
    this.#columns = columns;
  }

  /** What was written since the last finished line, without anything that a terminal would obey. */
  get rest(): string {
    return printable(this.#rest);
  }

  /** Takes a piece; the lines that it finished. */
  push(text: string): readonly string[] {
    const lines = `${this.#rest}${text}`.split("\n");
    const last = lines.pop() as string;
    const rows = this.#broken(last);
    // What may be the beginning of an escape sequence is kept as it came, until the rest of it is there.
    this.#rest = rows.length === 1 ? last : (rows.at(-1) as string);
    return [...lines.flatMap((line) => this.#broken(line)), ...rows.slice(0, -1)];
  }

  /** Ends the text; what was not finished becomes the last line. */
  end(): readonly string[] {
    const rest = this.rest;
    this.#rest = "";
    return rest.trim() === "" ? [] : [rest];
  }

  /** Ends the text before `next`, which was taken already and begins the next one, unless a line of it is finished. */
  endBefore(next: string): readonly string[] {
    if (!this.#rest.endsWith(next)) return [];
    this.#rest = this.#rest.slice(0, this.#rest.length - next.length);
    const lines = this.end();
    this.#rest = next;
    return lines;
  }

  /** The printable line in rows; at least one. */
  #broken(line: string): readonly string[] {
    const most = this.#columns();
    let rest = printable(line);
    const rows: string[] = [];
    while (columnsOf(rest) > most) {
      const at = breakAt(rest, most);
      rows.push(rest.slice(0, at).trimEnd());
      rest = rest.slice(at).trimStart();
    }
    return [...rows, rest];
  }
}

/** Where to break: after the last blank that fits, else after the last character that does. */
function breakAt(text: string, columns: number): number {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += columnsOf(character);
    if (width > columns && end > 0) break;
    end += character.length;
  }
  const blank = text.lastIndexOf(" ", end);
  return blank > 0 ? blank : end;
}
