// What happened in the last few milliseconds, encoded once for all who watch: most get the same text, and who watches
// the deltas of some tasks gets a text of its own.
//
// B1. Frames of a task keep their order; deltas of one task and channel that nothing of that task stands between
//     become one.
// B2. Every frame of the window but a delta is in every batch that begins before it.

import type { EventFrame } from "../core/event.ts";
import { toWire } from "../core/wire.ts";

type Delta = Extract<EventFrame, { kind: "delta" }>;

interface Encoded {
  readonly taskId: string | null;
  /** `null` for what is no event. */
  readonly cursor: number | null;
  readonly text: string;
}

interface Joined {
  readonly delta: Delta;
  text: string;
}

/** Whose part of a window is asked for. */
export interface Part {
  /** Frames before this one are left out. */
  readonly from: number;
  /** Events up to this cursor are left out. */
  readonly after: number;
  /** Tasks whose deltas are in it. */
  readonly wanted: { has(taskId: string): boolean };
}

/** A frame in the wire's words. */
export function encodeFrame(frame: EventFrame): string {
  if (frame.kind === "event") return `{"kind":"event","event":${JSON.stringify(toWire(frame.event))}}`;
  return JSON.stringify(toWire(frame));
}

/** Frames as one message. */
export function batchOf(frames: readonly string[]): string {
  return `[${frames.join(",")}]`;
}

export class FrameWindow {
  /** The newest cursor before it. */
  readonly after: number;
  readonly #frames: (Encoded | Delta)[] = [];
  #shared: string | null = null;
  /** Characters in it, which is about bytes. */
  chars = 0;

  constructor(after: number) {
    this.after = after;
  }

  get size(): number {
    return this.#frames.length;
  }

  add(frame: EventFrame): void {
    this.#shared = null;
    if (frame.kind === "delta") {
      this.#frames.push(frame);
      this.chars += frame.text.length;
      return;
    }
    const text = encodeFrame(frame);
    const event = frame.kind === "event" ? frame.event : null;
    this.#frames.push({ taskId: event?.taskId ?? null, cursor: event?.cursor ?? null, text });
    this.chars += text.length;
  }

  /** What everybody gets who has been there since it began and wants no deltas; `null` when that is nothing. */
  shared(): string | null {
    this.#shared ??= batchOf(this.#frames.flatMap((each) => (isDelta(each) ? [] : [each.text])));
    return this.#shared === "[]" ? null : this.#shared;
  }

  /** That part of it as one message; `null` when it is empty. */
  batch({ from, after, wanted }: Part): string | null {
    const frames: (string | Joined)[] = [];
    const open = new Map<string, Joined>();
    for (const each of this.#frames.slice(from)) {
      if (!isDelta(each)) {
        if (each.cursor !== null && each.cursor <= after) continue;
        if (each.taskId !== null) open.delete(each.taskId);
        frames.push(each.text);
      } else if (wanted.has(each.taskId)) {
        const before = open.get(each.taskId);
        if (before?.delta.channel === each.channel) before.text += each.text;
        else {
          const begun = { delta: each, text: each.text };
          open.set(each.taskId, begun);
          frames.push(begun);
        }
      }
    }
    return frames.length === 0 ? null : batchOf(frames.map(textOf));
  }
}

function textOf(frame: string | Joined): string {
  return typeof frame === "string" ? frame : encodeFrame({ ...frame.delta, text: frame.text });
}

function isDelta(frame: Encoded | Delta): frame is Delta {
  return "kind" in frame;
}
