// The part of a task's inbox that its host has seen and no commit has taken yet.
// X1. Entries are announced in order, each once; the cursor moves only with the commit that takes them.
// X2. No turn takes a cancel: should the process die before the task has ended, it is found again.

import type { NewEvent } from "../core/event.ts";
import type { TerminalState } from "../core/lifecycle.ts";
import type { InboxEntry, InboxMessage, Store } from "../store/store.ts";
import { foldMail, toldAs, type FoldedMail } from "./mail.ts";
import type { StorePatience } from "./store-patience.ts";

export interface MailboxOptions {
  readonly store: Store;
  readonly patience: StorePatience;
  readonly taskId: string;
  /** Entries up to here were taken before. */
  readonly cursor?: number;
  /** What the model was told before a restart, as `told` was then. */
  readonly told?: readonly string[];
  readonly quiet?: readonly string[];
  /** The task was here before a restart: some of its mail may be on record as having come. */
  readonly isReturning?: boolean;
}

export class Mailbox {
  readonly #options: MailboxOptions;
  #seen: number;
  #pending: InboxEntry[] = [];
  #reading: Promise<void> | null = null;
  #again = false;
  /** Children and answers that a tool result has told the model: their mail is taken without a message. */
  #known: Set<string> | null = null;
  /** Mail that is on record as having come, before a restart. */
  #recorded: ReadonlySet<string> | null = null;
  /** Children whose completions begin no turn, until one takes them. */
  #quiet: Set<string> | null = null;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#seen = options.cursor ?? 0;
    this.know(options.told ?? []);
    this.hush(options.quiet ?? []);
  }

  /** Position of the newest entry that was read. */
  get seen(): number {
    return this.#seen;
  }

  get pending(): readonly InboxEntry[] {
    return this.#pending;
  }

  /** Reads what is new and hands each entry to `announce`. Concurrent calls share one pass; none is missed. */
  read(announce: (entry: InboxEntry) => void): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#pass(announce);
    return this.#reading;
  }

  /** Resolves when no pass is under way; never rejects, and `null` when none is. */
  get settled(): Promise<void> | null {
    return this.#reading?.catch(() => {}) ?? null;
  }

  /** Whether a tool result has told the model what this message would. */
  knows(messageId: string): boolean {
    return this.#known?.has(messageId) ?? false;
  }

  know(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#known ??= new Set();
    for (const id of ids) this.#known.add(id);
  }

  /** What is told of mail that no turn will take, once the task has ended. */
  refusals(state: TerminalState): readonly NewEvent[] {
    return this.#pending.flatMap(({ message }): readonly NewEvent[] =>
      message.kind === "completion" || message.kind === "cancel" || this.#isTold(message)
        ? []
        : [{ type: "steer.undelivered", data: { steerId: message.id, reason: `task_${state}` } }],
    );
  }

  /** What has come of children is of such as a further run knows nothing of. */
  knowCompletions(): void {
    this.know(
      this.#pending.flatMap(({ message }) =>
        message.kind === "completion" || message.kind === "question" ? [toldAs(message) ?? ""] : [],
      ),
    );
  }

  /** Children whose completions begin no turn, because a person caused their end. */
  hush(childIds: readonly string[]): void {
    if (childIds.length === 0) return;
    this.#quiet ??= new Set();
    for (const id of childIds) this.#quiet.add(id);
  }

  isQuiet(childId: string): boolean {
    return this.#quiet?.has(childId) ?? false;
  }

  get quiet(): readonly string[] {
    return this.#quiet === null ? [] : [...this.#quiet];
  }

  /** Whether a child has asked something that no turn has taken yet. */
  get isAsked(): boolean {
    return this.#pending.some(
      ({ message }) =>
        message.kind === "question" && !this.#isTold(message) && !this.isQuiet(message.childId),
    );
  }

  /** What the model was told and the cursor has not passed: it must survive a restart. */
  get told(): readonly string[] {
    return this.#known === null ? [] : [...this.#known];
  }

  /** Takes what is pending (X2); `null` when there is none. The caller commits it with its cursor. */
  takeAll(maxChars: number): FoldedMail | null {
    const cancel = this.#pending.findIndex(({ message }) => message.kind === "cancel");
    const taken = cancel < 0 ? this.#pending : this.#pending.slice(0, cancel);
    if (taken.length === 0) return null;
    const folded = foldMail(taken, this.#known ?? NOTHING_KNOWN, maxChars);
    this.#pending = cancel < 0 ? [] : this.#pending.slice(cancel);
    this.#forget(taken);
    return folded;
  }

  /** Takes the leading entries that the model knows already, so that they begin no turn. */
  takeKnown(): { readonly cursor: number; readonly events: readonly NewEvent[] } | null {
    const known = this.#known;
    if (!known) return null;
    const upTo = this.#pending.findIndex((entry) => !this.#isTold(entry.message));
    const taken = upTo < 0 ? this.#pending : this.#pending.slice(0, upTo);
    if (taken.length === 0) return null;
    this.#pending = upTo < 0 ? [] : this.#pending.slice(upTo);
    const { cursor, events } = foldMail(taken, known, 0);
    this.#forget(taken);
    return { cursor, events };
  }

  /** Whether that it came is on record already. */
  isRecorded(messageId: string): boolean {
    return this.#recorded?.has(messageId) ?? false;
  }

  async #recallRecorded(): Promise<void> {
    const { store, patience, taskId, isReturning } = this.#options;
    if (isReturning !== true || this.#recorded !== null) return;
    const types = ["steer.queued", "message.received"] as const;
    const events = await patience.call("events", () => store.events({ after: 0, taskId, types }));
    this.#recorded = new Set(
      events.map(({ data }) => {
        const { steerId, messageId } = data as { readonly steerId?: string; readonly messageId?: string };
        return steerId ?? messageId ?? "";
      }),
    );
  }

  #forget(taken: readonly InboxEntry[]): void {
    for (const { message } of taken) this.#quiet?.delete(message.id);
    if (this.#known === null) return;
    // An answer stays known: a further run hears what people said in the one before, but not this a second time.
    for (const { message } of taken) if (message.kind === "completion") this.#known.delete(message.id);
    if (this.#known.size === 0) this.#known = null;
  }

  /** What somebody wrote is never told by a result, whatever id its writer chose for it. */
  #isTold(message: InboxMessage): boolean {
    const id = toldAs(message);
    return id !== null && this.knows(id);
  }

  async #pass(announce: (entry: InboxEntry) => void): Promise<void> {
    const { store, patience, taskId } = this.#options;
    try {
      do {
        this.#again = false;
        const entries = await patience.call("inbox", () => store.inbox(taskId, this.#seen));
        if (entries.length > 0) await this.#recallRecorded();
        for (const entry of entries) {
          this.#seen = entry.position;
          this.#pending.push(entry);
          announce(entry);
        }
      } while (this.#again);
    } finally {
      // In the same step as the last look at `again`, so that no call falls between.
      this.#reading = null;
    }
  }
}

const NOTHING_KNOWN: ReadonlySet<string> = new Set();
