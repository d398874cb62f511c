// The words for what becomes of an API key, and what is kept of it between two runs of the server. No secret is in it:
// a key is known by its fingerprint.

import { z } from "zod";

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
const keyRecord = z.object({
  schema: z.literal(KEY_RECORD_SCHEMA),
  provider: z.string(),
  fingerprint: z.string(),
  /** The model that it holds for; `null` for the whole key. */
  model: z.string().nullable(),
  state: z.enum(KEY_WORDS),
  /** Wall-clock milliseconds; `null` when no time mends it. */
  until: z.number().nullable(),
  /** The server named the time. */
  told: z.boolean(),
  reason: z.string(),
  strikes: z.number(),
  /** Wall-clock milliseconds. */
  updatedAt: z.number(),
});
export type KeyRecord = Readonly<z.infer<typeof keyRecord>>;

/** The records that were kept, as far as they are such: what another version wrote, or nobody, is left out. */
export function keyRecordsOf(kept: unknown): readonly KeyRecord[] {
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((each: unknown) => {
    const { data } = keyRecord.safeParse(each);
    return data === undefined ? [] : [data];
  });
}
