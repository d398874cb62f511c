// Books of its own on a scheduler: what was asked, what was answered, and what must hold after each step. It learns
// from calls and signals; of the scheduler's views it takes only what no signal tells (who stands at which gate).
// A broken invariant throws with its number.

import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import type { SchedulingClass } from "../../src/core/lifecycle.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { AdmitRequest, BackendCaps, Lease, SchedulerSignal } from "../../src/scheduler/scheduler.ts";

interface Turn {
  class: SchedulingClass;
  /** Since when it has waited for a lease as an interactive turn. */
  impatientSince: number | null;
}

export interface Booked {
  request: AdmitRequest;
  admitted: boolean;
  hasPlace: boolean;
  floor: SchedulingClass | null;
  turn: Turn | null;
  lease: Lease | null;
  stopping: boolean;
}

export function must(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

export function slotKey({ parentId }: AdmitRequest): string {
  return `child slot of ${parentId}`;
}

export function agentKey({ parentId, agentLimit }: AdmitRequest): string {
  return `place for ${agentLimit?.key} under ${parentId}`;
}

export class Witness {
  readonly clock = new SimulatedClock();
  readonly signals: SchedulerSignal[] = [];
  readonly tasks = new Map<string, Booked>();
  readonly caps = new Map<string, BackendCaps>();
  /** The newest figures of parents' child slots and agents' caps. */
  readonly newest = new Map<string, number>();
  readonly scheduler: LocalScheduler;
  readonly patienceMs: number;
  /** Called after the books are written. */
  onSignal: (signal: SchedulerSignal) => void = () => {};
  readonly #leaseIds = new Set<string>();
  readonly #failures: unknown[] = [];

  constructor(patienceMs = 100) {
    this.patienceMs = patienceMs;
    this.scheduler = new LocalScheduler({
      clock: this.clock,
      random: seededRandom(1),
      interactivePatienceMs: patienceMs,
      onSignal: (signal) => {
        this.signals.push(signal);
        try {
          this.#book(signal);
        } catch (error) {
          this.#failures.push(error);
        }
        this.onSignal(signal);
      },
    });
  }

  setBackend(caps: BackendCaps): void {
    this.caps.set(caps.backend, caps);
    this.scheduler.setBackend(caps);
  }

  admit(request: AdmitRequest): void {
    this.scheduler.admit(request);
    this.newest.set(slotKey(request), request.parentSlots);
    if (request.agentLimit !== undefined) this.newest.set(agentKey(request), request.agentLimit.limit);
    this.tasks.set(request.taskId, {
      request,
      admitted: false,
      hasPlace: false,
      floor: null,
      turn: null,
      lease: null,
      stopping: false,
    });
  }

  ask(taskId: string, schedulingClass: SchedulingClass, front = false): void {
    const task = this.task(taskId);
    this.scheduler.requestLease({ taskId, class: schedulingClass, front });
    task.turn ??= { class: schedulingClass, impatientSince: null };
    task.turn.class = schedulingClass;
    if (task.floor === "interactive") task.turn.class = "interactive";
    this.#startWaiting(task);
  }

  release(taskId: string): void {
    const task = this.task(taskId);
    must(task.lease !== null, "the test releases what it holds");
    this.scheduler.release(task.lease.leaseId);
    this.scheduler.release(task.lease.leaseId);
    task.lease = null;
    task.stopping = false;
  }

  withdraw(taskId: string): void {
    this.scheduler.withdraw(taskId);
    this.task(taskId).turn = null;
  }

  park(taskId: string): void {
    this.scheduler.park(taskId);
    const task = this.task(taskId);
    task.turn = null;
    task.hasPlace = false;
  }

  move(taskId: string, backend: string): void {
    this.scheduler.move(taskId, { backend });
    const task = this.task(taskId);
    if (task.request.backend === backend) return;
    task.request = { ...task.request, backend };
    task.hasPlace = false;
    if (task.turn !== null) task.turn.impatientSince = null;
    this.#startWaiting(task);
  }

  setClass(taskId: string, schedulingClass: SchedulingClass): void {
    this.scheduler.setClass(taskId, schedulingClass);
    const task = this.task(taskId);
    task.floor = schedulingClass;
    if (task.turn !== null) task.turn.class = schedulingClass;
  }

  end(taskId: string): void {
    this.scheduler.end(taskId);
    this.tasks.delete(taskId);
  }

  task(taskId: string): Booked {
    const task = this.tasks.get(taskId);
    must(task !== undefined, `the test knows ${taskId}`);
    return task;
  }

  /** Everybody of one backend, or of all. */
  of(backend?: string): Booked[] {
    return [...this.tasks.values()].filter(
      ({ request }) => backend === undefined || request.backend === backend,
    );
  }

  /** Delivers what is due and throws for anything that was wrong in it. */
  async flush(): Promise<void> {
    for (let index = 0; index < 6; index++) await Promise.resolve();
    this.rethrow();
    this.#learnPlaces();
  }

  rethrow(): void {
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  #book(signal: SchedulerSignal): void {
    if (signal.type === "admitted") {
      const task = this.task(signal.taskId);
      must(!task.admitted, `${signal.taskId} is admitted once`);
      task.admitted = true;
      task.hasPlace = task.request.needsPlace;
    } else if (signal.type === "granted") this.#bookGrant(signal.lease);
    else if (signal.type === "preempt") this.#bookPreempt(signal);
  }

  #bookGrant(lease: Lease): void {
    const task = this.task(lease.taskId);
    const held = this.of(lease.backend).filter((other) => other.lease !== null).length;
    must(
      held < (this.caps.get(lease.backend)?.slots ?? 0),
      `S1: ${held} leases were out when one more was granted`,
    );
    must(task.turn !== null && task.admitted, "S2: a lease for a task that asked for none");
    must(!this.#leaseIds.has(lease.leaseId), "S3: a lease id given out twice");
    must(lease.class === task.turn.class, `granted as ${lease.class}, asked as ${task.turn.class}`);
    this.#leaseIds.add(lease.leaseId);
    task.lease = lease;
    task.turn = null;
    task.hasPlace = task.request.needsPlace;
  }

  #bookPreempt(signal: SchedulerSignal & { readonly type: "preempt" }): void {
    const victim = this.task(signal.taskId);
    const backend = victim.request.backend;
    must(victim.lease?.leaseId === signal.leaseId, "preempts a lease that is not held");
    const eligible = this.#eligible(backend, this.task(signal.by));
    must(eligible.includes(victim), "P2: preempts a lease that it may not, or one twice");
    const youngest = Math.max(...eligible.map(({ lease }) => lease?.grantedAt ?? 0));
    must(victim.lease.grantedAt === youngest, "P2: preempts another than the youngest");
    victim.stopping = true;
    const impatient = this.impatient(backend);
    must(impatient.includes(this.task(signal.by)), "preempts for a turn that is not out of patience");
    must(this.#stopping(backend).length <= impatient.length, "P1: more stops than impatient turns");
  }

  impatient(backend: string): Booked[] {
    const now = this.clock.monotonic();
    return this.of(backend).filter(({ turn, request, hasPlace }) => {
      if (turn?.class !== "interactive" || (request.needsPlace && !hasPlace)) return false;
      // A turn of which no step has learned yet began to wait in this very step.
      return (turn.impatientSince ?? now) + this.patienceMs <= now;
    });
  }

  #stopping(backend: string): Booked[] {
    return this.of(backend).filter(({ lease, stopping }) => lease !== null && stopping);
  }

  #eligible(backend: string, by: Booked): Booked[] {
    return this.of(backend).filter(({ lease, stopping, request }) => {
      if (lease === null || stopping) return false;
      return lease.class !== "interactive" || (request.needsPlace && !by.request.needsPlace);
    });
  }

  /** S6 for preemption: whoever is out of patience and can be helped is being helped. */
  checkPatience(backend: string): void {
    const impatient = this.impatient(backend);
    const unhelped = impatient.length > this.#stopping(backend).length;
    must(
      !unhelped || impatient.every((task) => this.#eligible(backend, task).length === 0),
      "an impatient turn waits beside a lease it could get",
    );
  }

  /** Who returned to a place is not signalled; the lanes show it. Time stands still within a step. */
  #learnPlaces(): void {
    for (const lane of this.scheduler.lanes()) {
      const places = new Set(lane.places);
      for (const task of this.of(lane.backend)) {
        const { turn, request } = task;
        const { taskId } = request;
        if (turn !== null && places.has(taskId)) task.hasPlace = true;
        must(
          task.hasPlace || !task.admitted || !places.has(taskId),
          `${taskId} has a place that it gave back`,
        );
        this.#startWaiting(task);
      }
    }
  }

  #startWaiting({ turn, request, hasPlace }: Booked): void {
    if (turn === null) return;
    const waits = turn.class === "interactive" && (hasPlace || !request.needsPlace);
    turn.impatientSince = waits ? (turn.impatientSince ?? this.clock.monotonic()) : null;
  }
}
