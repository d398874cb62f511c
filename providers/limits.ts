// The deadlines of one request, as limits with a name: the code of the error is the config key without its `_s`.

import { ProviderError } from "../src/base/errors.ts";
import type { Place } from "./failure.ts";

export interface Limit {
  /** Milliseconds from when it is armed; 0 or less means none. */
  readonly ms: number;
  /** What the config says, for the message. */
  readonly told: number;
  readonly code: string;
  readonly awaited: string;
}

export function connection(ms: number): Limit {
  return { ms, told: ms, code: "connect_timeout", awaited: "a connection" };
}

/** `spent` milliseconds of it have passed already; a limit that is left never becomes none. */
export function firstByte(told: number, spent = 0): Limit {
  const ms = told > 0 ? Math.max(1, told - spent) : 0;
  return { ms, told, code: "first_byte_timeout", awaited: "the first byte of an answer" };
}

export function nextChunk(ms: number): Limit {
  return { ms, told: ms, code: "idle_timeout", awaited: "the next chunk" };
}

/** The error of a limit that was reached. */
export function limitReached({ code, told, awaited }: Limit, place: Place): ProviderError {
  const message = `Expected ${awaited} from ${place.where} within ${told} ms, got none. Raise the provider's \`${code}_s\` if the server is only slow. ${place.hint}`;
  return new ProviderError({ kind: "timeout", code }, message);
}
