// Everything that a command shows. Data goes to stdout and the rest to stderr; with `--json`, stdout holds JSON lines
// and nothing else, and notes are left out.
//
// O1. Every text is made printable here and nowhere later; only styles of our own are added after that.
// O2. Styles appear only where a person's terminal shows them and NO_COLOR is not set.

import type { TroupeError } from "../base/errors.ts";
import type { Environment } from "../config/load.ts";
import type { State } from "../core/lifecycle.ts";
import { toWire } from "../core/wire.ts";
import { jsonLine, printable } from "./printable.ts";
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

export class Printer {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  readonly #color: boolean;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
    this.#color = wantsColor(terminal.env);
  }

  get json(): boolean {
    return this.#json;
  }

  /** A line for people on stdout; left out with `--json`. */
  data(line: Line): void {
    if (!this.#json) this.#terminal.writeOut(`${this.render(line, this.#terminal.outIsTerminal)}\n`);
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
    const spans = typeof line === "string" ? [line] : line;
    return spans
      .map((span) => {
        if (typeof span === "string") return printable(span);
        const text = printable(span[1]);
        return this.#color && styled ? `\u001b[${STYLES[span[0]]}m${text}\u001b[0m` : text;
      })
      .join("");
  }
}
