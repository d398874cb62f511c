// Typing and reading at the same time. On a terminal, what comes is written above the line that is being typed, so
// that neither waits for the other; through a pipe, lines go in and lines come out. Texts must be printable already.

import { createInterface, type Interface } from "node:readline";
import { InvalidRequestError } from "../base/errors.ts";
import { lines as linesOf, PushQueue } from "../base/stream.ts";
import { columnsOf, printable } from "./printable.ts";

export interface Conversation {
  /** Whether a person types here: a prompt is shown, and `live` too. */
  readonly interactive: boolean;
  /** What is typed, line by line; ends with the input, or when closed. */
  readonly lines: AsyncIterable<string>;
  /** A finished line. */
  show(line: string): void;
  /** The line that is being written, in place of the one before; at most one row. Empty takes it away. */
  live(text: string): void;
  /**
   * Gives the terminal away for a while: what is shown and typed so far comes back with the returned call, and what is
   * shown meanwhile with it. `null` where no person types, and while it is given away.
   */
  suspend(): (() => void) | null;
  /** Gives the terminal back. Idempotent. */
  close(): void;
}

/** Characters of one typed line; more than any message may have. */
const MAX_LINE_CHARS = 1_000_000;
/** Lines that were typed and not read yet. */
const TYPED_BOUND = 1_000;

function tooLong(): InvalidRequestError {
  return new InvalidRequestError("line_too_long", `Expected lines of at most ${MAX_LINE_CHARS} characters.`);
}

/** Lines from a pipe or a file. `live` shows nothing. */
export function plainConversation(options: {
  readonly input: AsyncIterable<Uint8Array>;
  readonly writeOut: (text: string) => void;
}): Conversation {
  return {
    interactive: false,
    lines: linesOf(options.input, { maxChars: MAX_LINE_CHARS, onTooLong: tooLong }),
    show: (line) => options.writeOut(`${line}\n`),
    live: () => {},
    suspend: () => null,
    // Nothing was taken over; the process ends without reading on.
    close: () => {},
  };
}

const UP = "\u001b[1A";
const CLEAR_DOWN = "\r\u001b[J";

export interface ScreenOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly prompt: string;
  /** Ctrl-C does not come as a signal while keys are read one by one. */
  readonly onInterrupt: () => void;
}

/** Lines kept for a person who looks at something else; of more, the first are left out. */
const MOST_HELD = 2_000;

/** A prompt at the bottom of a terminal, with everything else above it. */
export function openScreen(options: ScreenOptions): Conversation {
  return new PromptScreen(options);
}

class PromptScreen implements Conversation {
  readonly interactive = true;
  readonly #options: ScreenOptions;
  readonly #typed = new PushQueue<string>(TYPED_BOUND);
  #reader: Interface;
  #history: string[] = [];
  #liveLine = "";
  #closed = false;
  /** What was shown while the terminal is given away; `null` while it is here. */
  #held: string[] | null = null;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#reader = this.#open();
    this.#reader.prompt();
  }

  get lines(): AsyncIterable<string> {
    return this.#typed;
  }

  show(line: string): void {
    if (this.#held === null) this.#repaint(`${line}\n`, this.#liveLine);
    else {
      this.#held.push(line);
      if (this.#held.length > MOST_HELD) this.#held.shift();
    }
  }

  live(text: string): void {
    if (this.#held !== null) this.#liveLine = text;
    else if (text !== this.#liveLine) this.#repaint("", text);
  }

  suspend(): (() => void) | null {
    if (this.#closed || this.#held !== null) return null;
    const { line } = this.#reader;
    this.#wipe();
    this.#held = [];
    this.#reader.close();
    return () => {
      const held = this.#held ?? [];
      this.#held = null;
      if (this.#closed) return;
      const { input, output } = this.#options;
      // Who had the terminal may have let go of the input for good.
      (input as { ref?(): void }).ref?.();
      output.write(held.map((each) => `${each}\n`).join(""));
      if (this.#liveLine !== "") output.write(`${this.#liveLine}\n`);
      this.#reader = this.#open();
      this.#reader.prompt();
      if (line !== "") this.#reader.write(line);
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // What came while nobody looked is still said.
    const { output } = this.#options;
    if (this.#held === null) this.#wipe();
    else output.write(this.#held.map((each) => `${each}\n`).join(""));
    this.#reader.close();
    this.#typed.end();
  }

  #open(): Interface {
    const { input, output, prompt, onInterrupt } = this.#options;
    const reader = createInterface({ input, output, prompt, terminal: true, history: this.#history });
    reader.on("line", (line) => {
      // Enter has moved below what was typed; the live line belongs under it again.
      if (this.#liveLine !== "") {
        const echo = `${prompt}${printable(line)}`;
        const rows = 1 + Math.max(1, Math.ceil(columnsOf(echo) / this.#columns));
        output.write(`${UP.repeat(rows)}${CLEAR_DOWN}${echo}\n${this.#liveLine}\n`);
      }
      this.#typed.push(line);
      if (this.#held === null) reader.prompt();
    });
    reader.on("history", (history) => (this.#history = history));
    reader.on("SIGINT", onInterrupt);
    reader.on("close", () => {
      if (this.#held === null) this.#typed.end();
    });
    return reader;
  }

  get #columns(): number {
    return (this.#options.output as { readonly columns?: number }).columns || 80;
  }

  /** Takes away everything from the cursor to the first row that is not finished: what is typed, and the live line. */
  #wipe(above = "", below = ""): void {
    const rows = this.#reader.getCursorPos().rows + (this.#liveLine === "" ? 0 : 1);
    this.#options.output.write(`${UP.repeat(rows)}${CLEAR_DOWN}${above}${below}`);
  }

  #repaint(above: string, nextLive: string): void {
    if (this.#closed) return;
    this.#wipe(above, nextLive === "" ? "" : `${nextLive}\n`);
    this.#liveLine = nextLive;
    // It clears upwards as many rows as it believes to stand on, and no public word tells it that it stands on the first.
    Object.assign(this.#reader, { prevRows: 0 });
    this.#reader.prompt(true);
  }
}
