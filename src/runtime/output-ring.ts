// The output of one task as lines: what `check_task` and the tree show. It is a view, not data: the transcript is
// whole in the store.
// R1. At most RING_LINES lines of at most RING_LINE_CHARS characters are kept; a longer line is cut with a mark.

import { RING_LINES, RING_LINE_CHARS } from "../core/limits.ts";

export class OutputRing {
  readonly #lines: string[] = [];
  #partial = "";

  /** Adds text as it streams; a newline ends a line. */
  write(text: string): void {
    const pieces = text.split("\n");
    const last = pieces.pop() as string;
    for (const piece of pieces) {
      this.#push(this.#partial + piece);
      this.#partial = "";
    }
    this.#partial = (this.#partial + last).slice(0, RING_LINE_CHARS + 1);
  }

  /** Adds whole lines, ending the one that was being written. */
  line(text: string): void {
    this.end();
    for (const piece of text.split("\n")) this.#push(piece);
  }

  /** Ends the line that is being written, if any. */
  end(): void {
    if (this.#partial === "") return;
    this.#push(this.#partial);
    this.#partial = "";
  }

  /** The last `count` lines, the one being written included, oldest first. */
  tail(count: number): readonly string[] {
    const lines = this.#partial === "" ? this.#lines : [...this.#lines, cut(this.#partial)];
    return lines.slice(-count);
  }

  #push(line: string): void {
    this.#lines.push(cut(line));
    if (this.#lines.length > RING_LINES) this.#lines.shift();
  }
}

function cut(line: string): string {
  if (line.length <= RING_LINE_CHARS) return line;
  return `${safeSlice(line, RING_LINE_CHARS - 1)}…`;
}

/** The first `length` characters, without splitting a surrogate pair. */
export function safeSlice(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** The text whole, or its first three quarters and last quarter with a mark between, `limit` characters in all. */
export function cutMiddle(
  text: string,
  limit: number,
): { readonly text: string; readonly truncated: boolean } {
  if (text.length <= limit) return { text, truncated: false };
  const mark = `\n… [${text.length - limit} characters cut] …\n`;
  const room = Math.max(0, limit - mark.length);
  const head = safeSlice(text, Math.ceil(room * 0.75));
  let tail = text.slice(text.length - (room - head.length));
  const first = tail.charCodeAt(0);
  if (first >= 0xdc00 && first <= 0xdfff) tail = tail.slice(1);
  return { text: head + mark + tail, truncated: true };
}
