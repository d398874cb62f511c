// What the shell inside says of itself, in the middle of what its commands write: marks that begin with a word of chance
// which the session alone knows. They travel in the same pipe as the output, so that they come in order with it.
// A command that finds the word out can lie about its own exit code, and about nothing else.
//
// A1. No byte of output is lost or doubled, however the pieces are cut; a mark is never shown.
// A2. At most one mark's length is held back.

import { joinedBytes } from "./terminal-output.ts";

/** A mark: what it is, and what it says. */
export interface Mark {
  readonly kind: string;
  readonly fields: readonly string[];
}

export interface MarkedTakers {
  readonly output: (bytes: Uint8Array) => void;
  readonly mark: (mark: Mark) => void;
}

const RECORD_SEPARATOR = 0x1e;
/** A folder's path has at most 4,096 bytes. */
const MAX_MARK_BYTES = 8_192;
const FIELD_SEPARATOR = "\x1f";

/** Takes one stream apart. */
export class MarkedStream {
  readonly #prefix: Uint8Array;
  readonly #takers: MarkedTakers;
  #held: Uint8Array = new Uint8Array(0);

  constructor(word: string, takers: MarkedTakers) {
    this.#prefix = new TextEncoder().encode(`\x1e${word}${FIELD_SEPARATOR}`);
    this.#takers = takers;
  }

  write(bytes: Uint8Array): void {
    let rest = this.#held.length === 0 ? bytes : joinedBytes(this.#held, bytes);
    this.#held = new Uint8Array(0);
    while (rest.length > 0) {
      const start = this.#startIn(rest);
      if (start > 0) this.#takers.output(rest.subarray(0, start));
      rest = rest.subarray(start);
      if (rest.length === 0) return;
      const end = rest.indexOf(RECORD_SEPARATOR, this.#prefix.length);
      if (end < 0 && rest.length < MAX_MARK_BYTES) {
        this.#held = rest.slice();
        return;
      }
      // Longer than any mark: a command has written the beginning of one.
      if (end < 0) {
        this.#takers.output(rest.subarray(0, 1));
        rest = rest.subarray(1);
        continue;
      }
      this.#tell(rest.subarray(this.#prefix.length, end));
      rest = rest.subarray(end + 1);
    }
  }

  /** Where a mark, or what may become one, begins; the length where none does. */
  #startIn(bytes: Uint8Array): number {
    for (let at = bytes.indexOf(RECORD_SEPARATOR); at >= 0; at = bytes.indexOf(RECORD_SEPARATOR, at + 1)) {
      if (this.#mayBegin(bytes, at)) return at;
    }
    return bytes.length;
  }

  #mayBegin(bytes: Uint8Array, at: number): boolean {
    const length = Math.min(this.#prefix.length, bytes.length - at);
    for (let index = 0; index < length; index += 1) {
      if (bytes[at + index] !== this.#prefix[index]) return false;
    }
    return true;
  }

  #tell(bytes: Uint8Array): void {
    const [kind = "", ...fields] = new TextDecoder().decode(bytes).split(FIELD_SEPARATOR);
    this.#takers.mark({ kind, fields });
  }
}
