// Where a chat's words go: on a terminal everything above the prompt; through a pipe the answers to stdout and the
// rest to stderr; with `--json` one object a line.

import type { Conversation } from "./conversation.ts";
import type { Line, Printer } from "./printer.ts";

export class ChatOutput {
  readonly #screen: Conversation;
  readonly #printer: Printer;

  constructor(screen: Conversation, printer: Printer) {
    this.#screen = screen;
    this.#printer = printer;
  }

  /** Something for programs; people never see it. */
  document(value: unknown): void {
    this.#printer.document(value);
  }

  /** A finished line of an answer, or of what a command of the chat shows. */
  say(line: Line): void {
    if (this.#screen.interactive && !this.#printer.json) this.#screen.show(this.#printer.render(line, true));
    else this.#printer.data(line);
  }

  /** A row of a table or a tree: cut to the width of the screen. */
  row(line: Line): void {
    this.say(this.#screen.interactive ? this.#printer.cut(line) : line);
  }

  /** What happened beside it. */
  notice(line: Line): void {
    if (this.#screen.interactive && !this.#printer.json) this.#screen.show(this.#printer.render(line, true));
    else this.#printer.note(line);
  }

  /** The line that is being written. */
  live(text: string): void {
    if (!this.#printer.json) this.#screen.live(this.#printer.render(text, true));
  }
}
