// What is recorded of the demo: types alone.

import type { Phase, State } from "../core/lifecycle.ts";

/** One entry of the conversation as it is shown. */
export interface Entry {
  readonly who: "person" | "parent" | "note" | "crash";
  readonly text: string;
  /** False while it is being written. */
  readonly done: boolean;
  /** Whether the tree has changed with it. */
  readonly tree: boolean;
}

export interface Message {
  readonly id: string;
  readonly text: string;
  readonly sentAt: number;
  /** Children that had not ended when it was sent, and when it was answered. */
  readonly aliveWhenSent: number;
  readonly aliveWhenAnswered: number | null;
  /** The turn that took it. */
  readonly turn: number | null;
  readonly submittedAt: number | null;
  readonly firstTokenAt: number | null;
  readonly answeredAt: number | null;
  readonly answer: string | null;
}

/** A call that delegates, steers, checks or cancels: by the parent's model, or over the API. */
export interface Call {
  readonly name: string;
  readonly ms: number;
  readonly failed: boolean;
}

export interface Wait {
  readonly taskId: string;
  readonly for: "slot" | "place";
  readonly ms: number;
}

export interface Child {
  readonly taskId: string;
  readonly goal: string;
  readonly spawnedAt: number;
  readonly state: State;
  readonly phase: Phase | null;
  readonly turn: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Steers by id, in order. */
  readonly steers: ReadonlyMap<string, { readonly state: string; readonly turn: number | null }>;
  /** Where it was when its cancel came. */
  readonly cancelledFrom: {
    readonly state: State;
    readonly phase: Phase | null;
    readonly time: number;
  } | null;
  /** Its end has reached the parent. */
  readonly returned: boolean;
}
