// One task's writes to the store: serialised, merged while one is on its way, fenced by the claim.
// J1. Commits of a task never overlap, and each carries the sequence that the one before left.
// J2. What was staged before `flush` is in the commit that `flush` waits for, or an error is thrown.
// J3. After a failed commit nothing is written any more: another owner has the task, or the store is gone.
// J4. What is staged after the end is dropped: mail and cancels may come while the end is on its way to the store.

import { StoreError, toTroupeError, type TroupeError } from "../base/errors.ts";
import type { NewEvent } from "../core/event.ts";
import type { Claim, CommitReceipt, CommitWrite, Store } from "../store/store.ts";
import type { TaskRecord } from "../core/task.ts";
import type { StorePatience } from "./store-patience.ts";

export interface JournalOptions {
  readonly store: Store;
  readonly patience: StorePatience;
  readonly claim: Claim;
  /** Called once, when a commit was refused or failed. */
  readonly onBroken: (error: TroupeError) => void;
}

export class Journal {
  readonly #store: Store;
  readonly #patience: StorePatience;
  /** Not the whole claim: its record would be kept as long as the task lives. */
  readonly #claim: Pick<Claim, "taskId" | "epoch">;
  readonly #onBroken: (error: TroupeError) => void;
  #record: TaskRecord;
  #seq: number;
  #lastIndex = 0;
  #staged: Draft | null = null;
  #ended = false;
  #running: Promise<void> | null = null;
  #broken: TroupeError | null = null;

  constructor(options: JournalOptions) {
    this.#store = options.store;
    this.#patience = options.patience;
    this.#claim = { taskId: options.claim.taskId, epoch: options.claim.epoch };
    this.#onBroken = options.onBroken;
    this.#record = options.claim.record;
    this.#seq = options.claim.seq;
    this.#lastIndex = options.claim.resume?.lastIndex ?? 0;
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

  /** Adds to the next commit; nothing is written yet, and nothing is added after the end (J4). */
  stage(write: CommitWrite): void {
    if (this.#ended) return;
    this.#ended = write.terminal !== undefined;
    if (this.#staged === null) this.#staged = { ...write };
    else join(this.#staged, write);
  }

  event(...events: readonly NewEvent[]): void {
    this.stage({ events });
  }

  /** Writes what is staged; resolves when it and all before it is acknowledged. Throws the StoreError otherwise. */
  flush(): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken);
    if (!this.#running && !this.#staged) return NOTHING_STAGED;
    return (this.#running ??= this.#drain());
  }

  /** Writes nothing more: another owner has the task, or its mail cannot be read. Tells `onBroken`, once. */
  break(error: TroupeError): void {
    if (this.#broken) return;
    this.#broken = error;
    this.#onBroken(error);
  }

  /** Writes nothing more, and nobody is told: the runtime closes and others go on from what is in the store. */
  close(): void {
    this.#broken ??= new StoreError("closed", "The runtime is closed. Start it again to go on.");
  }

  async #drain(): Promise<void> {
    // One microtask, so that everything staged in the same step goes into one commit.
    await Promise.resolve();
    try {
      while (this.#staged && !this.#broken) {
        const write = this.#staged;
        this.#staged = null;
        const receipt = await this.#commit(write);
        this.#seq = receipt.seq;
        this.#lastIndex = receipt.lastIndex;
        this.#record = applied(this.#record, write, receipt.seq);
      }
    } catch (thrown) {
      this.break(toTroupeError(thrown));
    } finally {
      this.#running = null;
    }
    if (this.#broken) throw this.#broken;
  }

  /** Tried here first: every turn waits for its commit, and few ever need patience. */
  async #commit(write: CommitWrite): Promise<Pick<CommitReceipt, "seq" | "lastIndex">> {
    try {
      return await this.#store.commit(this.#claim, this.#seq, write);
    } catch (thrown) {
      return this.#again(write, thrown);
    }
  }

  async #again(write: CommitWrite, first: unknown): Promise<Pick<CommitReceipt, "seq" | "lastIndex">> {
    const { taskId, epoch } = this.#claim;
    try {
      return await this.#patience.again(first, "commit", () =>
        this.#store.commit(this.#claim, this.#seq, write),
      );
    } catch (thrown) {
      // A try that failed may have been written all the same. By J1 nobody else writes with this epoch.
      const seq = this.#seq + (write.events?.length ?? 0);
      if (!(thrown instanceof StoreError) || !["sequence", "ended"].includes(thrown.code)) throw thrown;
      const record = await this.#patience.call("get", () => this.#store.get(taskId));
      if (record?.epoch !== epoch || record.seq !== seq) throw thrown;
      return { seq, lastIndex: this.#lastIndex + (write.messages?.length ?? 0) };
    }
  }
}

/** What waits for the next commit; it grows in place, since most commits are staged in several parts. */
type Draft = { -readonly [K in keyof CommitWrite]: CommitWrite[K] };

/** Adds a write to a draft: lists joined, the later value of the rest. */
function join(draft: Draft, write: CommitWrite): void {
  const { events, messages, outbox } = draft;
  Object.assign(draft, write);
  // An end stands for whatever state was staged before it: a store refuses a write that says both.
  if (write.terminal) Object.assign(draft, { state: write.terminal.state, phase: null });
  if (events && write.events) draft.events = [...events, ...write.events];
  if (messages && write.messages) draft.messages = [...messages, ...write.messages];
  if (outbox && write.outbox) draft.outbox = [...outbox, ...write.outbox];
}

const NOTHING_STAGED: Promise<void> = Promise.resolve();

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
