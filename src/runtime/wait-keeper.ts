// The waits of a task's suspended calls: ends each when its children have ended, its time is over or its answer came.
// W1. Each wait is ended at most once; timers of waits that are no longer kept are cancelled.
// W2. A call that wants to be allowed is answered by a person alone, and together with those that were asked of with it.

import type { Timer } from "../base/clock.ts";
import type { SchedulingClass } from "../core/lifecycle.ts";
import type { WaitEnd } from "../core/tool.ts";
import type { AgentEvent, PendingWait } from "../../machines/agent.ts";
import type { InboxMessage, TimerRow } from "../store/store.ts";
import type { Journal } from "./journal.ts";
import { isFromPerson } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import type { HostServices } from "./services.ts";

/** What the keeper needs of the task that waits. */
export interface WaitingHost {
  readonly services: Pick<HostServices, "clock" | "kinship">;
  readonly mailbox: Mailbox;
  readonly journal: Pick<Journal, "stage">;
  readonly schedulingClass: SchedulingClass;
  send(event: AgentEvent): void;
}

/** Mail that may answer a question: an answer, or what is said in a conversation. */
export type Spoken = Extract<InboxMessage, { readonly kind: "answer" | "message" }>;

export class WaitKeeper {
  readonly #host: WaitingHost;
  /** Made for the first wait that has one: most waits have no end of their own, and an empty map is not small. */
  #timers: Map<string, { readonly timer: Timer; readonly dueAt: number }> | null = null;
  #open: readonly PendingWait[] = [];
  /** Those whose end the machine has not heard yet (W1). */
  #ended: Set<string> | null = null;

  constructor(host: WaitingHost) {
    this.#host = host;
  }

  /** Keeps these waits and no others. Their timers are rows of the store, in the commit of the state that waits. */
  keep(waits: readonly PendingWait[]): void {
    if (waits === this.#open) return;
    const timed = this.#timers !== null && this.#timers.size > 0;
    this.#take(waits, []);
    const rows = this.#rows();
    if (timed || rows.length > 0) this.#host.journal.stage({ timers: rows });
  }

  /** Keeps these waits after a restart, each to the time that was written when it began. */
  goOn(waits: readonly PendingWait[], timers: readonly TimerRow[]): void {
    this.#take(waits, timers);
  }

  #take(waits: readonly PendingWait[], timers: readonly TimerRow[]): void {
    const before = this.#open;
    this.#open = waits;
    if (waits.length === 0) this.#ended = null;
    for (const [callId, timer] of this.#timers ?? []) {
      if (waits.some((each) => each.callId === callId && !each.end)) continue;
      timer.timer.cancel();
      this.#timers?.delete(callId);
    }
    this.#inherit(before, null);
    this.#inherit(waits, lendable(this.#host.schedulingClass));
    for (const each of waits) this.#arm(each, timers);
    this.check();
  }

  /** Ends the waits whose children have all ended. */
  check(): void {
    const { kinship } = this.#host.services;
    for (const each of this.#open) {
      if (!this.#isOpen(each) || each.wait.for !== "children") continue;
      if (each.wait.taskIds.some((id) => kinship.isLive(id))) continue;
      this.#end(each.callId, { cause: "satisfied" });
    }
  }

  /** What a person is asked and has not answered; `null` when nothing is. */
  get question(): string | null {
    const oldest = this.#open.find((each) => this.#isOpen(each) && each.wait.for === "input");
    return oldest?.wait.for === "input" ? oldest.wait.prompt : null;
  }

  /**
   * Ends the oldest wait for a person (keeps W2); false when there is none, and the text is mail like any other. What is
   * said in a conversation answers the question whether a call may act, and is mail all the same.
   */
  answer(message: Spoken): boolean {
    const isAnswer = message.kind === "answer";
    const oldest = this.#open.find((each) => this.#isOpen(each) && each.wait.for === "input");
    if (oldest?.wait.for !== "input") return false;
    const { approval, prompt } = oldest.wait;
    if (approval ? !isFromPerson(message) : !isAnswer) return false;
    if (isAnswer) this.#host.mailbox.know([message.id]);
    for (const each of this.#open) {
      const together =
        approval && each.wait.for === "input" && each.wait.approval && each.wait.prompt === prompt;
      if (each === oldest || (together && this.#isOpen(each))) {
        this.#end(each.callId, { cause: "satisfied", answer: message.text });
      }
    }
    return isAnswer;
  }

  #arm({ callId, wait, end }: PendingWait, rows: readonly TimerRow[]): void {
    if (end || wait.timeoutMs === undefined || this.#timers?.has(callId)) return;
    const { clock } = this.#host.services;
    const cause = wait.for === "timer" ? "satisfied" : "timeout";
    const row = rows.find(({ name }) => name === rowName(callId));
    const leftMs = row === undefined ? wait.timeoutMs : row.dueAt - clock.now();
    // A clock that was set back makes no wait longer.
    const delayMs = Math.min(Math.max(0, leftMs), wait.timeoutMs);
    const timer = clock.after(delayMs, () => this.#end(callId, { cause }));
    this.#timers ??= new Map();
    this.#timers.set(callId, { timer, dueAt: clock.now() + delayMs });
  }

  #rows(): readonly TimerRow[] {
    return [...(this.#timers ?? [])].map(([callId, { dueAt }]) => ({ name: rowName(callId), dueAt }));
  }

  #isOpen({ callId, end }: PendingWait): boolean {
    return end === null && this.#ended?.has(callId) !== true;
  }

  #end(callId: string, end: WaitEnd): void {
    this.#ended ??= new Set();
    if (this.#ended.has(callId)) return;
    this.#ended.add(callId);
    // Not in this call: the host may be in the middle of a step of the same actor.
    queueMicrotask(() => this.#host.send({ type: "wait.ended", callId, end }));
  }

  #inherit(waits: readonly PendingWait[], schedulingClass: SchedulingClass | null): void {
    for (const { wait, end } of waits) {
      if (!end && wait.for === "children")
        this.#host.services.kinship.inheritClass(wait.taskIds, schedulingClass);
    }
  }
}

function rowName(callId: string): string {
  return `wait:${callId}`;
}

/** The class that a waiting task lends to those it waits for: never `interactive`, which is a person's own. */
function lendable(own: SchedulingClass): SchedulingClass {
  return own === "interactive" ? "resuming" : own;
}
