// The words on a WebSocket: what a client may say, the codes a socket is closed with, and the bounds of both.

import { z } from "zod";

/** Milliseconds within which a client has to say who it is. */
export const HELLO_MS = 2_000;
/** Messages a second that a client may send; these are greetings, changes of mind and pings. */
export const MAX_MESSAGES_PER_S = 50;
/** Tasks whose deltas one client may watch. */
export const MAX_WATCHED = 64;
/** A batch goes out so long after its first frame. */
export const BATCH_MS = 25;
/** After so much silence an empty batch is sent: a client that hears nothing for three of these is cut off. */
export const SILENCE_MS = 15_000;
/** Above this a client's deltas are dropped. */
export const SOFT_BYTES = 262_144;
/** Above this the client is sent away, to come back with `after`. */
export const HARD_BYTES = 4_194_304;

export const CLOSE = {
  goingAway: 1001,
  failed: 1011,
  badMessage: 4400,
  noHello: 4401,
  forbidden: 4403,
  tooSlow: 4408,
  tooMany: 4429,
} as const;

const cursor = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const helloMessage = z.object({
  type: z.literal("hello"),
  token: z.string().max(512),
  after: cursor.exactOptional(),
});

export const laterMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("watch"), deltas: z.array(z.string().max(64)).max(MAX_WATCHED) }),
  z.object({ type: z.literal("ping") }),
]);

export type Hello = z.output<typeof helloMessage>;
export type LaterMessage = z.output<typeof laterMessage>;

/** The message as it is meant, or `null` for anything else. */
export function readMessage<S extends z.ZodType>(schema: S, text: string): z.output<S> | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
