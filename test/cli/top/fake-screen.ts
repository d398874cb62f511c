// Both sides of a terminal in memory, as far as a program that draws the whole screen asks for them: keys go in, and what
// was written is there, also as the text of the screen.

import { PassThrough, Writable } from "node:stream";
import type { ScreenStreams } from "../../../src/cli/terminal.ts";
import { Watchers } from "../watchers.ts";

/** A terminal by the few sequences that ink uses: moving the cursor, erasing, the other screen. */
export class FakeScreen implements ScreenStreams {
  readonly input: PassThrough & { isTTY: boolean; isRaw: boolean };
  readonly output: Writable & { columns: number; rows: number; isTTY: boolean };
  /** Everything that was written. */
  written = "";
  readonly #watchers = new Watchers();
  #grid: string[] = [""];
  #row = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      isRaw: false,
      ref: () => input,
      unref: () => input,
      setRawMode: (raw: boolean) => {
        input.isRaw = raw;
        return input;
      },
    });
    this.input = input;
    const write = (chunk: Buffer, _: unknown, done: () => void): void => {
      this.#take(chunk.toString());
      done();
    };
    this.output = Object.assign(new Writable({ write }), { columns, rows, isTTY: true });
  }

  /** The rows as a person sees them, without blanks at their ends. */
  get rows(): readonly string[] {
    return this.#grid.map((row) => row.trimEnd());
  }

  get text(): string {
    return this.rows.join("\n");
  }

  /** Presses keys: letters, or the sequences that a terminal sends. */
  type(keys: string): void {
    this.input.write(keys);
  }

  resize(columns: number, rows: number): void {
    Object.assign(this.output, { columns, rows });
    this.output.emit("resize");
  }

  /** Resolves once what is shown satisfies the test. */
  until(holds: (screen: this) => boolean): Promise<void> {
    return this.#watchers.until(() => holds(this));
  }

  #take(text: string): void {
    this.written += text;
    // eslint-disable-next-line no-control-regex
    for (const [part] of text.matchAll(/\u001b\[[?>]?[0-9;]*[A-Za-z]|[^\u001b]/gu)) {
      if (part.startsWith("\u001b")) this.#obey(part);
      else this.#put(part);
    }
    this.#watchers.look();
  }

  #put(character: string): void {
    if (character === "\n") {
      this.#row += 1;
      this.#column = 0;
    } else if (character === "\r") this.#column = 0;
    else {
      const row = Array.from((this.#grid[this.#row] ?? "").padEnd(this.#column));
      row[this.#column] = character;
      this.#grid[this.#row] = row.join("");
      this.#column += 1;
    }
    while (this.#grid.length <= this.#row) this.#grid.push("");
  }

  #obey(sequence: string): void {
    const [first = "", second = ""] = sequence.slice(2, -1).split(";");
    const count = Number(first) || 1;
    switch (sequence.at(-1)) {
      case "A":
        this.#row = Math.max(0, this.#row - count);
        break;
      case "B":
        this.#row += count;
        break;
      case "C":
        this.#column += count;
        break;
      case "D":
        this.#column = Math.max(0, this.#column - count);
        break;
      case "E":
        this.#row += count;
        this.#column = 0;
        break;
      case "G":
        this.#column = count - 1;
        break;
      case "H":
        [this.#row, this.#column] = [count - 1, (Number(second) || 1) - 1];
        break;
      case "K":
        this.#grid[this.#row] = first === "2" ? "" : (this.#grid[this.#row] ?? "").slice(0, this.#column);
        break;
      case "J":
        if (first === "2") this.#grid = [""];
        else {
          this.#grid[this.#row] = (this.#grid[this.#row] ?? "").slice(0, this.#column);
          this.#grid.length = this.#row + 1;
        }
        break;
    }
    while (this.#grid.length <= this.#row) this.#grid.push("");
  }
}

export const KEYS = {
  up: "\u001b[A",
  down: "\u001b[B",
  right: "\u001b[C",
  left: "\u001b[D",
  enter: "\r",
  escape: "\u001b",
  ctrlC: "\u0003",
  backspace: "\u007f",
} as const;
