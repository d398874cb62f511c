// One task's writes to the store: serialised, merged while one is on its way, fenced by the claim.
// J1. Commits of a task never overlap, and each carries the sequence that the one before left.
// J2. What was staged before `flush` is in the commit that `flush` waits for, or an error is thrown.
// J3. After a failed commit nothing is written any more: another owner has the task, or the store is gone.

import { toTroupeError, type TroupeError } from "../base/errors.ts";
import type { NewEvent } from "../core/event.ts";
import type { Claim, CommitWrite, Store } from "../store/store.ts";
import type { TaskRecord } from "../core/task.ts";

export interface JournalOptions {
  readonly store: Store;
  readonly claim: Claim;
  /** Called once, when a commit was refused or failed. */
  readonly onBroken: (error: TroupeError) => void;
}

export class Journal {
  readonly #store: Store;
  readonly #claim: Claim;
  readonly #onBroken: (error: TroupeError) => void;
  #record: TaskRecord;
  #seq: number;
  #lastIndex = 0;
  #staged: CommitWrite | null = null;
  #running: Promise<void> | null = null;
  #broken: TroupeError | null = null;

  constructor(options: JournalOptions) {
    this.#store = options.store;
    this.#claim = options.claim;
    this.#onBroken = options.onBroken;
    this.#record = options.claim.record;
    this.#seq = options.claim.seq;
  }

  /** The record as the last acknowledged commit left it. */
  get record(): TaskRecord {
    return this.#record;
  }

  /** Index of the last transcript row, 0 when the task has none. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  get broken(): TroupeError | null {
    return this.#broken;
  }

  /** Adds to the next commit; nothing is written yet. */
  stage(write: CommitWrite): void {
    this.#staged = this.#staged === null ? write : merge(this.#staged, write);
  }

  event(...events: readonly NewEvent[]): void {
    this.stage({ events });
  }

  /** Writes what is staged; resolves when it and all before it is acknowledged. Throws the StoreError otherwise. */
  async flush(): Promise<void> {
    if (this.#broken) throw this.#broken;
    this.#running ??= this.#drain();
    return this.#running;
  }

  async #drain(): Promise<void> {
    // One microtask, so that everything staged in the same step goes into one commit.
    await Promise.resolve();
    try {
      while (this.#staged) {
        const write = this.#staged;
        this.#staged = null;
        const receipt = await this.#store.commit(this.#claim, this.#seq, write);
        this.#seq = receipt.seq;
        this.#lastIndex = receipt.lastIndex;
        this.#record = applied(this.#record, write, receipt.seq);
      }
    } catch (thrown) {
      this.#broken = toTroupeError(thrown);
      this.#onBroken(this.#broken);
      throw this.#broken;
    } finally {
      this.#running = null;
    }
  }
}

/** Two writes as one: lists joined, the later value of the rest. */
function merge(first: CommitWrite, second: CommitWrite): CommitWrite {
  return {
    ...first,
    ...second,
    ...joined("events", first, second),
    ...joined("messages", first, second),
    ...joined("outbox", first, second),
  };
}

function joined<K extends "events" | "messages" | "outbox">(
  key: K,
  first: CommitWrite,
  second: CommitWrite,
): CommitWrite {
  const a = first[key] ?? [];
  const b = second[key] ?? [];
  return a.length + b.length === 0 ? {} : { [key]: [...a, ...b] };
}

/** The record after an acknowledged write, as the store has it now. */
function applied(record: TaskRecord, write: CommitWrite, seq: number): TaskRecord {
  return {
    ...record,
    seq,
    state: write.terminal?.state ?? write.state ?? record.state,
    phase: write.terminal ? null : write.phase === undefined ? record.phase : write.phase,
    run: write.run ?? record.run,
    turn: write.turn ?? record.turn,
    usage: write.usage ?? record.usage,
    progress: write.progress ?? record.progress,
    startedAt: write.startedAt ?? record.startedAt,
    releasedAt: write.releasedAt ?? record.releasedAt,
    end: write.terminal ?? record.end,
  };
}
