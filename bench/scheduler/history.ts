// What happened in one run, as it was seen from outside of the contender: when each task came, began and ended, and
// every generation that was sent to the server. All metrics and checks are computed from this alone.

import type { GenerationFigures } from "./model-server.ts";

export type Outcome = "done" | "cancelled";

/** Times are milliseconds of the run's clock; `null` is never. */
export interface TaskRecord {
  readonly taskId: string;
  readonly rootId: string;
  readonly kind: "task" | "question";
  readonly spawnedAt: number;
  /** When the first generation had its slot on the server. */
  startedAt: number | null;
  endedAt: number | null;
  outcome: Outcome | null;
  /** Times that it ended; 1 for an exact run. */
  ends: number;
  /** Turns completed and turns planned; a task that is done has completed all. */
  turns: number;
  readonly planned: number;
}

export interface AttemptRecord {
  readonly taskId: string;
  readonly kind: "task" | "question";
  readonly model: string;
  /** The turn's place in its conversation, from 0. */
  readonly turn: number;
  /** When the turn was ready to be generated; the same for each attempt of a turn. */
  readonly readyAt: number;
  readonly sentAt: number;
  firstTokenAt: number | null;
  endedAt: number | null;
  outcome: "ok" | "busy" | "aborted" | "error" | null;
  figures: GenerationFigures | null;
}

export class History {
  readonly tasks = new Map<string, TaskRecord>();
  readonly attempts: AttemptRecord[] = [];

  spawned(record: Omit<TaskRecord, "startedAt" | "endedAt" | "outcome" | "ends" | "turns">): TaskRecord {
    const task = { ...record, startedAt: null, endedAt: null, outcome: null, ends: 0, turns: 0 };
    this.tasks.set(record.taskId, task);
    return task;
  }

  sent(record: Omit<AttemptRecord, "firstTokenAt" | "endedAt" | "outcome" | "figures">): AttemptRecord {
    const attempt = {
      ...record,
      firstTokenAt: null,
      endedAt: null,
      outcome: null,
      figures: null,
    };
    this.attempts.push(attempt);
    return attempt;
  }
}
