// The store in one SQLite file: durable, embedded, one process at a time (docs/adr/0016). It orders the calls; what is
// decided stands in commit.ts and prune.ts, the statements in the sqlite-*.ts files beside it. Each write waits for its
// group (sqlite-group.ts), each read is answered at once.
//
// Q1. What is acknowledged is committed to the file: it survives `kill -9`, and with durability `full` power loss.
// Q2. One process at a time has the file open for writing (sqlite-lock.ts), so who claimed what is in memory: whoever
//     opens the file knows that every former owner is dead.

import type { StoredEvent, NewEvent } from "../core/event.ts";
import type { State } from "../core/lifecycle.ts";
import type { Usage } from "../core/limits.ts";
import type { TranscriptRow } from "../core/message.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import type { Page } from "../core/api.ts";
import { WakeList } from "./memory-wakes.ts";
import { rowsAfter } from "./paging.ts";
import { storeClosed } from "./refusals.ts";
import { Claiming } from "./sqlite-claims.ts";
import { callErrorOf } from "./sqlite-errors.ts";
import { readBounds, readEvents } from "./sqlite-events.ts";
import { GroupCommit } from "./sqlite-group.ts";
import { readInbox, send } from "./sqlite-inbox.ts";
import { openDatabase } from "./sqlite-open.ts";
import type { OpenedDatabase, SqliteStoreOptions } from "./sqlite-open.ts";
import { prune } from "./sqlite-prune.ts";
import {
  readPage,
  readRecord,
  readSnapshot,
  readTimers,
  readTranscript,
  readTreeUsage,
} from "./sqlite-read.ts";
import { boxState, saveBoxState } from "./sqlite-box-state.ts";
import { moveReader, readerCursor, readerNames } from "./sqlite-readers.ts";
import { Tasks } from "./sqlite-tasks.ts";
import { commit, markRead, markReleased, submitAll } from "./sqlite-write.ts";
import type {
  Claim,
  CommitReceipt,
  CommitWrite,
  Durability,
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

/**
 * Opens a database file, makes it when it is not there, and becomes its one writer.
 * Contract: throws ConfigError `database_owned`, `database_newer`, `database_foreign`, `database_corrupt`,
 * `database_foreign_log`, `database_linked` or `database_read_only`, and StoreError for trouble with the disk; nothing is held then.
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  return new SqliteStore(openDatabase(options), options);
}

/**
 * The store in a SQLite file; made by `openSqliteStore`.
 * Contract: every call rejects with StoreError `closed` after `close`, and with `busy`, `full`, `io`, `read_only`,
 * `no_memory` or `corrupt` when the medium fails: nothing of that call is written, and it may be repeated. Not to be
 * repeated are `defect` (a row that cannot be read or written) and `database_owned` (somebody else writes the file).
 */
export class SqliteStore implements Store {
  readonly storeId: string;
  readonly durability: Durability;
  readonly #database: OpenedDatabase;
  readonly #tasks: Tasks;
  readonly #group: GroupCommit;
  readonly #claiming: Claiming;
  readonly #wakes = new WakeList();
  #closed = false;

  constructor(database: OpenedDatabase, options: SqliteStoreOptions) {
    const { connection, storeId } = database;
    this.storeId = storeId;
    this.durability = database.durability;
    this.#database = database;
    this.#tasks = new Tasks({ ...options, connection, storeId });
    this.#tasks.load();
    this.#claiming = new Claiming(this.#tasks);
    this.#group = new GroupCommit({
      connection,
      durability: this.durability,
      memory: this.#tasks,
      announce: (events) => this.#wakes.announce(events),
    });
  }

  async submit(spec: TaskSpec, event: NewEvent): Promise<SubmitReceipt> {
    const [receipt] = await this.submitAll([{ spec, event }]);
    return receipt as SubmitReceipt;
  }

  submitAll(
    tasks: readonly { readonly spec: TaskSpec; readonly event: NewEvent }[],
  ): Promise<readonly SubmitReceipt[]> {
    return this.#write(() => this.#group.add(() => submitAll(this.#tasks, tasks)));
  }

  /** Who claimed dies with the power, so no claim waits for the disk; what is written under it brings it along. */
  claim(options: Parameters<Store["claim"]>[0]): Promise<readonly Claim[]> {
    return this.#write(() => this.#group.addUnsynced(() => this.#claiming.claim(options)));
  }

  heartbeat(owner: string, ttlMs: number): Promise<readonly string[]> {
    return this.#write(() => this.#group.addVolatile(() => this.#claiming.heartbeat(owner, ttlMs)));
  }

  release(owner: string): Promise<readonly string[]> {
    return this.#write(() => this.#group.addVolatile(() => this.#tasks.claims.release(owner)));
  }

  commit(
    claim: Pick<Claim, "taskId" | "epoch">,
    expectedSeq: number,
    write: CommitWrite,
  ): Promise<CommitReceipt> {
    const attempt = { epoch: claim.epoch, expectedSeq, write };
    return this.#write(() => this.#group.add(() => commit(this.#tasks, claim.taskId, attempt)));
  }

  markReleased(taskId: string, time: number, event: NewEvent): Promise<void> {
    return this.#write(() => this.#group.add(() => markReleased(this.#tasks, taskId, { time, event })));
  }

  markRead(taskId: string, time: number): Promise<void> {
    return this.#write(() => this.#group.add(() => markRead(this.#tasks, taskId, time)));
  }

  send(taskId: string, message: InboxMessage): Promise<SendReceipt> {
    return this.#write(() => this.#group.add(() => send(this.#tasks, taskId, message)));
  }

  async inbox(taskId: string, after: number): Promise<readonly InboxEntry[]> {
    return this.#read(() => readInbox(this.#tasks, taskId, rowsAfter(after)));
  }

  async get(taskId: string): Promise<TaskRecord | null> {
    return this.#read(() => {
      const num = this.#tasks.numOf(taskId);
      return num === null ? null : readRecord(this.#tasks, num);
    });
  }

  async list(query: StoreListQuery): Promise<Page<TaskRecord>> {
    return this.#read(() => readPage(this.#tasks, query));
  }

  async counts(): Promise<Readonly<Record<State, number>>> {
    return this.#read(() => ({ ...this.#tasks.counts }));
  }

  async snapshot(taskId: string): Promise<unknown> {
    return this.#read(() => readSnapshot(this.#tasks, taskId));
  }

  async timers(taskId: string): Promise<readonly TimerRow[]> {
    return this.#read(() => readTimers(this.#tasks, taskId));
  }

  async treeUsage(taskId: string): Promise<Usage> {
    return this.#read(() => readTreeUsage(this.#tasks, taskId));
  }

  async transcript(
    taskId: string,
    query: Parameters<Store["transcript"]>[1],
  ): Promise<readonly TranscriptRow[]> {
    return this.#read(() => readTranscript(this.#tasks, taskId, query));
  }

  async events(query: WatchQuery): Promise<readonly StoredEvent[]> {
    return this.#read(() => readEvents(this.#tasks, query));
  }

  async bounds(): Promise<{ readonly oldest: number; readonly newest: number }> {
    return this.#read(() => readBounds(this.#tasks));
  }

  onWrite(wake: (events: readonly StoredEvent[]) => void): () => void {
    return this.#wakes.add(wake);
  }

  async readerCursor(reader: string): Promise<number> {
    return this.#read(() => readerCursor(this.#tasks, reader));
  }

  async readers(): Promise<readonly string[]> {
    return this.#read(() => readerNames(this.#tasks));
  }

  moveReader(reader: string, cursor: number | null): Promise<void> {
    return this.#write(() => this.#group.add(() => moveReader(this.#tasks, reader, cursor)));
  }

  async boxState(name: string): Promise<unknown> {
    return this.#read(() => boxState(this.#tasks, name));
  }

  saveBoxState(name: string, value: unknown): Promise<void> {
    return this.#write(() => this.#group.add(() => saveBoxState(this.#tasks, name, value)));
  }

  async prune(query: PruneQuery): Promise<PruneReceipt> {
    this.#checkOpen();
    return prune({ tasks: this.#tasks, group: this.#group, bytes: () => this.#database.bytes() }, query);
  }

  /** Writes what was asked before it, and lets go of the file. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#group.flush();
    this.#wakes.clear();
    this.#database.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  /** The promise of the write itself, with nothing in between, so that who awaits it goes on before listeners do. */
  #write<T>(queue: () => Promise<T>): Promise<T> {
    return this.#closed ? Promise.reject(storeClosed()) : queue();
  }

  #read<T>(work: () => T): T {
    this.#checkOpen();
    try {
      return work();
    } catch (thrown) {
      throw callErrorOf(thrown);
    }
  }
}
