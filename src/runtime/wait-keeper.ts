// The waits of a task's suspended calls: ends each when its children have ended, its time is over or its answer came.
// W1. Each wait is ended at most once; timers of waits that are no longer kept are cancelled.
// W2. A call that wants to be allowed is answered by a person alone, and together with those that were asked of with it;
//     while a question in words is open beside it, an answer is for that one: its words may look like a permission.
// W3. A question to a parent is in the parent's mail with the commit of the state that waits, or the wait is not begun; it
//     ends when the parent has ended. An answer that names its question ends no other.
// W4. No call waits for children while a child's question lies unread in the mail.

import type { Timer } from "../base/clock.ts";
import type { SchedulingClass } from "../core/lifecycle.ts";
import type { TaskSpec } from "../core/task.ts";
import type { WaitEnd } from "../core/tool.ts";
import type { AgentEvent, PendingWait } from "../../machines/agent.ts";
import type { InboxMessage, TimerRow } from "../store/store.ts";
import type { Journal } from "./journal.ts";
import { isFromPerson } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import { askedWords, isSought, questionIn, questionMail } from "./parent-question.ts";
import type { OpenQuestion, QuestionSought } from "./parent-question.ts";
import type { HostServices } from "./services.ts";

/** What the keeper needs of the task that waits. */
export interface WaitingHost {
  readonly id: string;
  readonly spec: Pick<TaskSpec, "parentId">;
  readonly services: Pick<HostServices, "clock" | "kinship">;
  readonly mailbox: Mailbox;
  readonly journal: Pick<Journal, "stage" | "flush">;
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
  /** Looks out for the end of a parent that is asked. */
  #lookout: AbortController | null = null;

  constructor(host: WaitingHost) {
    this.#host = host;
  }

  /** Keeps these waits and no others. Their timers are rows of the store, in the commit of the state that waits. */
  keep(waits: readonly PendingWait[]): void {
    if (waits === this.#open) return;
    const timed = this.#timers !== null && this.#timers.size > 0;
    this.#askParent(waits);
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
    this.#lookOut();
  }

  /** Puts questions that are new into the parent's mail (keeps W3). */
  #askParent(waits: readonly PendingWait[]): void {
    const { id, spec, journal, services } = this.#host;
    const { parentId } = spec;
    const isNew = ({ callId }: OpenQuestion): boolean => this.#open.every((each) => each.callId !== callId);
    const asked = openIn(waits).filter((each) => each.asks === "parent" && isNew(each));
    if (asked.length === 0 || parentId === null) return;
    journal.stage({ outbox: asked.map((each) => ({ to: parentId, message: questionMail(id, each) })) });
    void journal.flush().then(
      () => services.kinship.announce(parentId),
      () => {},
    );
  }

  /** Ends the questions to a parent that has ended, now or later: nobody is there to answer them. */
  #lookOut(): void {
    const { spec, services } = this.#host;
    const { parentId } = spec;
    const asked = (): readonly OpenQuestion[] =>
      this.#questions().filter(({ asks }) => asks === "parent" && parentId !== null);
    if (parentId === null || asked().length === 0) {
      this.#lookout?.abort();
      this.#lookout = null;
      return;
    }
    if (this.#lookout) return;
    const { signal } = (this.#lookout = new AbortController());
    const gone = (): void => {
      if (signal.aborted) return;
      for (const { callId } of asked()) this.#end(callId, { cause: "parent_ended" });
    };
    if (!services.kinship.isLive(parentId)) return gone();
    // Without an end it lives on elsewhere.
    void services.kinship.whenEnded(parentId, signal).then((end) => (end === null ? undefined : gone()));
  }

  /** Ends the waits whose children have all ended, and all for children when one asks something (W4). */
  check(): void {
    const { services, mailbox } = this.#host;
    const isAsked = mailbox.isAsked;
    for (const each of this.#open) {
      if (!this.#isOpen(each) || each.wait.for !== "children") continue;
      const isOver = !each.wait.taskIds.some((id) => services.kinship.isLive(id));
      if (isOver) this.#end(each.callId, { cause: "satisfied" });
      else if (isAsked) this.#end(each.callId, { cause: "asked" });
    }
  }

  /** Who is asked, and what, in words; `null` when nobody is. */
  get question(): string | null {
    const [oldest] = this.#questions();
    return oldest === undefined ? null : askedWords(oldest);
  }

  /** The question that an answer would end; `null` for none. */
  questionFor(sought: QuestionSought): OpenQuestion | null {
    return this.#questions().find((each) => isSought(each, sought)) ?? null;
  }

  /**
   * Ends the question that it names, or the oldest (keeps W2); false when there is none, and the text is mail like any
   * other. What is said in a conversation answers the question whether a call may act, and is mail all the same.
   */
  answer(message: Spoken): boolean {
    const isAnswer = message.kind === "answer";
    const isPerson = isFromPerson(message);
    const questionId = isAnswer ? message.questionId : undefined;
    const first = this.questionFor({ isAgent: !isPerson, questionId, asked: undefined });
    if (first === null || !(isAnswer || first.approval)) return false;
    if (isAnswer) this.#host.mailbox.know([message.id]);
    const { approval, prompt } = first;
    const together = this.#questions().filter((each) => approval && each.approval && each.prompt === prompt);
    const by = isPerson ? "person" : "agent";
    for (const { callId } of new Set([first, ...together]))
      this.#end(callId, { cause: "satisfied", answer: message.text, by });
    return isAnswer;
  }

  /** The questions that nobody has answered, in the order in which they are answered (W2), oldest first. */
  #questions(): readonly OpenQuestion[] {
    const open = openIn(this.#open.filter((each) => this.#isOpen(each)));
    return [...open.filter(({ approval }) => !approval), ...open.filter(({ approval }) => approval)];
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

/** What these waits ask, of those that have not ended. */
function openIn(waits: readonly PendingWait[]): readonly OpenQuestion[] {
  return waits.flatMap((each) => (each.end ? [] : (questionIn(each) ?? [])));
}

function rowName(callId: string): string {
  return `wait:${callId}`;
}

/** The class that a waiting task lends to those it waits for: never `interactive`, which is a person's own. */
function lendable(own: SchedulingClass): SchedulingClass {
  return own === "interactive" ? "resuming" : own;
}
