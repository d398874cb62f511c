// The reference store: everything in memory, lost with the process. It orders the checks and the writes of each
// call; what is decided stands in commit.ts, the rows in the memory-*.ts files beside it. Each call does its work
// before it returns its promise, so no two calls interleave. It arms no timers and reads no wall clock for claims.
//
// M1. A write checks everything first; after its first change nothing throws (D2).
// M2. What is handed out is frozen or a copy; a write replaces records, entries and events, it never changes them.
//     Values that callers hand in (specs, messages, snapshots, data) are kept as they are: both sides treat them
//     as frozen.

import type { Clock } from "../base/clock.ts";
import { toHex, type Random } from "../base/ids.ts";
import type { Page } from "../core/api.ts";
import type { NewEvent, StoredEvent } from "../core/event.ts";
import type { State } from "../core/lifecycle.ts";
import { addUsage, NO_USAGE, type Usage } from "../core/limits.ts";
import type { TranscriptRow } from "../core/message.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import { boxOf, checkCommit, firstRecord, recordAfter } from "./commit.ts";
import type { Meter } from "./memory-bytes.ts";
import { MemoryClaims } from "./memory-claims.ts";
import { EventLog } from "./memory-events.ts";
import { TaskIndex } from "./memory-index.ts";
import { checkOutbox, postMail } from "./memory-outbox.ts";
import { Pruner } from "./memory-prune.ts";
import { MemoryTask } from "./memory-task.ts";
import { WakeList } from "./memory-wakes.ts";
import { rowLimit, rowsAfter } from "./paging.ts";
import { alreadyReleased, badQuery, keyReused, notEnded, storeClosed, taskNotFound } from "./refusals.ts";
import type {
  Claim,
  CommitReceipt,
  CommitWrite,
  InboxEntry,
  InboxMessage,
  PruneQuery,
  PruneReceipt,
  SendReceipt,
  Store,
  StoreListQuery,
  SubmitReceipt,
  TimerRow,
  WatchQuery,
} from "./store.ts";

/** Events kept when the options name no figure: about 60 MB. */
export const DEFAULT_MAX_EVENTS = 200_000;

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** Names the store. */
  readonly random: Random;
  /** Events kept over all tasks, 1 or more; the oldest are dropped first, and `bounds` says so. */
  readonly maxEvents?: number;
}

/**
 * The store in memory.
 * Contract: each call costs the same however many tasks there are, but for a logarithm; `heartbeat` and `release`
 * touch what the owner holds, `treeUsage` and `prune` the trees that they look at. What `prune` calls bytes is about
 * what the rows take, as memory-bytes.ts counts. Every call rejects with StoreError `closed` after `close`.
 * The constructor throws InvalidRequestError `bad_max_events`.
 */
export class MemoryStore implements Store {
  readonly storeId: string;
  readonly durability = "none";
  readonly #clock: Clock;
  readonly #meter: Meter = { bytes: 0 };
  readonly #tasks = new TaskIndex();
  readonly #log: EventLog;
  readonly #pruner: Pruner;
  readonly #claims: MemoryClaims;
  readonly #wakes = new WakeList();
  readonly #boxState = new Map<string, string>();
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    const maxEvents = options.maxEvents ?? DEFAULT_MAX_EVENTS;
    if (!Number.isSafeInteger(maxEvents) || maxEvents < 1) {
      throw badQuery("max_events", "a whole number from 1", maxEvents);
    }
    this.storeId = `store_${toHex(options.random.bytes(16))}`;
    this.#clock = options.clock;
    this.#log = new EventLog(maxEvents);
    this.#claims = new MemoryClaims(options.clock);
    this.#pruner = new Pruner({ tasks: this.#tasks, log: this.#log, meter: this.#meter });
  }

  async submit(spec: TaskSpec, event: NewEvent): Promise<SubmitReceipt> {
    return (await this.submitAll([{ spec, event }]))[0] as SubmitReceipt;
  }

  async submitAll(
    tasks: readonly { readonly spec: TaskSpec; readonly event: NewEvent }[],
  ): Promise<readonly SubmitReceipt[]> {
    this.#checkOpen();
    const hashes = new Map<string, string>();
    for (const { spec } of tasks) {
      boxOf(spec.workspace);
      const hash = this.#tasks.get(spec.id)?.record.spec.requestHash ?? hashes.get(spec.id);
      if (hash !== undefined && hash !== spec.requestHash) throw keyReused(spec);
      hashes.set(spec.id, spec.requestHash);
    }
    // M1: from here on nothing throws.
    return tasks.map(({ spec, event }) => this.#submit(spec, event));
  }

  #submit(spec: TaskSpec, event: NewEvent): SubmitReceipt {
    const known = this.#tasks.get(spec.id);
    if (known !== undefined) return { record: known.record, created: false };
    const task = new MemoryTask(
      firstRecord(spec),
      { order: this.#tasks.nextOrder, boxId: boxOf(spec.workspace) },
      this.#meter,
    );
    this.#tasks.add(task);
    this.#claims.add(task);
    this.#wakes.announce(this.#record(task, [event], this.#clock.now()));
    return { record: task.record, created: true };
  }

  async claim(options: Parameters<Store["claim"]>[0]): Promise<readonly Claim[]> {
    this.#checkOpen();
    return this.#claims.claim(options);
  }

  async heartbeat(owner: string, ttlMs: number): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#claims.renew(owner, ttlMs);
  }

  async release(owner: string): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#claims.release(owner);
  }

  // D2: check, then write. The order of the writes matters to nobody, since no call interleaves.
  async commit(
    claim: Pick<Claim, "taskId" | "epoch">,
    expectedSeq: number,
    write: CommitWrite,
  ): Promise<CommitReceipt> {
    const task = this.#require(claim.taskId);
    checkCommit(task.point, { epoch: claim.epoch, expectedSeq, write });
    const mail = checkOutbox(task.id, write.outbox, (taskId) => this.#tasks.get(taskId));
    // M1: from here on nothing throws.
    const time = this.#clock.now();
    const before = task.record;
    task.record = recordAfter(before, write, time);
    if (before.state !== task.record.state) this.#tasks.moved(task, before.state);
    task.write(write, time);
    if (task.ended) this.#noteEnd(task);
    const events = this.#record(task, write.events ?? [], time);
    postMail(mail, time);
    this.#wakes.announce(events);
    return { seq: task.record.seq, events, lastIndex: task.lastIndex };
  }

  async markReleased(taskId: string, time: number, event: NewEvent): Promise<void> {
    const task = this.#require(taskId);
    if (!task.ended) throw notEnded(task.record);
    if (task.record.releasedAt !== null) throw alreadyReleased(task.record);
    task.record = Object.freeze({ ...task.record, seq: task.record.seq + 1, releasedAt: time });
    this.#wakes.announce(this.#record(task, [event], this.#clock.now()));
  }

  async markRead(taskId: string, time: number): Promise<void> {
    const task = this.#require(taskId);
    if (!task.ended || task.record.readAt !== null) return;
    task.record = Object.freeze({ ...task.record, readAt: time });
  }

  async send(taskId: string, message: InboxMessage): Promise<SendReceipt> {
    const task = this.#require(taskId);
    const { state } = task.record;
    const earlier = task.inbox?.earlier(message) ?? null;
    if (earlier !== null) return { accepted: true, duplicate: true, entry: earlier, state };
    if (task.ended) return { accepted: false, duplicate: false, entry: null, state };
    task.inbox?.checkRoom(message);
    const entry = task.receive(message, this.#clock.now());
    return { accepted: true, duplicate: false, entry, state };
  }

  async inbox(taskId: string, after: number): Promise<readonly InboxEntry[]> {
    this.#checkOpen();
    const position = rowsAfter(after);
    return this.#tasks.get(taskId)?.entriesAfter(position) ?? [];
  }

  async get(taskId: string): Promise<TaskRecord | null> {
    this.#checkOpen();
    return this.#tasks.get(taskId)?.record ?? null;
  }

  async list(query: StoreListQuery): Promise<Page<TaskRecord>> {
    this.#checkOpen();
    return this.#tasks.page(query);
  }

  async counts(): Promise<Readonly<Record<State, number>>> {
    this.#checkOpen();
    return this.#tasks.counts();
  }

  async snapshot(taskId: string): Promise<unknown> {
    this.#checkOpen();
    return this.#tasks.get(taskId)?.snapshot ?? null;
  }

  async timers(taskId: string): Promise<readonly TimerRow[]> {
    this.#checkOpen();
    return this.#tasks.get(taskId)?.timers ?? [];
  }

  async treeUsage(taskId: string): Promise<Usage> {
    this.#checkOpen();
    const tasks = this.#tasks.subtree(taskId);
    return tasks.reduce((sum, { record }) => addUsage(sum, record.usage), NO_USAGE);
  }

  async transcript(
    taskId: string,
    query: Parameters<Store["transcript"]>[1],
  ): Promise<readonly TranscriptRow[]> {
    this.#checkOpen();
    const after = rowsAfter(query.after);
    const limit = rowLimit(query.limit);
    const task = this.#tasks.get(taskId);
    return task?.rows(query.live === true ? Math.max(after, task.compactedTo) : after, limit) ?? [];
  }

  async events(query: WatchQuery): Promise<readonly StoredEvent[]> {
    this.#checkOpen();
    return this.#log.query(query);
  }

  async bounds(): Promise<{ readonly oldest: number; readonly newest: number }> {
    this.#checkOpen();
    return this.#log.bounds();
  }

  onWrite(wake: (events: readonly StoredEvent[]) => void): () => void {
    return this.#wakes.add(wake);
  }

  async readerCursor(reader: string): Promise<number> {
    this.#checkOpen();
    return this.#pruner.cursorOf(reader);
  }

  async readers(): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#pruner.readers();
  }

  async moveReader(reader: string, cursor: number | null): Promise<void> {
    this.#checkOpen();
    this.#pruner.moveReader(reader, cursor && rowsAfter(cursor));
  }

  async boxState(name: string): Promise<unknown> {
    this.#checkOpen();
    return JSON.parse(this.#boxState.get(name) ?? "null");
  }

  async saveBoxState(name: string, value: unknown): Promise<void> {
    this.#checkOpen();
    if (value === null) this.#boxState.delete(name);
    else this.#boxState.set(name, JSON.stringify(value));
  }

  async prune(query: PruneQuery): Promise<PruneReceipt> {
    this.#checkOpen();
    return this.#pruner.prune(query);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakes.clear();
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  #require(taskId: string): MemoryTask {
    this.#checkOpen();
    const task = this.#tasks.get(taskId);
    if (task === undefined) throw taskNotFound(taskId);
    return task;
  }

  #noteEnd(task: MemoryTask): void {
    this.#claims.end(task);
    this.#pruner.noteEnd(task);
  }

  #record(task: MemoryTask, events: readonly NewEvent[], time: number): readonly StoredEvent[] {
    return this.#log.record(events, { storeId: this.storeId, record: task.record, time });
  }
}
