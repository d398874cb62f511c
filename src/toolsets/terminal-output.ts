// What a command wrote, as far as a model is to see it: its beginning and its end, as plain text.
//
// U1. Memory is bounded by the cap, however much is written.
// U2. No character is cut in two, and nothing of it moves a cursor, colours a line or rings a bell.

/** The share of the cap that the beginning gets; an error usually stands at the end. */
const HEAD_SHARE = 0.25;

export interface TakenOutput {
  readonly text: string;
  /** Bytes between beginning and end were left out. */
  readonly truncated: boolean;
}

export class CappedOutput {
  readonly #head: Uint8Array;
  readonly #tail: Uint8Array;
  #headLength = 0;
  /** Where the next byte of the ring goes. */
  #at = 0;
  #total = 0;

  /** `maxBytes` is the cap of what is kept. */
  constructor(maxBytes: number) {
    const head = Math.floor(maxBytes * HEAD_SHARE);
    this.#head = new Uint8Array(head);
    this.#tail = new Uint8Array(maxBytes - head);
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#total;
  }

  write(bytes: Uint8Array): void {
    this.#total += bytes.length;
    const first = bytes.subarray(0, this.#head.length - this.#headLength);
    this.#head.set(first, this.#headLength);
    this.#headLength += first.length;
    // Only the last ring's length of it can stay.
    const rest = bytes.subarray(Math.max(first.length, bytes.length - this.#tail.length));
    this.#at = (this.#at + Math.max(0, bytes.length - first.length - rest.length)) % this.#tail.length;
    const before = Math.min(rest.length, this.#tail.length - this.#at);
    this.#tail.set(rest.subarray(0, before), this.#at);
    this.#tail.set(rest.subarray(before), 0);
    this.#at = (this.#at + rest.length) % this.#tail.length;
  }

  /** What was written since the last time; begins anew. */
  take(): TakenOutput {
    const behind = this.#total - this.#headLength;
    const cut = behind - this.#tail.length;
    const head = this.#head.subarray(0, this.#headLength);
    const tail = this.#lastBytes(Math.min(behind, this.#tail.length));
    const text =
      cut <= 0
        ? decoded(joinedBytes(head, tail))
        : `${decoded(withoutBrokenEnd(head))}\n… [${cut} bytes left out] …\n${decoded(withoutBrokenStart(tail))}`;
    this.#headLength = 0;
    this.#at = 0;
    this.#total = 0;
    return { text: plainText(text), truncated: cut > 0 };
  }

  #lastBytes(count: number): Uint8Array {
    const start = (this.#at - count + this.#tail.length) % this.#tail.length;
    const end = this.#tail.subarray(start, Math.min(start + count, this.#tail.length));
    return joinedBytes(end, this.#tail.subarray(0, count - end.length));
  }
}

/** Both, one after the other, in bytes of their own. */
export function joinedBytes(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

function withoutBrokenStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}

function withoutBrokenEnd(bytes: Uint8Array): Uint8Array {
  let start = bytes.length - 1;
  while (start > 0 && bytes.length - start < 4 && isContinuation(bytes[start])) start -= 1;
  const first = bytes[start] ?? 0;
  const wanted = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - start < wanted ? bytes.subarray(0, start) : bytes;
}

/* oxlint-disable no-control-regex -- control characters are what is looked for */
/** Commands to a terminal: strings with an end of their own (OSC, DCS, titles), then sequences, then single ones. */
const STRINGS = /(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)?/g;
const SEQUENCES = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?/g;
const SINGLES = /\x1b[ -/]*[0-~]?/g;
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** Keeps U2. Contract: pure. */
export function plainText(text: string): string {
  return text
    .replace(STRINGS, "")
    .replace(SEQUENCES, "")
    .replace(SINGLES, "")
    .split("\n")
    .map(lastWritten)
    .join("\n")
    .replace(CONTROLS, "");
}
/* oxlint-enable no-control-regex */

/** Of a line that was written over, what stood there last. */
function lastWritten(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end -= 1;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}
