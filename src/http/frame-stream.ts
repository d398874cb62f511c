// One reader's event stream on the server: frames of the API become server-sent events, pulled only as fast as the
// reader takes them. It invents nothing: gaps are what the API says was dropped.
//
// F1. Memory per reader is bounded: BUFFER_BYTES here, one frame in flight, and what the API itself bounds.
// F2. Something is sent at least every `keepAliveMs` while the reader takes it.
// F3. A reader that takes nothing for `stallMs` while frames wait is let go; it resumes by its last id.
// F4. `release` is called exactly once, however the stream ends.

import { toTroupeError } from "../base/errors.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { EventFrame } from "../core/event.ts";
import { toWire } from "../core/wire.ts";
import { toProblem } from "./problem.ts";
import { formatComment, formatMessage } from "./sse.ts";

export const KEEP_ALIVE_MS = 15_000;
const STALL_MS = 60_000;
const BUFFER_BYTES = 65_536;

export interface FrameStreamOptions {
  readonly frames: AsyncIterable<EventFrame>;
  readonly clock: Clock;
  readonly requestId: string;
  /** Ends the frames and gives back what the stream held. */
  readonly release: () => void;
}

/** The body of the response. */
export function frameStream(options: FrameStreamOptions): ReadableStream<Uint8Array> {
  const source = new FrameSource(options);
  return new ReadableStream<Uint8Array>(
    source,
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
  );
}

/** The text of one frame. Only events carry an id: deltas and gaps are no position to resume from. */
export function formatFrame(frame: EventFrame): string {
  if (frame.kind === "event") {
    const data = JSON.stringify(toWire(frame.event));
    return formatMessage({ id: String(frame.event.cursor), event: frame.event.type, data });
  }
  const { kind, ...rest } = frame;
  return formatMessage({ event: kind, data: JSON.stringify(toWire(rest)) });
}

class FrameSource {
  readonly #frames: AsyncIterator<EventFrame>;
  readonly #clock: Clock;
  readonly #requestId: string;
  readonly #release: () => void;
  readonly #encoder = new TextEncoder();
  /** Kept across keep-alives: an iterator must not be asked twice for one frame. */
  #next: Promise<IteratorResult<EventFrame>> | undefined;
  #stall: Timer | undefined;
  #idle: Timer | undefined;
  #ended = false;

  constructor(options: FrameStreamOptions) {
    this.#frames = options.frames[Symbol.asyncIterator]();
    this.#clock = options.clock;
    this.#requestId = options.requestId;
    this.#release = options.release;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    // Sent at once, so that the reader has its headers before anything happens.
    this.#send(controller, formatComment("connected"));
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#stall?.cancel();
    try {
      this.#next ??= this.#frames.next();
      const result = await this.#orIdle(this.#next);
      if (this.#ended) return;
      if (result === "idle") return this.#send(controller, formatComment("keep-alive"));
      this.#next = undefined;
      if (!result.done) return this.#send(controller, formatFrame(result.value));
      this.#send(controller, formatMessage({ event: "end", data: "{}" }));
    } catch (error) {
      if (this.#ended) return;
      const problem = toProblem(toTroupeError(error), this.#requestId);
      this.#send(controller, formatMessage({ event: "error", data: JSON.stringify(problem) }));
    }
    this.#end();
    controller.close();
  }

  cancel(): void {
    this.#end();
  }

  #send(controller: ReadableStreamDefaultController<Uint8Array>, text: string): void {
    controller.enqueue(this.#encoder.encode(text));
    if ((controller.desiredSize ?? 0) > 0) return;
    this.#stall = this.#clock.after(STALL_MS, () => {
      // Closed, not failed: what is buffered may still be read, then the reader resumes (F3).
      this.#end();
      controller.close();
    });
  }

  #orIdle(next: Promise<IteratorResult<EventFrame>>): Promise<IteratorResult<EventFrame> | "idle"> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(KEEP_ALIVE_MS, () => resolve("idle"));
      this.#idle = timer;
      next.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stall?.cancel();
    this.#idle?.cancel();
    this.#release();
    // Not awaited: a generator that waits for its next frame returns only once that wait is over.
    this.#frames.return?.().catch(() => {});
  }
}
