// Streams between tasks of one process: a bounded push-to-pull queue, and lines cut from chunks.
// B1. A queue never grows past its bound: what does not fit is dropped oldest first, and the drop is counted.
// B2. After `end` nothing is accepted and the reader finishes with what was queued.

import { TroupeError } from "./errors.ts";

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** A bounded queue that one reader iterates. `push` never blocks and never throws. */
export class PushQueue<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = [];
  readonly #bound: number;
  readonly #onDrop: ((dropped: T) => void) | undefined;
  #waiter: Waiter<T> | undefined;
  #ended = false;
  #error: unknown;

  constructor(bound: number, onDrop?: (dropped: T) => void) {
    this.#bound = bound;
    this.#onDrop = onDrop;
  }

  get size(): number {
    return this.#items.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(item: T): void {
    if (this.#ended) return;
    if (this.#waiter) {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      waiter.resolve({ value: item, done: false });
      return;
    }
    this.#items.push(item);
    if (this.#items.length > this.#bound) this.#onDrop?.(this.#items.shift() as T);
  }

  /** Ends the stream; with an error, the reader gets it after the queued items. Idempotent. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (!waiter) return;
    if (error === undefined) waiter.resolve({ value: undefined, done: true });
    else waiter.reject(error);
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) return Promise.resolve({ value: this.#items.shift() as T, done: false });
    if (this.#ended) {
      const error = this.#error;
      this.#error = undefined;
      return error === undefined
        ? Promise.resolve({ value: undefined, done: true })
        : Promise.reject(error as Error);
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * Cuts decoded text into lines, across chunk borders.
 * Contract: yields each line without its newline (and without a trailing carriage return), the last one too
 * when it is not empty; throws `onTooLong()` when one line passes `maxChars` characters.
 */
export async function* lines(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly maxChars: number; readonly onTooLong: () => TroupeError },
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      parts.push(text.slice(from, at));
      if (length + at - from > options.maxChars) throw options.onTooLong();
      yield parts.join("").replace(/\r$/, "");
      parts = [];
      length = 0;
      from = at + 1;
    }
    if (from < text.length) {
      parts.push(text.slice(from));
      length += text.length - from;
      if (length > options.maxChars) throw options.onTooLong();
    }
  }
  const rest = parts.join("") + decoder.decode();
  if (rest !== "") yield rest;
}
