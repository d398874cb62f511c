// What the witness remembers of each task from one fact to the next, for the checks that ask whether things happened in
// time and as often as they may: turns, tries and runs, waits and their times, active time, orders to stop.

import type { NewEvent } from "../../src/core/event.ts";
import type { Usage } from "../../src/core/limits.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import type { StoredState } from "../../src/runtime/stored-state.ts";
import type { Fact, FactOf } from "./facts.ts";
import { CANCEL_DEADLINE_MS } from "./settings.ts";
import { subtreeOf, type Model, type ModelTask } from "./model.ts";
import { blankPage, NO_TRY, WAITS_MS, type Page, type Stop } from "./page.ts";
import type { World } from "./world.ts";

/** A turn has finished, or its last call has: nobody died of it. */
export function isTurnDone({ events = [] }: CommitWrite, openCalls: number): boolean {
  return openCalls <= 0 && events.some(({ type }) => type === "turn.finished" || type === "tool.finished");
}

/** What the server may have died of. */
const AT_WORK: ReadonlySet<string> = new Set(["starting", "generating", "calling_tools"]);

export class Diary {
  readonly pages = new Map<string, Page>();
  /** The store answers at once and never fails, and the clock never jumps: what is due is done in the same step. */
  readonly exact: boolean;
  /** Streams and tools let go as soon as they are told. */
  readonly obedient: boolean;
  readonly keepsEvents: boolean;
  /** How long the store answers nothing at all. */
  readonly awayMs: number;
  /** Since when the server has answered; `null` while none does or it is on its way out. */
  readyAt: number | null = null;
  lives = 0;
  escalated = false;
  /** The server is on its way out, and nobody died of what it does. */
  isClosing = false;
  readonly #now: () => number;
  readonly #model: Model;
  /** What generations in flight have reserved, and what tasks have used, by task. */
  readonly reserved = new Map<string, FactOf<"generation.began">["reserves"]>();
  readonly used = new Map<string, Usage>();
  /** Limits that were warned of, by life, task and kind. */
  readonly warned = new Set<string>();
  /** When each message was put into its inbox first, by task and id. */
  readonly sentAt = new Map<string, number>();
  readonly #inputs = new Map<string, unknown>();

  constructor(world: World, model: Model, now: () => number) {
    const { mostMs, lossy, full, away } = world.store;
    this.exact =
      mostMs === 0 && lossy === 0 && full.length === 0 && away === null && world.jumps.length === 0;
    this.obedient = world.stubbornness === 0;
    this.keepsEvents = world.maxEvents === null;
    this.awayMs = away === null ? 0 : away.toMs - away.fromMs;
    this.#model = model;
    this.#now = now;
  }

  page(taskId: string): Page {
    const known = this.pages.get(taskId);
    if (known) return known;
    const made = blankPage(this.#now());
    this.pages.set(taskId, made);
    return made;
  }

  /** How long it has been active in this run, by what it generated and ran. */
  activeMs(page: Page): number {
    return page.activeMs + (page.activeSince === null ? 0 : this.#now() - page.activeSince);
  }

  /** Notes a fact, once the checks have seen it. */
  note(fact: Fact): void {
    switch (fact.kind) {
      case "submitted":
        this.page(fact.spec.id);
        return;
      case "life.began":
        return this.#beginLife();
      case "life.ready":
        this.readyAt = this.#now();
        return;
      case "closing":
        return this.#letGo();
      case "life.ended":
        return this.#endLife();
      case "committed":
        return this.#committed(fact);
      case "generation.began":
        this.reserved.set(fact.taskId, fact.reserves);
        this.page(fact.taskId).generations.set(fact.nth, null);
        return this.#begins(this.page(fact.taskId));
      case "tool.began":
        return this.#begins(this.page(fact.taskId));
      case "generation.aborted":
        // What it used is booked as soon as nobody waits for it.
        this.reserved.delete(fact.taskId);
        this.page(fact.taskId).generations.set(fact.nth, this.#now());
        return;
      case "generation.ended":
        this.reserved.delete(fact.taskId);
        this.page(fact.taskId).generations.delete(fact.nth);
        this.page(fact.taskId).interruptedAt = null;
        return;
      case "lease":
        return this.#lease(this.page(fact.taskId), fact.held);
      case "sent":
        this.sentAt.set(`${fact.taskId} ${fact.message.id}`, this.#now());
        return;
      case "called":
        // It acts before it is acknowledged, and though its answer may be lost.
        if (fact.call.name === "stop" && fact.call.taskId !== null)
          this.page(fact.call.taskId).wasStopped = true;
        return;
      case "returned":
        return this.#returned(fact);
      default:
    }
  }

  /** Nothing of the task generates or runs any more. */
  rests(taskId: string): void {
    const page = this.page(taskId);
    page.activeMs = this.activeMs(page);
    page.activeSince = null;
  }

  #lease(page: Page, held: boolean): void {
    page.holdsLease = held;
    if (held) page.leasedAt = this.#now();
  }

  #begins(page: Page): void {
    page.activeSince ??= this.#now();
  }

  #beginLife(): void {
    this.lives++;
    for (const [taskId, page] of this.pages) {
      const task = this.#model.tasks.get(taskId);
      const suspects = task?.state === "steering" || AT_WORK.has(task?.phase ?? "");
      page.resumes = page.storedResumes === null ? 0 : page.storedResumes + (suspects ? 1 : 0);
      // One that begins again waits for a place to do so, and no more for what the run before waited for.
      if (task?.spec.kind === "task" && task.spec.limits.onRestart === "restart") page.waits.clear();
    }
  }

  /** The server is on its way out: what it promised, the next one keeps. */
  #letGo(): void {
    this.readyAt = null;
    this.isClosing = true;
    for (const page of this.pages.values()) {
      Object.assign(page, { endBy: null, interruptedAt: null, spokenToAt: null });
    }
  }

  #endLife(): void {
    this.readyAt = null;
    this.reserved.clear();
    for (const page of this.pages.values()) {
      page.activeMs = page.storedMs;
      Object.assign(page, { activeSince: null, endBy: null, interruptedAt: null, spokenToAt: null });
      Object.assign(page, { holdsLease: false, abandonedAt: null });
      page.generations.clear();
      if (page.stop?.firm === false) page.stop = null;
    }
    this.isClosing = false;
  }

  #committed({ taskId, write }: FactOf<"committed">): void {
    const page = this.page(taskId);
    const { activeMs, resumes, ending } = (write.snapshot ?? {}) as Partial<StoredState>;
    if (ending !== undefined) {
      page.isEnding = true;
      // It goes on with none of its calls, and ends when its children have.
      page.waits.clear();
    }
    if (activeMs !== undefined) page.storedMs = activeMs;
    if (write.snapshot !== undefined) page.storedResumes = resumes ?? 0;
    if (write.snapshot !== undefined && page.stop) page.stop.firm = true;
    if (write.phase !== undefined) page.spokenToAt = null;
    if (write.usage) this.used.set(taskId, write.usage);
    const turn = write.turn ?? this.#model.tasks.get(taskId)?.turn ?? 0;
    for (const event of write.events ?? []) this.#event({ taskId, turn }, page, event);
    if (isTurnDone(write, page.openCalls)) page.resumes = 0;
    // What is said beside them in any order: a run that failed waits for nothing, and who listens has no turn open.
    if (write.events?.some(({ type }) => type === "run.failed") === true) page.waits.clear();
    if (write.phase === "waiting_input") page.turnOpen = 0;
    if (write.terminal) this.#forget(page);
  }

  #forget(page: Page): void {
    page.waits.clear();
    Object.assign(page, { endBy: null, interruptedAt: null, spokenToAt: null, stop: null });
  }

  #event(
    { taskId, turn }: { readonly taskId: string; readonly turn: number },
    page: Page,
    { type, data }: NewEvent,
  ): void {
    if (type === "turn.started") {
      // More mail may be folded into a turn that is open.
      if (page.turnOpen !== turn) page.tries = 0;
      page.turnOpen = turn;
      page.openCalls = 0;
      page.nextRun = null;
      page.waits.clear();
    } else if (type === "turn.finished") {
      page.finished++;
      page.openCalls = data.toolCalls;
      page.tries = 0;
      page.turnOpen = 0;
    } else if (type === "generation.retried") page.tries += NO_TRY.has(data.code) ? 0 : 1;
    else if (type === "run.failed") {
      page.tries = 0;
      page.turnOpen = 0;
      page.waits.clear();
      if (data.retryInMs !== null) Object.assign(page, { finished: 0, retries: page.retries + 1 });
    } else if (type === "tool.requested") this.#inputs.set(`${taskId} ${data.callId}`, data.input);
    else if (type === "tool.suspended") {
      const dueIn = this.#waitMs(taskId, data);
      page.waits.set(data.callId, {
        dueAt: dueIn === null ? null : this.#now() + dueIn,
        taskIds: data.taskIds,
      });
    } else if (type === "tool.resumed" || type === "tool.finished") {
      page.waits.delete(data.callId);
      if (type === "tool.finished") page.openCalls--;
    } else if (type === "task.resumed" && data.policy === "restart") this.#beginsAgain(taskId, page);
    else if (type === "agent.escalated") this.escalated = true;
    else if (type === "budget.warned") this.warned.add(`${this.lives - 1} ${data.budgetOf} ${data.kind}`);
  }

  #waitMs(
    taskId: string,
    { callId, tool }: { readonly callId: string; readonly tool: string },
  ): number | null {
    const known = WAITS_MS[tool];
    if (known !== undefined) return known;
    const { timeout } = (this.#inputs.get(`${taskId} ${callId}`) ?? {}) as { readonly timeout?: number };
    return tool === "collect_task" && timeout !== undefined ? timeout * 1_000 : null;
  }

  /** Another run begins, and knows nothing of the children of the one before. */
  #beginsAgain(taskId: string, page: Page): void {
    const task = this.#model.tasks.get(taskId) as ModelTask;
    page.waits.clear();
    Object.assign(page, { finished: 0, tries: 0, turnOpen: 0 });
    if (task.spec.kind !== "task") return;
    page.nextRun = task.run + 1;
    for (const childId of task.children) {
      const child = this.#model.tasks.get(childId);
      if (child && !child.end && !child.spec.detached) this.page(childId).abandonedAt = this.#now();
    }
  }

  #returned({ call, answer }: FactOf<"returned">): void {
    const { name, taskId } = call;
    const task = taskId === null ? undefined : this.#model.tasks.get(taskId);
    if (!task || this.readyAt === null) return;
    const now = this.#now();
    if (name === "cancel" || name === "force") {
      const endBy = now + (name === "force" ? 0 : CANCEL_DEADLINE_MS);
      for (const { spec, end } of subtreeOf(this.#model, task.spec.id)) {
        const page = this.page(spec.id);
        if (!end) page.endBy = Math.min(page.endBy ?? Infinity, endBy);
      }
      return;
    }
    const page = this.page(task.spec.id);
    if (name === "stop" && !task.end) {
      page.stop = this.#stopOf(task);
      page.waits.clear();
    }
    const { steerId } = (answer ?? {}) as { readonly steerId?: string };
    const mail = task.inbox.find(({ message }) => message.id === steerId);
    if (mail?.state !== "queued") return;
    // Whose conversation it is cannot be seen of a session that was only ever steered.
    const generates = task.phase === "generating" && page.holdsLease && page.generations.size > 0;
    if (name === "interrupt" && generates) page.interruptedAt = now;
    // One that is being cancelled listens to nobody any more.
    const isCancelled = task.inbox.some(({ message }) => message.kind === "cancel");
    if (name === "message" && task.phase === "waiting_children" && !isCancelled) page.spokenToAt = now;
  }

  #stopOf({ inbox, children }: ModelTask): Stop {
    const alive = children.filter((id) => {
      const child = this.#model.tasks.get(id);
      return child?.end === null && !child.spec.detached;
    });
    return { mails: inbox.length, hushed: new Set(alive), firm: false };
  }
}
