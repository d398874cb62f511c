// Text out of an open file, bounded: a piece of its lines, or its beginning for a search. Says when a file is no text.

import type { FileHandle } from "node:fs/promises";

const CHUNK_BYTES = 65_536;
/** A zero byte in the first bytes is how grep and git tell binary from text. */
const SNIFF_BYTES = 8_192;

export interface LineWindow {
  /** From 1. */
  readonly start: number;
  readonly maxLines: number;
  readonly maxChars: number;
  readonly maxLineChars: number;
  /** Bytes to read at most on the way to the window. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Piece {
  readonly lines: readonly string[];
  /** More lines follow, or the reading stopped at `maxBytes`. */
  readonly more: boolean;
  /** A line was cut. */
  readonly cut: boolean;
  readonly binary: boolean;
}

/** Pieces of the file's bytes from the start. Stops by the signal, throwing its reason. */
export async function* chunksOf(
  handle: FileHandle,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < maxBytes;) {
    signal.throwIfAborted();
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, maxBytes - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** Collects the lines of a window from decoded text; one long line costs no more memory than its shown part. */
class WindowCollector {
  readonly lines: string[] = [];
  readonly #window: LineWindow;
  #number = 1;
  #current = "";
  #currentChars = 0;
  #chars = 0;
  full = false;
  cut = false;

  constructor(window: LineWindow) {
    this.#window = window;
  }

  add(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0 && !this.full; at = text.indexOf("\n", from)) {
      this.#extend(text.slice(from, at));
      this.#endLine();
      from = at + 1;
    }
    if (!this.full) this.#extend(text.slice(from));
  }

  /** The last line, when it has no newline. */
  finish(): void {
    if (this.#currentChars > 0 && !this.full) this.#endLine();
  }

  #extend(text: string): void {
    const room = this.#window.maxLineChars - this.#current.length;
    if (this.#number >= this.#window.start && room > 0) this.#current += text.slice(0, room);
    this.#currentChars += text.length;
  }

  #endLine(): void {
    if (this.#number >= this.#window.start) this.#show();
    if (this.full) return;
    this.#number++;
    this.#current = "";
    this.#currentChars = 0;
  }

  #show(): void {
    const hidden = this.#currentChars - this.#current.length;
    const shown = this.#current.replace(/\r$/, "");
    const line = hidden > 0 ? `${shown.toWellFormed()}… [${hidden} more characters in this line]` : shown;
    const { maxLines, maxChars } = this.#window;
    if (this.lines.length >= maxLines || (this.lines.length > 0 && this.#chars + line.length > maxChars)) {
      this.full = true;
      return;
    }
    if (hidden > 0) this.cut = true;
    this.lines.push(line);
    this.#chars += line.length + 1;
  }
}

/** Contract: reads at most `maxBytes`; throws the signal's reason; never throws for what the file holds. */
export async function readWindow(handle: FileHandle, size: number, window: LineWindow): Promise<Piece> {
  const decoder = new TextDecoder();
  const collector = new WindowCollector(window);
  let read = 0;
  for await (const chunk of chunksOf(handle, window.maxBytes, window.signal)) {
    if (read === 0 && chunk.subarray(0, SNIFF_BYTES).includes(0)) {
      return { lines: [], more: false, cut: false, binary: true };
    }
    read += chunk.length;
    collector.add(decoder.decode(chunk, { stream: true }));
    if (collector.full) break;
  }
  if (!collector.full) {
    collector.add(decoder.decode());
    collector.finish();
  }
  const stopped = read >= window.maxBytes && read < size;
  return { lines: collector.lines, more: collector.full || stopped, cut: collector.cut, binary: false };
}

/** The beginning of the file as text; `null` when it is binary. Contract: throws the signal's reason. */
export async function readStart(
  handle: FileHandle,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly bytes: number } | null> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of chunksOf(handle, maxBytes, signal)) {
    if (bytes === 0 && chunk.subarray(0, SNIFF_BYTES).includes(0)) return null;
    bytes += chunk.length;
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), bytes };
}
