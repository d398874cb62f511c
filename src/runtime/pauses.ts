// What one task waits for until a time has come: the waits of its suspended calls, and the pause before a further try.
// Made for the first of them, since many tasks never have one. It decides nothing.

import type { AgentContext, PendingWait } from "../../machines/agent.ts";
import type { TimerRow } from "../store/store.ts";
import type { OpenQuestion, QuestionSought } from "./parent-question.ts";
import { RetryTimer, type FailedContext, type RetryHost } from "./retry-timer.ts";
import { WaitKeeper, type Spoken, type WaitingHost } from "./wait-keeper.ts";

export class Pauses {
  readonly #host: WaitingHost & RetryHost;
  #waits: WaitKeeper | null = null;
  #retry: RetryTimer | null = null;

  constructor(host: WaitingHost & RetryHost) {
    this.#host = host;
  }

  /** Keeps these waits and no others. */
  keep(waits: readonly PendingWait[]): void {
    if (waits.length === 0 && !this.#waits) return;
    this.#waits ??= new WaitKeeper(this.#host);
    this.#waits.keep(waits);
  }

  /** Records the failed try and wakes the machine when its pause is over. */
  arm(context: FailedContext): void {
    this.#retry ??= new RetryTimer(this.#host);
    this.#retry.arm(context);
  }

  /** Keeps the waits of a stored state after a restart, for as long as was left of each. */
  goOnWaiting(waits: readonly PendingWait[], timers: readonly TimerRow[]): void {
    if (waits.length === 0) return;
    this.#waits ??= new WaitKeeper(this.#host);
    this.#waits.goOn(waits, timers);
  }

  /** The same for a pause before a further try. */
  goOnRetrying(context: AgentContext, timers: readonly TimerRow[]): void {
    this.#retry ??= new RetryTimer(this.#host);
    this.#retry.goOn(context, timers);
  }

  /** Ends the waits whose children have all ended, or ask something. */
  check(): void {
    this.#waits?.check();
  }

  /** Ends the oldest wait for a person; false when there is none, or the text is mail as well. */
  answer(message: Spoken): boolean {
    return this.#waits?.answer(message) ?? false;
  }

  /** Who is asked, and what, in words; `null` when nobody is. */
  get question(): string | null {
    return this.#waits?.question ?? null;
  }

  /** The question that an answer would end; `null` for none. */
  questionFor(sought: QuestionSought): OpenQuestion | null {
    return this.#waits?.questionFor(sought) ?? null;
  }

  /** A further try need not wait any longer. */
  hurry(): void {
    this.#retry?.hurry();
  }

  /** No further try is due. */
  endRetry(): void {
    this.#retry?.cancel();
  }
}
