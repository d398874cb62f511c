// One living task: its actor, its journal, and what the actor's tags allow it to hold. The machine decides; the host
// follows; what the effects do stands in effects.ts.
// H1. A lease is held only under the tag `holds_lease`, and released only after the generation that used it has
//     let go of its socket, or the cancel deadline has passed.
// H2. A place is given back under the tag `waiting`; the active clock runs only under `active_time`.
// H3. After a restart nothing of a task acts before that it was taken up again is in the store (homecoming.ts).
// How it ends is in ending.ts.

import type { AgentEmitted, AgentEvent, AgentOutput, AgentSnapshot } from "../../machines/agent.ts";
import { toTroupeError, type TroupeError } from "../base/errors.ts";
import { higherClass, type Phase, type SchedulingClass, type State } from "../core/lifecycle.ts";
import type { TaskFailure, TaskSpec } from "../core/task.ts";
import { AGENT_MACHINE_VERSION } from "../../machines/agent.ts";
import type { Claim, CommitWrite } from "../store/store.ts";
import { activityClockOf, type ActivityClock } from "./activity-clock.ts";
import { Ending } from "./ending.ts";
import { Homecoming } from "./homecoming.ts";
import { Journal } from "./journal.ts";
import { LeaseHolder } from "./lease-holder.ts";
import { MailDesk } from "./mail-desk.ts";
import { Mailbox } from "./mailbox.ts";
import { Pauses } from "./pauses.ts";
import { OutputRing } from "./output-ring.ts";
import { wordsOf } from "./outcome.ts";
import { planResume } from "./resuming.ts";
import type { HostServices } from "./services.ts";
import { memoOf, type StoredState } from "./stored-state.ts";
import { TaskActor } from "./task-actor.ts";
import { isProgress, TurnState } from "./turn-state.ts";
import { WorkInFlight } from "./work-in-flight.ts";

export class TaskHost {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly services: HostServices;
  readonly journal: Journal;
  readonly mailbox: Mailbox;
  readonly turn: TurnState;
  readonly leases: LeaseHolder;
  /** How it goes on after a restart; `null` for a new task. */
  readonly homecoming: Homecoming | null;
  #pauses: Pauses | null = null;
  #clock: ActivityClock | null = null;
  #ring: OutputRing | null = null;
  readonly #actor: TaskActor;
  #state: State = "spawned";
  #phase: Phase | null = "queued";
  readonly work = new WorkInFlight();
  #ending = false;
  #end: Ending | null = null;
  /** What an effect came to, until the state that follows it is written. */
  #kept: CommitWrite | null = null;
  #inherited: SchedulingClass | null = null;
  readonly #desk: MailDesk;

  constructor(services: HostServices, claim: Claim) {
    this.id = claim.taskId;
    this.spec = claim.record.spec;
    this.services = services;
    const { store, patience } = services;
    const { record, resume } = claim;
    const plan = resume === null ? null : planResume(claim);
    this.journal = new Journal({ store, patience, claim, onBroken: (error) => this.#broken(error) });
    const memo = plan !== null && "stored" in plan ? plan.stored : null;
    this.mailbox = new Mailbox({
      store,
      patience,
      taskId: this.id,
      ...(resume && { cursor: resume.inboxCursor, isReturning: true }),
      ...(memo?.told && { told: memo.told }),
      ...(memo?.quiet && { quiet: memo.quiet }),
    });
    this.turn = new TurnState(record, memo?.reroutes);
    this.leases = new LeaseHolder(this);
    this.#desk = new MailDesk(this);
    const actor = (this.#actor = new TaskActor(this));
    this.homecoming = plan && resume && new Homecoming({ host: this, actor, plan, point: resume, record });
    if (!this.homecoming) return;
    ({ state: this.#state, phase: this.#phase } = this.homecoming.words);
  }

  /** The state and phase as shown: an end shows only once it is in the store. */
  get words(): { readonly state: State; readonly phase: Phase | null } {
    const { record } = this.journal;
    return record.end ? { state: record.state, phase: null } : { state: this.#state, phase: this.#phase };
  }

  get ending(): boolean {
    return this.#ending;
  }

  get ring(): OutputRing {
    return (this.#ring ??= new OutputRing());
  }

  /** The last lines of output; makes no ring for a task that wrote none. */
  tail(count: number): readonly string[] {
    return this.#ring?.tail(count) ?? [];
  }

  /** The class that its turns wait in: its own, or what it inherited from a task that waits for it. */
  get schedulingClass(): SchedulingClass {
    const own = this.spec.schedulingClass;
    return this.#inherited === null ? own : higherClass(this.#inherited, own);
  }

  /** Its deadline runs from now on. There is no actor yet: the first event makes it. */
  start(): void {
    if (this.spec.limits.deadlineMs !== null) this.#clock = this.#makeClock();
  }

  send(event: AgentEvent): void {
    this.#actor.send(event);
  }

  show(delta: AgentEmitted): void {
    if (delta.channel === "text") this.ring.write(delta.text);
    this.services.showDelta(this.spec, { ...delta, seq: this.journal.record.seq });
  }

  /** Marks the task as called off; with `force` its end does not wait for what it was doing. */
  cancel(reason: string, force: boolean): void {
    // A subtree is reached over each ancestor that ends; only the first word counts, and a later force.
    if (this.#ending && !force) return;
    this.journal.event({ type: "cancel.requested", data: { reason, force } });
    // Not taken up again yet: it ends where it is.
    if (this.#actor.isClosed) this.#endHere({ state: "cancelled", reason });
    else this.send({ type: "cancel", reason });
    if (force) this.#end?.force();
  }

  /** Ends it before anything of it acted: its parent has ended. */
  callOff(reason: string): void {
    if (this.homecoming) this.#endHere({ state: "cancelled", reason });
    else this.cancel(reason, false);
  }

  /** Ends it before anything of it acted: it cannot begin, or go on. */
  giveUp(failure: TaskFailure): void {
    this.#endHere({ state: "failed", failure });
  }

  #endHere(output: AgentOutput): void {
    this.#actor.stop();
    this.finish(output);
  }

  /** Whether it generates, runs a tool, or is being made ready. */
  get isActive(): boolean {
    return this.work.isActive;
  }

  /** Resolves when what it wrote is in the store, or cannot be. The box stops: no fault of a task that has not ended. */
  settle(): Promise<void> {
    const isForgiven = !this.#ending && !this.#actor.isClosed && this.homecoming?.forgive() === true;
    if (isForgiven) this.journal.stage({ snapshot: this.stored() });
    return this.journal.flush();
  }

  /** Tells the machine of new inbox entries. Never rejects: a task whose mail cannot be read is let go. */
  announceMail(): Promise<void> {
    return this.mailbox
      .read((entry) => this.#desk.announce(entry))
      .catch((thrown: unknown) => this.journal.break(toTroupeError(thrown)));
  }

  childSpawned(): void {
    this.send({ type: "children.changed", live: this.services.kinship.liveCount(this.id) });
  }

  /** A child has ended and its completion was announced. */
  childEnded(): void {
    this.childSpawned();
    this.#pauses?.check();
  }

  /** The runtime closes: stops timers and effects, and leaves the task to whoever claims it next. */
  abandon(): void {
    this.#ending = true;
    this.journal.close();
    this.#stopTimers();
    this.#actor.stop();
  }

  /** Children whose cancellation a person caused: their completions wait for the next turn and begin none. */
  hush(childIds: readonly string[]): void {
    this.mailbox.hush(childIds);
  }

  /** Ends the oldest wait for a person; false when there is none, or the text is mail as well. */
  answerWait(message: Parameters<Pauses["answer"]>[0]): boolean {
    return this.#pauses?.answer(message) ?? false;
  }

  inheritClass(schedulingClass: SchedulingClass | null): void {
    this.#inherited = schedulingClass;
    this.services.scheduler.setClass(this.id, this.schedulingClass);
  }

  get pauses(): Pauses {
    return (this.#pauses ??= new Pauses(this));
  }

  /** What the machine has become: takes and gives back what its tags say. */
  follow(snapshot: AgentSnapshot): void {
    if (this.#ending) return;
    if (snapshot.status === "done") return this.finish(snapshot.output as AgentOutput);
    const { state, phase } = wordsOf(snapshot.value);
    const waited = this.#phase;
    const moved = state !== this.#state || phase !== waited;
    this.#state = state;
    this.#phase = phase;
    if (snapshot.hasTag("active_time")) this.#startClock();
    else this.#clock?.stop();
    if (!snapshot.hasTag("holds_lease")) this.leases.drop();
    if (waited === "waiting_slot" && moved && !this.leases.held) this.leases.withdraw();
    if (waited === "backing_off" && moved) this.#pauses?.endRetry();
    if (phase === "backing_off" || snapshot.hasTag("waiting")) this.homecoming?.passed();
    if (snapshot.hasTag("waiting") && this.spec.kind === "task") this.leases.park();
    const waits = snapshot.hasTag("waiting") ? snapshot.context.waits : [];
    if (waits.length > 0 || this.#pauses) this.pauses.keep(waits);
    if (this.#kept) this.journal.stage(this.#kept);
    this.#kept = null;
    if (!moved && !this.#actor.hasOtherWaits(snapshot)) return;
    const { run, turn } = snapshot.context;
    this.turn.shownTurn = turn;
    this.journal.stage({ state, phase, run, turn, snapshot: this.stored() });
    this.journal.flush().catch(() => {});
  }

  /** The machine has heard what its effect came to. */
  keepOutcome(): void {
    this.#kept = this.turn.outcome?.() ?? null;
    this.turn.outcome = null;
    if (this.turn.openCalls.length === 0 && isProgress(this.#kept ?? {})) this.homecoming?.progressed();
  }

  /** What the store keeps of it besides its rows. */
  stored(): StoredState | null {
    const actor = this.#actor.persist();
    if (!actor) return null;
    return {
      machine: AGENT_MACHINE_VERSION,
      activeMs: Math.round(this.#clock?.usedMs ?? this.homecoming?.stored?.activeMs ?? 0),
      actor,
      ...(this.#actor.isStopped && { stopped: true as const }),
      ...memoOf(this.mailbox, this.turn, this.homecoming?.resumes ?? 0),
    };
  }

  #startClock(): void {
    this.#clock ??= this.#makeClock();
    this.#clock.start();
  }

  #makeClock(): ActivityClock {
    const usedMs = this.homecoming?.stored?.activeMs ?? 0;
    return activityClockOf({ spec: this.spec, usedMs }, this.services.clock, (failure) =>
      this.#actor.isClosed ? this.giveUp(failure) : this.send({ type: "limit.reached", failure }),
    );
  }

  /** Ends it, by its machine's word or because it cannot go on; its actor hears nothing more. */
  finish(output: AgentOutput): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#stopTimers();
    const kept = this.#kept;
    this.#kept = null;
    this.#end = new Ending(this, output, kept);
  }

  #stopTimers(): void {
    this.homecoming?.passed();
    this.#clock?.end();
    this.#pauses?.endRetry();
    this.#pauses?.keep([]);
  }

  /** A defect of Troupe: the actor itself broke. The task still ends, once, as failed. */
  defect(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.services.logger.error("the actor of a task broke", { task: this.id, message });
    const failure = { code: "internal", message: `Troupe failed: ${message}`, retryable: false };
    this.finish({ state: "failed", failure });
  }

  /** The store refused or failed for good: nothing of this host may act any more, and nothing is acknowledged. */
  #broken(error: TroupeError): void {
    const { logger, scheduler, kinship } = this.services;
    const { code, message } = error;
    logger.error("a task is lost to the store; its host lets go", { task: this.id, code, message });
    this.#ending = true;
    this.#stopTimers();
    this.send({ type: "cancel", reason: error.message });
    this.leases.forget();
    scheduler.end(this.id);
    kinship.lost(this.id);
  }
}
