// What a check is: a name, the invariant that it stands for, one line of meaning, and what it looks at. A check answers
// with a complaint or `null`; it changes nothing.

import type { LaneView } from "../../src/core/box-api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { TranscriptRow } from "../../src/core/message.ts";
import type { TreeBudget } from "../../src/core/limits.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import type { InboxEntry } from "../../src/store/store.ts";
import type { Book } from "./book.ts";
import type { Fact, FactKind, FactOf } from "./facts.ts";

/** The machine as a step left it, once all that could run has run. */
export interface StepView {
  readonly lanes: readonly LaneView[];
  /** Generations in flight in the life that lives, by backend. */
  readonly inFlight: ReadonlyMap<string, number>;
}

/** One task as the store has it when all is over. */
export interface RestTask {
  readonly record: TaskRecord;
  readonly events: readonly StoredEvent[];
  readonly inbox: readonly InboxEntry[];
  readonly transcript: readonly TranscriptRow[];
}

/** The world when all is over. */
export interface Rest {
  readonly tasks: ReadonlyMap<string, RestTask>;
  /** What the scheduler and the registry hold, by name. */
  readonly held: Readonly<Record<string, number>>;
  readonly inFlight: number;
  /** Timers armed beyond those of a server without work. */
  readonly timers: number;
  /** Profiles of which the scheduler believes what the server does not show. */
  readonly mistaken: readonly string[];
  /** Calls that never came back, though their server lives. */
  readonly unanswered: readonly string[];
  /** What each task with a budget and all below it have used. */
  readonly usage: ReadonlyMap<string, Readonly<Record<keyof TreeBudget, number>>>;
}

export interface Check {
  /** The invariant: `I2`; several checks may stand for one. */
  readonly id: string;
  /** Unique. */
  readonly name: string;
  readonly means: string;
  /** Asked of a fact before it is booked, and after the model has taken it in. */
  readonly on?: { readonly [K in FactKind]?: (fact: FactOf<K>, book: Book) => string | null };
  readonly step?: (view: StepView, book: Book) => string | null;
  readonly rest?: (rest: Rest, book: Book) => string | null;
}

export interface Violation {
  readonly check: string;
  readonly id: string;
  readonly complaint: string;
  readonly atMs: number;
}

type Handler = (fact: Fact, book: Book) => string | null;

/** Asks all checks, and keeps the first complaint. */
export class Checks {
  readonly #on = new Map<FactKind, { readonly check: Check; readonly ask: Handler }[]>();
  readonly #all: readonly Check[];
  #violation: Violation | null = null;

  constructor(all: readonly Check[]) {
    this.#all = all;
    for (const check of all) {
      for (const [kind, ask] of Object.entries(check.on ?? {})) {
        const list = this.#on.get(kind as FactKind) ?? [];
        list.push({ check, ask: ask as Handler });
        this.#on.set(kind as FactKind, list);
      }
    }
  }

  get violation(): Violation | null {
    return this.#violation;
  }

  fact(fact: Fact, book: Book): void {
    for (const { check, ask } of this.#on.get(fact.kind) ?? []) this.#note(check, ask(fact, book), book);
  }

  step(view: StepView, book: Book): void {
    for (const check of this.#all) if (check.step) this.#note(check, check.step(view, book), book);
  }

  rest(rest: Rest, book: Book): void {
    for (const check of this.#all) if (check.rest) this.#note(check, check.rest(rest, book), book);
  }

  /** A complaint that no single fact shows. */
  complain(check: Pick<Check, "id" | "name">, complaint: string, atMs: number): void {
    this.#violation ??= { check: check.name, id: check.id, complaint, atMs };
  }

  #note(check: Check, complaint: string | null, book: Book): void {
    if (complaint !== null) this.complain(check, complaint, book.now);
  }
}
