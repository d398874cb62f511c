// One task watched closely: everything of it, and what it writes as it comes. Made for what is on screen alone.
//
// W1. What the box had kept of its output is shown until something streams; from then on it stays as it was, and what
//     streams stands under it.
// W2. What is kept is bounded, whatever a model writes.

import { linkedAbort } from "../../base/abort.ts";
import { delay, type Clock } from "../../base/clock.ts";
import { toTroupeError } from "../../base/errors.ts";
import type { TaskView, TroupeApi } from "../../core/api.ts";
import { RING_LINE_CHARS } from "../../core/limits.ts";
import { eventText, timeOfDay } from "../task-lines.ts";

export interface TaskWatchOptions {
  readonly api: Pick<TroupeApi, "check" | "events">;
  readonly clock: Clock;
  readonly taskId: string;
  readonly onChange: () => void;
}

/** Lines kept (W2). */
const MOST_KEPT = 2_000;
/** How often it is asked for where nothing happens to it. */
const CHECK_MS = 1_000;

export class TaskWatch {
  readonly taskId: string;
  readonly #options: TaskWatchOptions;
  readonly #link = linkedAbort();
  #view: TaskView | null = null;
  #trouble: string | null = null;
  /** What the box had of it when it was opened. */
  #before: readonly string[] = [];
  readonly #streamed: string[] = [];
  #open = "";

  constructor(options: TaskWatchOptions) {
    this.taskId = options.taskId;
    this.#options = options;
    void this.#check();
    void this.#stream();
  }

  /** `null` before the first answer. */
  get view(): TaskView | null {
    return this.#view;
  }

  /** Why it is not known; `null` while it is. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** The lines written so far, oldest first. */
  get output(): readonly string[] {
    const open = this.#open === "" ? [] : [this.#open];
    return [...this.#before, ...this.#streamed, ...open];
  }

  close(): void {
    this.#link.abort("closed");
    this.#link.release();
  }

  async #check(): Promise<void> {
    const { api, clock, taskId, onChange } = this.#options;
    const { signal } = this.#link;
    while (!signal.aborted) {
      try {
        const view = await api.check(taskId);
        // Keeps W1.
        if (this.#streamed.length === 0 && this.#open === "") this.#before = view.tail;
        this.#view = view;
        this.#trouble = null;
      } catch (thrown) {
        this.#trouble = toTroupeError(thrown).message;
      }
      if (!signal.aborted) onChange();
      await delay(clock, CHECK_MS, signal).catch(() => {});
    }
  }

  async #stream(): Promise<void> {
    const { api, taskId, onChange } = this.#options;
    const { signal } = this.#link;
    try {
      for await (const frame of api.events({ taskId, deltas: true, signal })) {
        if (frame.kind === "delta") {
          if (frame.channel === "text") this.#write(frame.text);
        } else if (frame.kind === "event") {
          const text = eventText(frame.event);
          if (text !== null) this.#line(`· ${timeOfDay(frame.event.time)} ${text}`);
        } else if (frame.after > 0) this.#line("· Some of what happened was missed.");
        onChange();
      }
    } catch {
      // `check` says what is wrong.
    }
  }

  #write(text: string): void {
    const lines = `${this.#open}${text}`.split("\n");
    this.#open = "";
    lines.forEach((line, index) => {
      let rest = line;
      // A line that never ends is many.
      for (; rest.length > RING_LINE_CHARS; rest = rest.slice(RING_LINE_CHARS))
        this.#keep(rest.slice(0, RING_LINE_CHARS));
      if (index < lines.length - 1) this.#keep(rest);
      else this.#open = rest;
    });
  }

  /** What happened stands on a line of its own. */
  #line(text: string): void {
    if (this.#open !== "") this.#keep(this.#open);
    this.#open = "";
    this.#keep(text);
  }

  #keep(line: string): void {
    this.#streamed.push(line);
    if (this.#streamed.length > MOST_KEPT) this.#streamed.splice(0, this.#streamed.length - MOST_KEPT);
  }
}
