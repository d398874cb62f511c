// The rows of one task in memory: record, inbox, transcript, timers, snapshot. It decides nothing and refuses
// nothing; memory.ts asks first. Ten thousand tasks may idle, so whatever is empty is not allocated.

import type { Message, TranscriptRow } from "../core/message.ts";
import type { TaskRecord } from "../core/task.ts";
import type { Claimable, Holding } from "./claims.ts";
import type { CommitPoint } from "./commit.ts";
import { rowBytes, TASK_BYTES, textBytes } from "./memory-bytes.ts";
import type { Meter } from "./memory-bytes.ts";
import { MemoryInbox } from "./memory-inbox.ts";
import type { CommitWrite, InboxEntry, InboxMessage, ResumePoint, TimerRow } from "./store.ts";

const NO_TIMERS: readonly TimerRow[] = Object.freeze([]);

/** Where a task stands in its store. */
export interface Place {
  /** Submission number, from 1: the order of lists and of claims. */
  readonly order: number;
  readonly boxId: string;
}

/** One task. Contract: never throws; its open fields are for the memory store and its claims to write. */
export class MemoryTask implements Claimable {
  readonly id: string;
  readonly order: number;
  readonly boxId: string;
  /** Replaced by every write, never changed. */
  record: TaskRecord;
  holding: Holding | null = null;
  /** Whether the queue of claimable tasks holds it. */
  ready = false;
  /** The last snapshot as it was handed in: a JSON value that both sides treat as frozen. */
  snapshot: unknown = null;
  timers: readonly TimerRow[] = NO_TIMERS;
  compactedTo = 0;
  #inbox: MemoryInbox | null = null;
  #transcript: TranscriptRow[] | null = null;
  readonly #meter: Meter;
  #bytes = 0;

  constructor(record: TaskRecord, place: Place, meter: Meter = { bytes: 0 }) {
    this.id = record.spec.id;
    this.order = place.order;
    this.boxId = place.boxId;
    this.record = record;
    this.#meter = meter;
    this.#grow(TASK_BYTES + textBytes(record.spec.goal) + textBytes(record.spec.context));
  }

  /** About what the task takes without its events, as memory-bytes.ts counts. */
  get bytes(): number {
    return this.#bytes;
  }

  get ended(): boolean {
    return this.record.end !== null;
  }

  get lastIndex(): number {
    return this.#transcript?.length ?? 0;
  }

  get point(): CommitPoint {
    return {
      record: this.record,
      owned: this.holding !== null,
      inboxCursor: this.#inbox?.cursor ?? 0,
      inboxLast: this.#inbox?.last ?? 0,
      compactedTo: this.compactedTo,
      lastIndex: this.lastIndex,
    };
  }

  get resumePoint(): ResumePoint {
    const { snapshot, timers, lastIndex } = this;
    return { snapshot, timers, inboxCursor: this.#inbox?.cursor ?? 0, lastIndex };
  }

  /** The inbox if anything was ever sent. */
  get inbox(): MemoryInbox | null {
    return this.#inbox;
  }

  /** Puts a message whose id is new into the inbox. */
  receive(message: InboxMessage, time: number): InboxEntry {
    this.#inbox ??= new MemoryInbox(this.id);
    this.#grow(rowBytes(message));
    return this.#inbox.append(message, time);
  }

  /** Writes the rows of a commit beside the record, which already stands as it will be. */
  write(write: CommitWrite, time: number): void {
    this.appendMessages(write.messages ?? [], time);
    if (write.compactedTo !== undefined) this.compactedTo = write.compactedTo;
    if (write.snapshot !== undefined) this.snapshot = write.snapshot;
    if (write.timers !== undefined) this.timers = frozenRows(write.timers);
    if (write.inboxCursor !== undefined) this.#inbox?.deliver(write.inboxCursor, this.record.turn);
    if (!this.ended) return;
    this.#inbox?.refuseRest(`task_${this.record.state}`);
    this.#grow(textBytes(this.record.end?.result ?? null));
  }

  /** Its store lets go of it. */
  remove(): void {
    this.#grow(-this.#bytes);
  }

  entriesAfter(position: number): readonly InboxEntry[] {
    return this.#inbox?.after(position) ?? [];
  }

  /** Appends messages as rows of the record as it stands now. */
  appendMessages(messages: readonly Message[], time: number): void {
    if (messages.length === 0) return;
    for (const message of messages) this.#grow(rowBytes(message));
    const rows = messages.map((message, at): TranscriptRow =>
      this.#row(message, this.lastIndex + at + 1, time),
    );
    // The first rows are kept as they are, in an array of their size: many tasks never get further.
    if (this.#transcript === null) this.#transcript = rows;
    else for (const row of rows) this.#transcript.push(row);
  }

  /** Up to `limit` rows behind an index; a copy of the list. */
  rows(after: number, limit: number): readonly TranscriptRow[] {
    return this.#transcript?.slice(after, after + limit) ?? [];
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    this.#meter.bytes += bytes;
  }

  #row(message: Message, index: number, time: number): TranscriptRow {
    const { seq, run, turn } = this.record;
    return Object.freeze({ taskId: this.id, index, seq, run, turn, time, message });
  }
}

function frozenRows(timers: readonly TimerRow[]): readonly TimerRow[] {
  return Object.freeze(timers.map((timer) => Object.freeze({ ...timer })));
}
