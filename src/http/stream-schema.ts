// What streams and transcripts hold, in the wire's words: events, deltas, gaps and transcript rows.

import { z } from "zod";
import type { EventFrame, StoredEvent } from "../core/event.ts";
import type { TranscriptRow } from "../core/message.ts";
import type { Wire } from "../core/wire.ts";
import { phase, state } from "./view-schema.ts";

const number = z.number().int();

/** `type` and `data` are open here: a later version may add event types, and readers skip what they do not know. */
export const storedEvent = z
  .object({
    store_id: z.string(),
    cursor: number.describe("The `id:` of the frame, and what `Last-Event-ID` resumes after."),
    seq: number.describe("Gapless per task from 1."),
    task_id: z.string(),
    parent_id: z.string().nullable(),
    root_id: z.string(),
    session_id: z.string().nullable(),
    run: number,
    turn: number,
    state,
    phase,
    type: z.string().describe("Past tense, such as `task.spawned`; also the `event:` of the frame."),
    version: number,
    time: number,
    traceparent: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Event" }) satisfies z.ZodType<Omit<Wire<StoredEvent>, "type" | "data">>;

type Frame<K extends EventFrame["kind"]> = Wire<Omit<Extract<EventFrame, { kind: K }>, "kind">>;

export const deltaData = z
  .object({ task_id: z.string(), channel: z.enum(["text", "thinking"]), text: z.string() })
  .meta({ id: "Delta" }) satisfies z.ZodType<Frame<"delta">>;

export const gapData = z.object({ after: number, before: number.nullable() }).meta({
  id: "Gap",
  description: "Events were dropped for this reader: fetch what lies between again.",
}) satisfies z.ZodType<Frame<"gap">>;

/** The JSON of one frame's `data:` line. */
export const frameData = z.union([storedEvent, deltaData, gapData]);

export const eventPage = z
  .object({ items: z.array(storedEvent), next_cursor: z.string().nullable() })
  .meta({ id: "EventPage" });

const part = z.union([
  z.object({ type: z.enum(["text", "thinking"]), text: z.string() }),
  z.object({
    type: z.literal("tool_call"),
    call: z.object({
      id: z.string(),
      name: z.string(),
      arguments: z.unknown(),
      malformed: z.string().exactOptional(),
    }),
  }),
  z.object({
    type: z.literal("tool_result"),
    call_id: z.string(),
    name: z.string(),
    text: z.string(),
    is_error: z.boolean(),
  }),
]);

export const transcriptRow = z
  .object({
    task_id: z.string(),
    index: number,
    seq: number,
    run: number,
    turn: number,
    time: number,
    message: z.object({
      role: z.enum(["system", "user", "assistant", "tool"]),
      origin: z.enum([
        "goal",
        "person",
        "steer",
        "completion",
        "question",
        "model",
        "tool",
        "correction",
        "summary",
      ]),
      parts: z.array(part),
    }),
  })
  .meta({ id: "TranscriptRow" }) satisfies z.ZodType<Wire<TranscriptRow>>;

export const transcriptPage = z
  .object({ items: z.array(transcriptRow), next_cursor: z.string().nullable() })
  .meta({ id: "TranscriptPage" });
