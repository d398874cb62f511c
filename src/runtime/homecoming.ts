// How one task goes on after a restart. What the machine did by entering a state is done again by hand here, because
// XState repeats effects but no entry actions; what only its host knew is read from the store.
// G1. Nothing acts before `task.resumed` is in the store: a task that kills the server each time is found out by it.
// G2. Mail and children are told before anything acts, as they would have been by then.
// G3. Nothing acts below a task that was to be cancelled, also before that task itself has opened its mail.
// G4. Of the tasks that the server may have died of, one at a time is taken up (suspects.ts).
// G5. Timers run to the times that were written when they were set.

import type { Clock } from "../base/clock.ts";
import { toTroupeError } from "../base/errors.ts";
import type { NewEvent } from "../core/event.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import type { TaskRecord, TaskSpec } from "../core/task.ts";
import type { ResumePoint, TimerRow } from "../store/store.ts";
import type { Journal } from "./journal.ts";
import type { LeaseHolder } from "./lease-holder.ts";
import type { Mailbox } from "./mailbox.ts";
import { wordsOf } from "./outcome.ts";
import { questionLines, showRows } from "./output-lines.ts";
import type { OutputRing } from "./output-ring.ts";
import type { Pauses } from "./pauses.ts";
import { recall } from "./recall.ts";
import { isAtWork, type ResumePlan } from "./resuming.ts";
import { cancelOrders } from "./orders.ts";
import { RETRY } from "./retry-timer.ts";
import type { HostServices } from "./services.ts";
import type { PersistedActor, StoredState } from "./stored-state.ts";
import type { TaskActor } from "./task-actor.ts";
import type { TurnState } from "./turn-state.ts";

/** Why a task ends whose ancestor was called off before a restart. */
export const CALLED_OFF = "a task above it was called off";
const AGAIN = "the server stopped and its parent begins again";

/** What a homecoming needs of the task that comes home. */
export interface ReturningHost {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly services: Pick<
    HostServices,
    "redact" | "store" | "patience" | "kinship" | "clock" | "random" | "suspects"
  >;
  readonly journal: Journal;
  readonly mailbox: Mailbox;
  readonly turn: TurnState;
  readonly leases: Pick<LeaseHolder, "request">;
  readonly ring: OutputRing;
  /** It was called off meanwhile: its end is on its way. */
  readonly ending: boolean;
  /** The snapshot as it is to be stored. */
  stored(): unknown;
  announceMail(): Promise<void>;
  callOff(reason: string): void;
  childSpawned(): void;
  readonly pauses: Pauses;
  send(event: { readonly type: "admitted" }): void;
}

export interface HomecomingOptions {
  readonly host: ReturningHost;
  readonly actor: TaskActor;
  readonly plan: ResumePlan;
  readonly point: ResumePoint;
  readonly record: TaskRecord;
}

export class Homecoming {
  readonly #options: HomecomingOptions;
  /** The state that it goes on from; `null` where there is none, or none that is of use. */
  readonly stored: StoredState | null;
  readonly plan: ResumePlan;
  #resumes: number;
  #isCalledOff: Promise<boolean> | null = null;

  constructor(options: HomecomingOptions) {
    const { host, actor, plan, point, record } = options;
    this.#options = options;
    this.plan = plan;
    this.stored = "stored" in plan ? plan.stored : null;
    this.#resumes = this.stored ? (this.stored.resumes ?? 0) + (isAtWork(this.stored) ? 1 : 0) : 0;
    if (this.stored && plan.kind !== "run_again") actor.restore(this.stored);
    if (plan.kind === "run_again") {
      const isSession = record.spec.kind === "session";
      // A clock that was set back makes no pause longer.
      const longestMs = this.stored?.actor.context.backoffMs ?? 0;
      const pauseMs = Math.min(pauseIn(point.timers, host.services.clock), longestMs);
      actor.restart({ run: record.run + (isSession ? 0 : 1), turn: record.turn }, pauseMs);
    }
    if (plan.kind === "wait") actor.open(() => {});
    // What the record calls begun may not have been written: only rows say that a run has its goal.
    host.turn.begunTurn = 0;
    host.turn.begunRun = 0;
    if (point.lastIndex > 0) host.turn.memory = () => this.#remember();
  }

  /** How the scheduler is to take it. */
  get returning(): "queued" | "live" | "parked" {
    if (this.plan.kind === "go_on") return this.plan.returning;
    return this.plan.kind === "run_again" ? "live" : "queued";
  }

  /** The words that it is shown with from now on. */
  get words(): { readonly state: State; readonly phase: Phase | null } {
    const { actor } = this.#options;
    const persisted = actor.persist();
    return persisted ? wordsOf(persisted.value) : { state: "spawned", phase: "queued" };
  }

  /** How often the server died with it at work since its last finished turn. */
  get resumes(): number {
    return this.#resumes;
  }

  /** A turn of it has finished: the server did not die of it. */
  progressed(): void {
    this.#resumes = 0;
    this.passed();
  }

  /** It is not what the server dies of next, as far as can be seen: it waits for somebody, or lets go. */
  passed(): void {
    this.#options.host.services.suspects.passed(this.#options.host.id);
  }

  /** The server stops by itself: nobody died of this task. True when that changes what is stored. */
  forgive(): boolean {
    const counted = this.#resumes > 0;
    this.#resumes = 0;
    return counted;
  }

  /** Takes the task up again, once it was admitted where it must be. Never rejects: a journal that breaks says so. */
  async goOn(): Promise<void> {
    const { host, plan } = this.#options;
    try {
      if (plan.kind === "go_on" && plan.returning === "parked") return await this.#wait();
      // It is called off already, and would never say that it has passed.
      if (host.ending) return;
      await host.services.suspects.turn(host.id, this.#resumes);
      if (plan.kind === "go_on") await this.#work();
      else if (plan.kind === "run_again") await this.#runAgain();
    } catch (thrown) {
      host.journal.break(toTroupeError(thrown));
    }
  }

  /**
   * Whether an order to cancel it lies in its mail. It is only looked for: the task opens its mail when its turn comes.
   * Rejects with what the store throws.
   */
  isCalledOff(): Promise<boolean> {
    return (this.#isCalledOff ??= this.#lookForCancel());
  }

  async #lookForCancel(): Promise<boolean> {
    const { host, point } = this.#options;
    const { store, patience } = host.services;
    const mail = await patience.call("inbox", () => store.inbox(host.id, point.inboxCursor));
    return mail.some(({ message }) => message.kind === "cancel");
  }

  /** Opens its mail before it begins for the first time; resolves when it may, if it has not ended by then (G2, G3). */
  async hear(): Promise<void> {
    try {
      await this.#hear();
    } catch (thrown) {
      this.#options.host.journal.break(toTroupeError(thrown));
    }
  }

  async #wait(): Promise<void> {
    const { host, actor, point } = this.#options;
    const context = actor.persist()?.context;
    if (context) host.pauses.goOnWaiting(context.waits, point.timers);
    // Who is asked must be able to read what, although the rest of the output stays unread until it goes on.
    for (const line of questionLines(context?.waits ?? [])) host.ring.line(host.services.redact(line));
    await this.#hear();
    actor.open(() => {});
  }

  async #work(): Promise<void> {
    const { host, actor, plan, point } = this.#options;
    await host.turn.memory?.();
    if (host.ending) return;
    const was = plan.kind === "go_on" ? (plan.phase ?? plan.state) : "queued";
    await this.#record([{ type: "task.resumed", data: { policy: "resume", was, resumes: this.#resumes } }]);
    await this.#hear();
    actor.open((snapshot) => this.#begin(snapshot, point.timers));
  }

  /** Another run knows nothing of the children of the one before: they end, and are not told of. */
  async #runAgain(): Promise<void> {
    const { host, actor, record, point } = this.#options;
    const { kinship } = host.services;
    await host.turn.memory?.();
    if (host.ending) return;
    await host.announceMail();
    if (host.ending) return;
    const isTask = host.spec.kind === "task";
    if (isTask) {
      host.mailbox.know(kinship.liveChildren(host.id));
      host.mailbox.knowCompletions();
      host.journal.stage(cancelOrders(host, AGAIN));
    }
    const was = record.phase ?? record.state;
    const resumes = Math.max(1, this.#resumes);
    await this.#record([{ type: "task.resumed", data: { policy: "restart", was, resumes } }]);
    if (isTask) kinship.cancelChildren(host.id, AGAIN);
    await this.#hear();
    actor.open((snapshot) => this.#begin(snapshot, point.timers));
    host.send({ type: "admitted" });
  }

  /** Keeps G1. */
  #record(events: readonly NewEvent[]): Promise<void> {
    const { journal } = this.#options.host;
    journal.stage({ ...this.words, events, snapshot: this.#options.host.stored() });
    return journal.flush();
  }

  /** Keeps G2 and G3: completions are announced before the children that they are of are counted out. */
  async #hear(): Promise<void> {
    const { host } = this.#options;
    await host.announceMail();
    if (!host.ending && (await host.services.kinship.isCalledOff(host.spec))) host.callOff(CALLED_OFF);
    host.childSpawned();
  }

  /** What the entry actions of the state once began. */
  #begin({ value, context }: PersistedActor, timers: readonly TimerRow[]): void {
    const { host } = this.#options;
    const { phase } = wordsOf(value);
    if (phase === "waiting_slot") host.leases.request(context.ticket);
    // It looks at once whether its server is back, since nobody may be left who would wake it.
    const pauseMs = this.stored?.held === true ? 0 : context.backoffMs;
    if (phase === "backing_off") host.pauses.goOnRetrying({ ...context, backoffMs: pauseMs }, timers);
  }

  async #remember(): Promise<void> {
    const { host, point } = this.#options;
    const { store, patience } = host.services;
    const { turn } = host;
    const recalled = await recall({ store, patience, taskId: host.id, lastIndex: point.lastIndex });
    if (turn.memory === null) return;
    turn.memory = null;
    turn.begunTurn = recalled.begunTurn;
    turn.begunRun = recalled.begunRun;
    turn.openCalls = [...recalled.openCalls];
    turn.intended = recalled.intended;
    turn.answer = recalled.answer;
    showRows(host.ring, recalled.newest);
  }
}

/** What is left of the pause before a further try: a server that asked for it gets it from another run too. */
function pauseIn(timers: readonly TimerRow[], clock: Clock): number {
  const dueAt = timers.find(({ name }) => name === RETRY)?.dueAt ?? 0;
  return Math.max(0, dueAt - clock.now());
}
