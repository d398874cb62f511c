// What is known of the kill: types alone.

import type { StoredEvent } from "../core/event.ts";
import type { TranscriptRow } from "../core/message.ts";

/** What the API said of the tasks, and of the results that were there, at one moment. */
export interface Standing {
  readonly tasks: readonly { readonly taskId: string; readonly goal: string }[];
  /** Of tasks that have ended: the SHA-256 of the answer of `collect`. */
  readonly results: readonly { readonly taskId: string; readonly sha256: string }[];
}

/** What was under way in the last moment. */
export interface UnderWay {
  /** Children that had not ended, and those with a generation in flight, the parent included. */
  readonly atWork: readonly string[];
  readonly generating: readonly string[];
  readonly done: readonly string[];
  /** Accepted, and no model had read it. */
  readonly steer: { readonly steerId: string; readonly taskId: string; readonly state: string };
  /** Of the person, accepted, and without an answer. */
  readonly message: { readonly messageId: string; readonly isAnswered: boolean };
}

export interface Kill {
  readonly pid: number;
  /** Of the server that came after it. */
  readonly nextPid: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** From the kill until the next server served. */
  readonly downMs: number;
  /** From the kill until a model's next token came; `null` when none did. */
  readonly firstTokenMs: number | null;
  readonly underWay: UnderWay;
}

/** Everything that the verdict is made of. */
export interface CrashEvidence {
  readonly sessionId: string;
  readonly durability: string;
  readonly kill: Kill;
  readonly before: Standing;
  /** As soon as the next server served, and at the end. */
  readonly after: Standing;
  readonly end: Standing;
  /** Events as the one stream gave them, across the kill, and as they were read again at the end. */
  readonly streamed: readonly StoredEvent[];
  readonly gaps: number;
  readonly stored: readonly StoredEvent[];
  readonly parentRows: readonly TranscriptRow[];
  /** Of the steered child. */
  readonly steeredRows: readonly TranscriptRow[];
  readonly left: {
    readonly tasks: readonly string[];
    readonly leases: number;
    readonly waiting: number;
    readonly places: number;
  };
}

export interface Fact {
  /** In the present tense. */
  readonly name: string;
  readonly held: boolean;
  /** What was seen, in words or figures. */
  readonly got: string;
}

export interface CrashReport {
  readonly kill: Kill | null;
  readonly durability: string | null;
  readonly tasksBefore: number;
  readonly tasksAfter: number;
  readonly results: readonly {
    readonly taskId: string;
    readonly before: string;
    readonly after: string | null;
  }[];
  readonly facts: readonly Fact[];
}
