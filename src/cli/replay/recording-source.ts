// A recording as what `top` shows: its tasks at one event, and the way to the others.

import type { TreeNode } from "../../core/api.ts";
import type { Liveness } from "../top/frame.ts";
import type { TopSource } from "../top/top-view.ts";
import { eventText } from "../task-lines.ts";
import { shortId } from "../connection.ts";
import type { RecordingApi } from "./recording-api.ts";

export class RecordingSource implements TopSource {
  readonly gpus = [];
  readonly providers = [];
  readonly status = null;
  readonly #api: RecordingApi;
  #nodes: readonly TreeNode[];

  constructor(api: RecordingApi) {
    this.#api = api;
    this.#nodes = api.trees();
  }

  get nodes(): readonly TreeNode[] {
    return this.#nodes;
  }

  get liveness(): Liveness {
    const { at, recording } = this.#api;
    const event = recording.events[at - 1];
    const what = event === undefined ? "before anything had happened" : (eventText(event) ?? event.type);
    return {
      kind: "recording",
      at,
      of: recording.events.length,
      time: event?.time ?? recording.events[0]?.time ?? recording.madeAt,
      what: event === undefined ? what : `${shortId(event.taskId)} ${what}`,
    };
  }

  /** A recording does not change. */
  lookSoon(): void {}

  step(by: number | "first" | "last"): void {
    const { at, recording } = this.#api;
    this.#api.standAt(by === "first" ? 0 : by === "last" ? recording.events.length : at + by);
    this.#nodes = this.#api.trees();
  }
}
