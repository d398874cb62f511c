// What a host remembers between the steps of its turns: all of it can be read again from the store.

import type { CommitWrite } from "../store/store.ts";
import type { ToolCall } from "../core/message.ts";
import type { Usage } from "../core/limits.ts";
import type { ModelRef, Reroute, TaskFailure, TaskRecord } from "../core/task.ts";
import { RepetitionWatch } from "./tool-runner.ts";

/** Stands for a failure whose cause nobody noted. */
export const UNKNOWN_FAILURE: TaskFailure = { code: "unknown", message: "The try failed.", retryable: false };

/** One for all tasks: an empty set is not small. */
export const NO_CALLS: ReadonlySet<string> = new Set();

const NO_REROUTES: readonly Reroute[] = [];

/** Whether a turn, or a call of it, has come to its end by this; a change of model is not one. */
export function isProgress({ events = [] }: CommitWrite): boolean {
  return events.some(({ type }) => type === "turn.finished" || type === "tool.finished");
}

/** Takes what an effect came to for true, and returns what the store must be told of it. */
export type Outcome = () => CommitWrite;

export class TurnState {
  /** After a restart: reads what stands here from the store. `null` when it is all here. */
  memory: (() => Promise<void>) | null = null;
  /** The last turn and run whose beginning is in the store. */
  begunTurn: number;
  begunRun: number;
  /** The last turn that the machine was shown in. */
  shownTurn: number;
  /** The beginning of a further run, while it is being made. */
  opening: Promise<void> | null = null;
  /** Everything the task has used, staged writes included. */
  usage: Usage;
  /**
   * What the effect that ended last came to, until the machine has heard of it: it is written with the state that
   * follows or not at all, so that no restart finds an answer without its state, or a state without its answer.
   */
  outcome: Outcome | null = null;
  /** Why the last try failed, for the event of the retry. */
  lastFailure: TaskFailure | null = null;
  /** How often the server went away under the generation of a turn. */
  broken: { readonly turn: number; readonly times: number } | null = null;
  /** Calls of the last answer that have no result yet. */
  openCalls: ToolCall[] = [];
  /** Calls whose intent was recorded before a restart: whether they acted is not known. */
  intended: ReadonlySet<string> = NO_CALLS;
  /** The last answer without tool calls: what becomes the result. */
  answer: string | null = null;
  /** Its end is missing: the budget left no room for more. */
  isCutShort = false;
  /** What the generation in flight has written; kept when a person interrupts it. */
  partial = "";
  #repetition: RepetitionWatch | null = null;

  /** The models that it changed to, oldest first. */
  reroutes: readonly Reroute[];
  readonly #began: ModelRef;

  constructor(record: TaskRecord, reroutes: readonly Reroute[] = NO_REROUTES) {
    this.reroutes = reroutes;
    this.#began = record.spec.model;
    this.usage = record.usage;
    this.begunTurn = record.turn;
    this.shownTurn = record.turn;
    this.begunRun = record.startedAt === null ? 0 : record.run;
  }

  /** The model that its turns run on now. */
  get model(): ModelRef {
    return this.reroutes.at(-1)?.to ?? this.#began;
  }

  get repetition(): RepetitionWatch {
    this.#repetition ??= new RepetitionWatch();
    return this.#repetition;
  }

  /** An answer or a person's word ends what was repeated before it. */
  forgetRepetition(): void {
    this.#repetition = null;
  }
}
