// The one lease that a task may hold, and its request for the next.
// Keeps S2 and S3 from the host's side: no request goes out while a lease is held or being given back.

import { messageOf, toTroupeError } from "../base/errors.ts";
import type { SchedulingClass } from "../core/lifecycle.ts";
import type { Lease } from "../scheduler/scheduler.ts";
import type { AgentEvent } from "../../machines/agent.ts";
import { lanesOf } from "./admission.ts";
import type { Journal } from "./journal.ts";
import { isFromPerson } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import { leaveLongQueue, type WaitingHost } from "./rerouting.ts";
import type { HostServices } from "./services.ts";
import type { WorkInFlight } from "./work-in-flight.ts";

/** What the holder needs of the task that it serves. */
export interface LeaseHost extends WaitingHost {
  readonly services: WaitingHost["services"] & Pick<HostServices, "isDraining">;
  readonly journal: Journal;
  readonly mailbox: Mailbox;
  readonly ending: boolean;
  readonly schedulingClass: SchedulingClass;
  readonly work: WorkInFlight;
  send(event: AgentEvent): void;
}

export class LeaseHolder {
  readonly #host: LeaseHost;
  #lease: Lease | null = null;
  /** A lease whose generation has not let go of its socket yet. */
  #releasing: Lease | null = null;
  #wanted: "normal" | "resuming" | "front" | null = null;
  #waiting = false;
  #parked = false;

  constructor(host: LeaseHost) {
    this.#host = host;
  }

  get held(): Lease | null {
    return this.#lease;
  }

  /** Whether this lease is its own: held, or kept until its generation lets go. */
  owns(leaseId: string): boolean {
    return this.#lease?.leaseId === leaseId || this.#releasing?.leaseId === leaseId;
  }

  /** Whether it has given its place back, and asks for nothing. */
  get parked(): boolean {
    return this.#parked && this.#releasing === null && this.#wanted === null;
  }

  /** Asks for a lease, as soon as none is held. */
  request(ticket: "normal" | "resuming" | "front"): void {
    this.#wanted = ticket;
    if (!this.#lease && !this.#releasing) this.#ask();
  }

  /** The scheduler granted one; given back at once when the task no longer waits for it. */
  granted(lease: Lease): void {
    const { scheduler } = this.#host.services;
    if (!this.#waiting || this.#host.ending) return scheduler.release(lease.leaseId);
    this.#waiting = false;
    this.#lease = lease;
    this.#host.journal.event({
      type: "lease.granted",
      data: { leaseId: lease.leaseId, backend: lease.backend, waitedMs: Math.round(lease.waitedMs) },
    });
    this.#host.send({ type: "lease.granted" });
  }

  /** Gives the lease back once the generation has let go, or after the cancel deadline. */
  drop(): void {
    const lease = this.#lease;
    if (!lease) return;
    this.#lease = null;
    const work = this.#host.work.generation;
    if (!work) return this.#release(lease);
    this.#releasing = lease;
    const { clock, settings } = this.#host.services;
    let given = false;
    const give = (): void => {
      if (given) return;
      given = true;
      timer.cancel();
      this.#release(lease);
    };
    const timer = clock.after(settings.cancelDeadlineMs, give);
    void work.then(give);
  }

  withdraw(): void {
    this.#wanted = null;
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#host.services.scheduler.withdraw(this.#host.id);
  }

  /** Gives the place back, once the lease is. */
  park(): void {
    this.#parked = true;
    if (!this.#releasing) this.#host.services.scheduler.park(this.#host.id);
  }

  /** A person waits for this task's next turn: that one turn goes first. */
  hurry(): void {
    const { services, id } = this.#host;
    // Asking again raises the request that waits; setClass would raise all later ones too.
    if (this.#waiting) services.scheduler.requestLease({ taskId: id, class: "interactive" });
  }

  /** The task has ended: the scheduler takes everything back itself. */
  forget(): void {
    this.#wanted = null;
    this.#waiting = false;
    this.#lease = null;
    this.#releasing = null;
  }

  #release(lease: Lease): void {
    const { scheduler, clock } = this.#host.services;
    if (this.#releasing !== null && this.#releasing !== lease) return;
    this.#releasing = null;
    scheduler.release(lease.leaseId);
    const heldMs = Math.round(clock.monotonic() - lease.grantedAt);
    this.#host.services.forecast.observe(lease.backend, heldMs);
    if (!this.#host.ending)
      this.#host.journal.event({ type: "lease.released", data: { leaseId: lease.leaseId, heldMs } });
    if (this.#parked && !this.#wanted) scheduler.park(this.#host.id);
    if (this.#wanted) this.#ask();
  }

  #ask(): void {
    const { scheduler, isDraining } = this.#host.services;
    // It waits for its slot in the store, until the next start asks for it.
    if (isDraining()) return;
    const ticket = this.#wanted;
    this.#wanted = null;
    this.#parked = false;
    this.#waiting = true;
    const schedulingClass = this.#classFor(ticket);
    const { spec, turn, services } = this.#host;
    const { model, reroutes } = turn;
    this.#host.journal.event({
      type: "lease.requested",
      data: { backend: model.backend, class: schedulingClass },
    });
    try {
      // Its lease is back by now, so that it can leave the place that it had.
      if (reroutes.length > 0) scheduler.move(this.#host.id, lanesOf(spec, turn, services));
      scheduler.requestLease({
        taskId: this.#host.id,
        class: schedulingClass,
        ...(ticket === "front" && { front: true }),
      });
      // Once what brought it here is staged: a change of model before this one is told before it.
      queueMicrotask(() => this.#mayLeave());
    } catch (thrown) {
      this.#waiting = false;
      const failure = { code: toTroupeError(thrown).code, message: messageOf(thrown), retryable: true };
      this.#host.send({ type: "limit.reached", failure });
    }
  }

  #mayLeave(): void {
    if (this.#waiting && !this.#host.ending) leaveLongQueue(this.#host);
  }

  #classFor(ticket: "normal" | "resuming" | "front" | null): SchedulingClass {
    const own = this.#host.schedulingClass;
    const personWaits = this.#host.mailbox.pending.some(({ message }) => isFromPerson(message));
    if (own === "interactive" || personWaits) return "interactive";
    return ticket === "resuming" ? "resuming" : own;
  }
}
