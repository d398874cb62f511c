// Identity and randomness are parameters. Ids are random (128 bits) and never carry an order (design.md §10.6).

import { hash } from "node:crypto";

/** Where random bytes come from; tests and simulations pass a seeded one. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Cryptographic randomness of the runtime. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/** A repeatable source (mulberry32, public domain, Tommy Ettinger 2017); for tests and simulations only. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal of the bytes. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

export type IdPrefix = "task" | "ses" | "steer" | "msg" | "lease" | "req" | "box" | "call" | "tok";

/** A new id: the prefix, an underscore and 128 random bits in hexadecimal. */
export function newId(prefix: IdPrefix, random: Random = systemRandom): string {
  return `${prefix}_${toHex(random.bytes(16))}`;
}

/** An id derived from a text (SHA-256, first 128 bits): the same text gives the same id, on every machine. */
export function derivedId(prefix: IdPrefix, text: string): string {
  return `${prefix}_${sha256(text).slice(0, 32)}`;
}

/**
 * SHA-256 of the UTF-8 text, in hexadecimal.
 * Not Web Crypto: its digest waits for a thread of the runtime, which no virtual clock can wait for.
 */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}
