// The inbox of one task in memory. Entries are replaced, never changed, so a reader's copy stays as it was.
//
// I1. Positions are gapless from 1, in order of arrival, and a message id has one entry (D5).
// I2. An entry leaves `queued` once: by the cursor, which only moves forward, or by the end of the task.

import { MAX_INBOX } from "../core/limits.ts";
import { inboxFull, messageReused } from "./refusals.ts";
import type { InboxEntry, InboxMessage } from "./store.ts";

/**
 * Which bound a message counts against. A cancel has its own, so that no flood of steers keeps it out, and a
 * completion or a question has none: children are bounded, and refusing one would keep the child from its next step.
 */
export function boundOf(message: Pick<InboxMessage, "kind">): "talk" | "cancel" | null {
  if (message.kind === "completion" || message.kind === "question") return null;
  return message.kind === "cancel" ? "cancel" : "talk";
}

/** Whether two JSON values say the same; the order of keys does not matter. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = new Map(Object.entries(b).filter(([, value]) => value !== undefined));
  return (
    left.length === right.size &&
    left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)))
  );
}

/** Whether `again` repeats `first`: the same content, or a second completion of the same child (D7). */
export function repeats(first: InboxMessage, again: InboxMessage): boolean {
  return (first.kind === "completion" && again.kind === "completion") || sameJson(first, again);
}

/** One task's inbox: it appends, and moves entries out of `queued`. */
export class MemoryInbox {
  readonly #taskId: string;
  readonly #entries: InboxEntry[] = [];
  readonly #positions = new Map<string, number>();
  readonly #waiting = { talk: 0, cancel: 0 };
  #cursor = 0;

  constructor(taskId: string) {
    this.#taskId = taskId;
  }

  /** The position up to which entries were taken. */
  get cursor(): number {
    return this.#cursor;
  }

  /** The position of the newest entry. */
  get last(): number {
    return this.#entries.length;
  }

  /** The entry of a message id, or `null`. */
  find(message: Pick<InboxMessage, "kind" | "id">): InboxEntry | null {
    const position = this.#positions.get(keyOf(message));
    return position === undefined ? null : (this.#entries[position - 1] ?? null);
  }

  /**
   * The entry of a message that came before, or `null`.
   * Contract: throws ConflictError `message_reused` when the id came before with another content.
   */
  earlier(message: InboxMessage): InboxEntry | null {
    const entry = this.find(message);
    if (entry !== null && !repeats(entry.message, message)) throw messageReused(this.#taskId, message.id);
    return entry;
  }

  /** Throws LimitError `inbox_full` when too many of the message's kind wait. */
  checkRoom(message: InboxMessage): void {
    const bound = boundOf(message);
    if (bound !== null && this.#waiting[bound] >= MAX_INBOX) throw inboxFull(this.#taskId);
  }

  /** Adds a message whose id is new (I1). Never throws. */
  append(message: InboxMessage, time: number): InboxEntry {
    const position = this.#entries.length + 1;
    const entry: InboxEntry = Object.freeze({
      taskId: this.#taskId,
      position,
      time,
      message,
      state: "queued",
      turn: null,
      reason: null,
    });
    this.#entries.push(entry);
    this.#positions.set(keyOf(message), position);
    this.#count(message, 1);
    return entry;
  }

  /** Moves the cursor: entries up to it were taken by `turn`. */
  deliver(upTo: number, turn: number): void {
    for (let at = this.#cursor; at < upTo; at += 1)
      this.#settle(at, { state: "delivered", turn, reason: null });
    this.#cursor = upTo;
  }

  /** The task has ended: what still waits is undelivered. The cursor stays where the task left it. */
  refuseRest(reason: string): void {
    for (let at = this.#cursor; at < this.#entries.length; at += 1) {
      this.#settle(at, { state: "undelivered", turn: null, reason });
    }
  }

  /** The entries behind a position, as they stand; a copy of the list. */
  after(position: number): readonly InboxEntry[] {
    return this.#entries.slice(position);
  }

  #settle(at: number, outcome: Pick<InboxEntry, "state" | "turn" | "reason">): void {
    const entry = this.#entries[at] as InboxEntry;
    this.#entries[at] = Object.freeze({ ...entry, ...outcome });
    this.#count(entry.message, -1);
  }

  #count(message: InboxMessage, by: 1 | -1): void {
    const bound = boundOf(message);
    if (bound !== null) this.#waiting[bound] += by;
  }
}

/** What comes of a child and what somebody wrote never meet: nobody may stop a child by the id of a message. */
export function keyOf({ kind, id }: Pick<InboxMessage, "kind" | "id">): string {
  if (kind === "question") return `question ${id}`;
  return kind === "completion" ? `child ${id}` : id;
}
