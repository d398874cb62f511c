// Who waits for a key, in the order of their first asking. A task waits a moment where it is; then it goes away, keeps
// its turn, and is called when a key is free for it.
//
// Q1. Tickets are served in the order in which their conversations first asked.
// Q2. A conversation that was called has room kept for it, for a short while only, and none when it says that it does
//     not come: nothing is held for who never comes.
// Q3. A ticket that waits in place is answered exactly once: with a key, with what the pool says when its time is over,
//     or with its signal's reason.

/** What a ticket is for. */
export interface Waiting<Answer> {
  readonly conversation: string;
  /** Called once when a key is free for a conversation that went away; false when it does not come any more. */
  readonly wake: () => boolean;
  /** Answers one that waits in place. */
  readonly settle: (answer: Answer) => void;
}

interface Ticket<Answer> {
  readonly order: number;
  readonly conversation: string;
  wake: () => boolean;
  settle: ((answer: Answer) => void) | null;
  /** Room is kept for it until then. */
  calledUntil: number | null;
  /** It was called and did not come in time: it is not called again before it has asked again. */
  lapsed: boolean;
  /** When it is forgotten, if nobody asks any more. */
  forgottenAt: number;
}

/** How long room is kept for a conversation that was called. */
const CALL_MS = 10_000;
/** A conversation that has not asked again for so long has gone elsewhere. */
const FORGET_MS = 1_800_000;

export class PoolQueue<Answer> {
  readonly #tickets = new Map<string, Ticket<Answer>>();
  #order = 0;

  has(conversation: string): boolean {
    return this.#tickets.has(conversation);
  }

  get size(): number {
    return this.#tickets.size;
  }

  /** How many of those that were called go before this conversation. */
  calledBefore(conversation: string, now: number): number {
    const own = this.#tickets.get(conversation)?.order ?? Number.POSITIVE_INFINITY;
    let count = 0;
    for (const { order, calledUntil } of this.#tickets.values()) {
      if (order < own && calledUntil !== null && calledUntil > now) count += 1;
    }
    return count;
  }

  /** Whether somebody who waits in place asked before this conversation. */
  waitsBefore(conversation: string): boolean {
    const own = this.#tickets.get(conversation)?.order ?? Number.POSITIVE_INFINITY;
    return [...this.#tickets.values()].some(({ order, settle }) => settle !== null && order < own);
  }

  /** Lets a conversation wait in place; it keeps the turn that it may have had. */
  join({ conversation, wake, settle }: Waiting<Answer>, now: number): void {
    const ticket = this.#ticketOf(conversation, wake, now);
    ticket.settle = settle;
  }

  /** It no longer waits in place, and keeps its turn. */
  leave(conversation: string, wake: () => boolean, now: number): void {
    this.#ticketOf(conversation, wake, now).settle = null;
  }

  /** It has a key, or wants none. */
  forget(conversation: string): void {
    this.#tickets.delete(conversation);
  }

  #ticketOf(conversation: string, wake: () => boolean, now: number): Ticket<Answer> {
    const known = this.#tickets.get(conversation);
    const ticket = known ?? {
      order: (this.#order += 1),
      conversation,
      wake,
      settle: null,
      calledUntil: null,
      lapsed: false,
      forgottenAt: 0,
    };
    Object.assign(ticket, { wake, calledUntil: null, lapsed: false, forgottenAt: now + FORGET_MS });
    if (!known) this.#tickets.set(conversation, ticket);
    return ticket;
  }

  /**
   * Serves whoever can be served, in order. `take` gives the answer for a conversation that waits in place, or nothing
   * while it has to wait on; `hasRoom` says whether one that is away could be served beside those `called` before it.
   */
  serve(now: number, pool: Serving<Answer>): void {
    for (const ticket of [...this.#tickets.values()].toSorted((a, b) => a.order - b.order)) {
      if (!this.#tickets.has(ticket.conversation)) continue;
      if (ticket.settle !== null) this.#serveInPlace(ticket, ticket.settle, pool);
      else this.#call(ticket, now, pool);
    }
  }

  #serveInPlace(ticket: Ticket<Answer>, settle: (answer: Answer) => void, pool: Serving<Answer>): void {
    const answer = pool.take(ticket.conversation);
    if (answer === undefined) return;
    this.#tickets.delete(ticket.conversation);
    settle(answer);
  }

  #call(ticket: Ticket<Answer>, now: number, pool: Serving<Answer>): void {
    if (ticket.forgottenAt <= now) {
      this.#tickets.delete(ticket.conversation);
    } else if (ticket.calledUntil !== null) {
      if (ticket.calledUntil > now) return;
      Object.assign(ticket, { calledUntil: null, lapsed: true });
    } else if (!ticket.lapsed && pool.hasRoom(ticket.conversation)) {
      ticket.calledUntil = now + CALL_MS;
      if (!ticket.wake()) this.#tickets.delete(ticket.conversation);
    }
  }

  /** When something of it is over: a call that nobody heard. `null` for never. */
  nextEnd(): number | null {
    let next: number | null = null;
    for (const { calledUntil } of this.#tickets.values()) {
      if (calledUntil !== null && (next === null || calledUntil < next)) next = calledUntil;
    }
    return next;
  }
}

/** What the queue asks of the pool while it serves. */
export interface Serving<Answer> {
  take(conversation: string): Answer | undefined;
  hasRoom(conversation: string): boolean;
}
