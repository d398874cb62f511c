// Everything that a command shows. Data goes to stdout and the rest to stderr; with `--json`, stdout holds JSON lines
// and nothing else, and notes are left out.
//
// O1. Every text is made printable here and nowhere later; only styles of our own are added after that.
// O2. Styles appear only where a person's terminal shows them and NO_COLOR is not set.

import type { TroupeError } from "../base/errors.ts";
import type { Environment } from "../config/load.ts";
import type { State } from "../core/lifecycle.ts";
import { toWire } from "../core/wire.ts";
import { columnsOf, fittingIn, jsonLine, printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof STYLES;

/** A text, or a text with a style. */
export type Span = string | readonly [Style, string];
/** A line is a text or spans that follow each other. */
export type Line = string | readonly Span[];

const STATE_STYLES: Readonly<Record<State, Style>> = {
  spawned: "yellow",
  running: "cyan",
  steering: "cyan",
  done: "green",
  cancelled: "dim",
  failed: "red",
};

export function stateSpan(state: State, text: string = state): Span {
  return [STATE_STYLES[state], text];
}

/** https://no-color.org: set and not empty means no colour; a dumb terminal has none. */
export function wantsColor(env: Environment): boolean {
  return !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

function spansOf(line: Line): readonly Span[] {
  return typeof line === "string" ? [line] : line;
}

export class Printer {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #color: boolean;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
    this.#color = wantsColor(terminal.env);
  }

  /** What to type for this program, for advice. */
  get program(): string {
    return this.#terminal.program;
  }

  get json(): boolean {
    return this.#json;
  }

  /** Whether notes go to a person's screen, and neither to a file nor to a journal. */
  get shown(): boolean {
    return this.#terminal.errIsTerminal;
  }

  /** A line for people on stdout; left out with `--json`. */
  data(line: Line): void {
    if (!this.#json) this.#terminal.writeOut(`${this.render(line, this.#terminal.outIsTerminal)}\n`);
  }

  /** A row of a table or a tree on stdout: cut to the width of a terminal, whole elsewhere. */
  row(line: Line): void {
    this.data(this.#terminal.outIsTerminal ? this.cut(line) : line);
  }

  /** The line without what would not fit in a row of the terminal. */
  cut(line: Line): Line {
    let left = this.#terminal.columns();
    return spansOf(line).map((span): Span => {
      const [style, text] = typeof span === "string" ? [null, span] : span;
      const fitting = fittingIn(printable(text), left);
      left -= columnsOf(fitting);
      return style === null ? fitting : [style, fitting];
    });
  }

  /** A view on stdout as one line of JSON in the wire's words; only with `--json`. */
  document(value: unknown): void {
    if (this.#json) this.#terminal.writeOut(`${jsonLine(toWire(value))}\n`);
  }

  /** A line beside the data, on stderr; left out with `--json`. */
  note(line: Line): void {
    if (!this.#json) this.warn(line);
  }

  /** A line on stderr that is always shown. */
  warn(line: Line): void {
    this.#terminal.writeErr(`${this.render(line, this.#terminal.errIsTerminal)}\n`);
  }

  /** Why it did not work, on stderr: a line for people, or a JSON line. */
  failure(error: TroupeError, advice: string | null): void {
    const { kind, code, message, details } = error;
    if (this.#json) {
      // Details are in the wire's words already; a program reads them where people read the message.
      this.#terminal.writeErr(`${jsonLine({ error: { kind, code, message, details } })}\n`);
      return;
    }
    this.warn([["red", "error: "], message]);
    if (advice !== null) this.warn(advice);
  }

  /** The line as it may be written; `styled` is whether it goes to a terminal (keeps O1, O2). */
  render(line: Line, styled: boolean): string {
    return spansOf(line)
      .map((span) => {
        if (typeof span === "string") return printable(span);
        const text = printable(span[1]);
        return this.#color && styled ? `\u001b[${STYLES[span[0]]}m${text}\u001b[0m` : text;
      })
      .join("");
  }
}
