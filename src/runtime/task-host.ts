// One living task: its actor, its journal, and what the actor's tags allow it to hold. The machine decides; the host
// follows; what the effects do stands in effects.ts.
// H1. A lease is held only under the tag `holds_lease`, and released only after the generation that used it has
//     let go of its socket, or the cancel deadline has passed.
// H2. A place is given back under the tag `waiting`; the active clock runs only under `active_time`.
// H3. The end is committed after everything the task did has stopped (or by force, after the deadline), once.
// H4. The completion reaches the parent's inbox in the same commit as the end.

import type {
  AgentContext,
  AgentEmitted,
  AgentEvent,
  AgentOutput,
  AgentSnapshot,
} from "../../machines/agent.ts";
import { toTroupeError, type TroupeError } from "../base/errors.ts";
import { higherClass } from "../core/lifecycle.ts";
import type { Phase, SchedulingClass, State } from "../core/lifecycle.ts";
import type { TaskSpec } from "../core/task.ts";
import type { Claim } from "../store/store.ts";
import { activityClockOf, type ActivityClock } from "./activity-clock.ts";
import { Journal } from "./journal.ts";
import { LeaseHolder } from "./lease-holder.ts";
import { MailDesk } from "./mail-desk.ts";
import { Mailbox } from "./mailbox.ts";
import { OutputRing } from "./output-ring.ts";
import { endEvent, endOf, wordsOf } from "./outcome.ts";
import { RetryTimer } from "./retry-timer.ts";
import type { HostServices } from "./services.ts";
import { Settling } from "./settling.ts";
import { TaskActor } from "./task-actor.ts";
import { WaitKeeper } from "./wait-keeper.ts";
import { TurnState, UNKNOWN_FAILURE } from "./turn-state.ts";
import { WorkInFlight } from "./work-in-flight.ts";

const RELEASED = { type: "task.released", data: {} } as const;

export class TaskHost {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly services: HostServices;
  readonly journal: Journal;
  readonly mailbox: Mailbox;
  readonly turn: TurnState;
  readonly leases: LeaseHolder;
  #waits: WaitKeeper | null = null;
  #clock: ActivityClock | null = null;
  #ring: OutputRing | null = null;
  readonly #actor: TaskActor;
  #state: State = "spawned";
  #phase: Phase | null = "queued";
  readonly work = new WorkInFlight();
  #retry: RetryTimer | null = null;
  #ending = false;
  #settling: Settling | null = null;
  #inherited: SchedulingClass | null = null;
  readonly #desk: MailDesk;

  constructor(services: HostServices, claim: Claim) {
    this.id = claim.taskId;
    this.spec = claim.record.spec;
    this.services = services;
    const { store, patience } = services;
    this.journal = new Journal({ store, patience, claim, onBroken: (error) => this.#broken(error) });
    this.mailbox = new Mailbox({ store, patience, taskId: this.id });
    this.turn = new TurnState(claim.record);
    this.leases = new LeaseHolder(this);
    this.#desk = new MailDesk(this);
    this.#actor = new TaskActor(this);
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
    this.#ring ??= new OutputRing();
    return this.#ring;
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
    this.send({ type: "cancel", reason });
    if (force) this.#settling?.force();
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
    this.#waits?.check();
  }

  /** The runtime closes: stops the timers and the effects, and leaves the task to whoever claims it next. */
  abandon(): void {
    this.#ending = true;
    this.journal.close();
    this.#stopTimers();
    this.#actor.stop();
  }

  /** Children whose cancellation a person caused: their completions wait for the next turn and begin none. */
  hush(childIds: readonly string[]): void {
    this.#desk.hush(childIds);
  }

  /** Ends the oldest wait for a person; false when there is none. */
  answerWait(messageId: string, text: string): boolean {
    return this.#waits?.answer(messageId, text) ?? false;
  }

  inheritClass(schedulingClass: SchedulingClass | null): void {
    this.#inherited = schedulingClass;
    this.services.scheduler.setClass(this.id, this.schedulingClass);
  }

  /** Tells whoever talks to a session why its agent gave no answer. */
  reportFailure(): void {
    const { code, message } = this.turn.lastFailure ?? UNKNOWN_FAILURE;
    this.journal.event({ type: "run.failed", data: { code, message, retryInMs: null } });
  }

  /** Records the failed try and wakes the machine when its pause is over. */
  armRetry(context: Pick<AgentContext, "tries" | "backoffMs">): void {
    this.#retry ??= new RetryTimer(this);
    this.#retry.arm(context);
  }

  /** What the machine has become: takes and gives back what its tags say. */
  follow(snapshot: AgentSnapshot): void {
    if (this.#ending) return;
    if (snapshot.status === "done") return this.#finish(snapshot.output as AgentOutput);
    const { state, phase } = wordsOf(snapshot.value);
    const moved = state !== this.#state || phase !== this.#phase;
    const waited = this.#phase;
    this.#state = state;
    this.#phase = phase;
    if (snapshot.hasTag("active_time")) this.#startClock();
    else this.#clock?.stop();
    if (!snapshot.hasTag("holds_lease")) this.leases.drop();
    if (waited === "waiting_slot" && moved && !this.leases.held) this.leases.withdraw();
    if (waited === "backing_off" && moved) this.#retry?.cancel();
    if (snapshot.hasTag("waiting") && this.spec.kind === "task") this.leases.park();
    this.#followWaits(snapshot);
    if (!moved) return;
    const { run, turn } = snapshot.context;
    this.journal.stage({
      state,
      phase,
      run,
      turn,
      snapshot: this.#actor.persist(Math.round(this.#clock?.usedMs ?? 0)),
    });
    this.journal.flush().catch(() => {});
  }

  #followWaits(snapshot: AgentSnapshot): void {
    const open = snapshot.hasTag("waiting") ? snapshot.context.waits : [];
    if (open.length === 0 && !this.#waits) return;
    this.#waits ??= new WaitKeeper(this);
    this.#waits.keep(open);
  }

  #startClock(): void {
    this.#clock ??= this.#makeClock();
    this.#clock.start();
  }

  #makeClock(): ActivityClock {
    return activityClockOf(this.spec, this.services.clock, (failure) =>
      this.send({ type: "limit.reached", failure }),
    );
  }

  #finish(output: AgentOutput): void {
    this.#ending = true;
    this.#stopTimers();
    const { kinship, clock, settings } = this.services;
    kinship.cancelChildren(this.id, `its parent ended (${output.state})`);
    this.leases.drop();
    const work = this.work.settled();
    const children = kinship.liveCount(this.id) > 0 ? kinship.childless(this.id) : null;
    // Even with nothing to wait for: whoever got the lease begins its turn before this end is written.
    this.#settling = new Settling({
      clock,
      deadlineMs: settings.cancelDeadlineMs,
      // Mail that is being read is told of, if only as undelivered.
      work: Promise.all([work, children, this.mailbox.settled]),
      conclude: (settled) => this.#conclude(output, settled),
    });
  }

  /** Commits the end. `settled` is false when something of the task would not let go in time. */
  #conclude(output: AgentOutput, settled: boolean): void {
    const { scheduler, clock, kinship, logger, store, patience } = this.services;
    const now = clock.now();
    this.leases.forget();
    const end = endOf(output, this.turn.answer, this.spec.limits.maxResultChars);
    const { parentId, goal } = this.spec;
    this.journal.stage({
      terminal: end,
      events: [...this.mailbox.refusals(end.state), endEvent(end, output)],
      ...(settled && { releasedAt: now }),
      ...(parentId && {
        outbox: [{ to: parentId, message: { kind: "completion", id: this.id, end, goal } }],
      }),
    });
    // Slot and place are given on once the end is in the store: until then a restart would find this task alive.
    const acknowledged = this.journal.flush().then(
      () => {
        scheduler.end(this.id);
        kinship.ended(this.id, end);
      },
      () => {},
    );
    if (settled) return;
    logger.warn("a task did not let go in time and was ended by force", { task: this.id });
    // Only an end that is in the store can be marked as released.
    void Promise.all([acknowledged, this.work.settled()])
      .then(() => clock.now())
      .then((at) => patience.call("markReleased", () => store.markReleased(this.id, at, RELEASED)))
      .catch(() => {});
  }

  #stopTimers(): void {
    this.#clock?.end();
    this.#retry?.cancel();
    this.#waits?.keep([]);
  }

  /** A defect of Troupe: the actor itself broke. The task still ends, once, as failed. */
  defect(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.services.logger.error("the actor of a task broke", { task: this.id, message });
    if (this.#ending) return;
    const failure = { code: "internal", message: `Troupe failed: ${message}`, retryable: false };
    this.#finish({ state: "failed", failure });
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
