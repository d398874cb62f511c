// Typing and reading at the same time. On a terminal, what comes is written above the line that is being typed, so
// that neither waits for the other; through a pipe, lines go in and lines come out. Texts must be printable already.

import { createInterface } from "node:readline";
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

/** A prompt at the bottom of a terminal, with everything else above it. */
export function openScreen({ input, output, prompt, onInterrupt }: ScreenOptions): Conversation {
  const reader = createInterface({ input, output, prompt, terminal: true });
  const typed = new PushQueue<string>(TYPED_BOUND);
  let liveLine = "";
  let closed = false;
  const columns = (): number => (output as { readonly columns?: number }).columns || 80;
  reader.on("line", (line) => {
    // Enter has moved below what was typed; the live line belongs under it again.
    if (liveLine !== "") {
      const echo = `${prompt}${printable(line)}`;
      const rows = 1 + Math.max(1, Math.ceil(columnsOf(echo) / columns()));
      output.write(`${UP.repeat(rows)}${CLEAR_DOWN}${echo}\n${liveLine}\n`);
    }
    typed.push(line);
    reader.prompt();
  });
  reader.on("SIGINT", onInterrupt);
  reader.on("close", () => typed.end());
  /** From the cursor to the first row that is not finished: what is typed, and the live line above it. */
  const rowsAbove = (): number => reader.getCursorPos().rows + (liveLine === "" ? 0 : 1);
  const repaint = (above: string, nextLive: string): void => {
    if (closed) return;
    const rows = rowsAbove();
    liveLine = nextLive;
    const below = nextLive === "" ? "" : `${nextLive}\n`;
    output.write(`${UP.repeat(rows)}${CLEAR_DOWN}${above}${below}`);
    // It clears upwards as many rows as it believes to stand on, and no public word tells it that it stands on the first.
    Object.assign(reader, { prevRows: 0 });
    reader.prompt(true);
  };
  reader.prompt();
  return {
    interactive: true,
    lines: typed,
    show: (line) => repaint(`${line}\n`, liveLine),
    live: (text) => {
      if (text !== liveLine) repaint("", text);
    },
    close: () => {
      if (closed) return;
      closed = true;
      output.write(`${UP.repeat(rowsAbove())}${CLEAR_DOWN}`);
      reader.close();
    },
  };
}
