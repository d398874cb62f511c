// The words for what becomes of an API key, and what is kept of it between two runs of the server. No secret is in it:
// a key is known by its fingerprint.

/**
 * ready: may be used · throttled: has to wait · probing: one request decides whether it is whole again · exhausted: its
 * money or quota is used up · suspect: refused once · dead: refused for good · disabled: switched off by a person.
 */
export const KEY_WORDS = [
  "ready",
  "throttled",
  "probing",
  "exhausted",
  "suspect",
  "dead",
  "disabled",
] as const;
export type KeyWord = (typeof KEY_WORDS)[number];

/** How the next key is chosen among those that may be used. */
export const KEY_STRATEGIES = [
  "least_in_flight",
  "fill_first",
  "round_robin",
  "weighted",
  "headroom",
] as const;
export type KeyStrategy = (typeof KEY_STRATEGIES)[number];

export const KEY_RECORD_SCHEMA = 1;

/** What the store keeps of one key, or of one model under it. */
export interface KeyRecord {
  readonly schema: number;
  readonly provider: string;
  readonly fingerprint: string;
  /** The model that it holds for; `null` for the whole key. */
  readonly model: string | null;
  readonly state: KeyWord;
  /** Wall-clock milliseconds; `null` when no time mends it. */
  readonly until: number | null;
  /** The server named the time. */
  readonly told: boolean;
  readonly reason: string;
  readonly strikes: number;
  readonly updatedAt: number;
}
