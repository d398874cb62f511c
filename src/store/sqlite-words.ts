// The numbers that stand for words in rows. A number is never given to another word; a word without one is written
// as it is, so that a new type of event needs no change here, only more room.

import type { EventType } from "../core/event.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import type { TaskKind } from "../core/task.ts";
import type { InboxMessage } from "./store.ts";

/** A vocabulary: words to what is stored, and back. */
export class Words<W extends string> {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #words: readonly W[];

  /** The place of a word is its number. */
  constructor(words: readonly W[]) {
    this.#words = words;
    this.#numbers = new Map(words.map((word, at) => [word, at]));
  }

  toStored(word: W): number | string {
    return this.#numbers.get(word) ?? word;
  }

  fromStored(stored: number | string): W {
    return typeof stored === "number" ? (this.#words[stored] as W) : (stored as W);
  }
}

/** The ended ones come last: a state from FIRST_ENDED on is an end. */
export const STATE_WORDS = new Words<State>([
  "spawned",
  "running",
  "steering",
  "done",
  "cancelled",
  "failed",
]);
export const FIRST_ENDED = 3;

export const PHASE_WORDS = new Words<Phase>([
  "queued",
  "starting",
  "waiting_slot",
  "generating",
  "calling_tools",
  "waiting_children",
  "waiting_input",
  "backing_off",
]);

export const KIND_WORDS = new Words<TaskKind>(["task", "session"]);

export const MESSAGE_WORDS = new Words<InboxMessage["kind"]>([
  "steer",
  "message",
  "answer",
  "completion",
  "cancel",
  "question",
]);

export const EVENT_WORDS = new Words<EventType>([
  "task.spawned",
  "task.admitted",
  "task.started",
  "task.resumed",
  "task.stalled",
  "task.done",
  "task.failed",
  "task.cancelled",
  "task.released",
  "task.progressed",
  "run.failed",
  "run.started",
  "turn.started",
  "turn.finished",
  "lease.requested",
  "lease.granted",
  "lease.released",
  "generation.preempted",
  "generation.retried",
  "tool.requested",
  "tool.finished",
  "tool.resumed",
  "agent.escalated",
  "tool.suspended",
  "steer.queued",
  "steer.delivered",
  "steer.undelivered",
  "message.received",
  "answer.finished",
  "child.completed",
  "transcript.compacted",
  "cancel.requested",
  "budget.warned",
  "credential.rotated",
]);
