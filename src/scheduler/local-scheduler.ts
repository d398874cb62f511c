// The scheduler of one process: the deterministic core (decide.ts) with a clock, one timer and a way out for signals.
// It decides nothing.
//
// L1. A signal is delivered in a microtask: after the call that caused it has returned, before any timer or I/O.
// L2. Signals are delivered in the order in which they were decided, one at a time.
// L3. A signal that is no longer true is not delivered: its task has ended, or its lease was given back meanwhile.

import { newId, type Random } from "../base/ids.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { LaneView } from "../core/box-api.ts";
import type { SchedulingClass } from "../core/lifecycle.ts";
import { decide, type Command } from "./decide.ts";
import { nextWake } from "./patience.ts";
import { checkRoom } from "./room.ts";
import type {
  AdmitRequest,
  BackendCaps,
  GenerationSample,
  Holding,
  Lease,
  LeaseRequest,
  MoveTarget,
  QueuePlace,
  ResidencyReport,
  Scheduler,
  SchedulerSignal,
} from "./scheduler.ts";
import { createState, type Effect, type SchedulerState, type TaskEntry } from "./state.ts";
import { counts, holders, lanes, placeOf } from "./view.ts";

export interface LocalSchedulerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long an interactive turn waits for a lease before the youngest other generation is stopped for it. */
  readonly interactivePatienceMs: number;
  /** May call the scheduler again. What it throws is not caught; later signals are delivered all the same. */
  readonly onSignal: (signal: SchedulerSignal) => void;
}

const SALT_DIGITS = 24;

/** Contract: `Scheduler`'s. After `close` it delivers nothing more; its views stay readable. */
export class LocalScheduler implements Scheduler {
  readonly #clock: Clock;
  readonly #onSignal: (signal: SchedulerSignal) => void;
  readonly #state: SchedulerState;
  /** Grants that their owner has not been told of, by task. */
  readonly #untold = new Map<string, string>();
  #outbox: Effect[] = [];
  #delivering = false;
  #closed = false;
  #timer: Timer | undefined;
  #wakeAt: number | null = null;

  constructor(options: LocalSchedulerOptions) {
    this.#clock = options.clock;
    this.#onSignal = options.onSignal;
    const leaseSalt = newId("lease", options.random).slice("lease_".length, "lease_".length + SALT_DIGITS);
    this.#state = createState({ patienceMs: options.interactivePatienceMs, leaseSalt });
  }

  setBackend(caps: BackendCaps): void {
    this.#run({ type: "set_backend", caps });
  }

  setAway(backend: string, away: boolean): void {
    this.#run({ type: "set_away", backend, away });
  }

  admit(request: AdmitRequest): void {
    this.#run({ type: "admit", request });
  }

  checkRoom(requests: readonly AdmitRequest[], ahead: ReadonlyMap<string, AdmitRequest>): void {
    checkRoom(this.#state, requests, ahead);
  }

  requestLease(request: LeaseRequest): void {
    this.#run({ type: "request_lease", request });
  }

  setResidency(report: ResidencyReport): void {
    this.#run({ type: "set_residency", report });
  }

  observe(sample: GenerationSample): void {
    this.#run({ type: "observe", sample });
  }

  release(leaseId: string): void {
    this.#run({ type: "release", leaseId });
  }

  withdraw(taskId: string): void {
    this.#returnUntold(taskId);
    this.#run({ type: "withdraw", taskId });
  }

  park(taskId: string): void {
    this.#returnUntold(taskId);
    this.#run({ type: "park", taskId });
  }

  move(taskId: string, to: MoveTarget): void {
    const untold = this.#returnUntold(taskId);
    try {
      this.#run({ type: "move", taskId, to });
    } finally {
      // To its owner it still waits, and nobody else would ask again.
      if (untold) this.requestLease({ taskId, class: untold.class, front: true });
    }
  }

  setClass(taskId: string, schedulingClass: SchedulingClass): void {
    this.#run({ type: "set_class", taskId, class: schedulingClass });
  }

  end(taskId: string): void {
    this.#run({ type: "end", taskId });
  }

  pause(paused: boolean): void {
    this.#run({ type: "pause", paused });
  }

  placeOf(taskId: string): QueuePlace | null {
    return placeOf(this.#state, taskId);
  }

  lanes(): readonly LaneView[] {
    return lanes(this.#state, this.#clock.monotonic());
  }

  holders(): readonly Holding[] {
    return holders(this.#state);
  }

  counts(): ReturnType<Scheduler["counts"]> {
    return counts(this.#state);
  }

  close(): void {
    this.#closed = true;
    this.#outbox = [];
    this.#timer?.cancel();
  }

  #run(command: Command): void {
    if (this.#closed) return;
    for (const effect of decide(this.#state, command, this.#clock.monotonic())) {
      const { signal } = effect;
      if (signal.type === "granted") this.#untold.set(signal.lease.taskId, signal.lease.leaseId);
      this.#outbox.push(effect);
    }
    this.#arm();
    if (this.#outbox.length > 0 && !this.#delivering) {
      this.#delivering = true;
      queueMicrotask(() => this.#deliver());
    }
  }

  /** A grant that nobody was told of can still be withdrawn: to its owner it never happened. */
  #returnUntold(taskId: string): Lease | null {
    const leaseId = this.#untold.get(taskId);
    if (leaseId === undefined) return null;
    const lease = this.#state.leases.get(leaseId)?.lease ?? null;
    this.release(leaseId);
    return lease;
  }

  #deliver(): void {
    const outbox = this.#outbox;
    this.#outbox = [];
    let next = 0;
    try {
      while (next < outbox.length && !this.#closed) {
        const effect = outbox[next++] as Effect;
        const { signal } = effect;
        if (signal.type === "granted") this.#forgetUntold(signal.lease.taskId, signal.lease.leaseId);
        if (this.#holdsStill(effect)) this.#onSignal(signal);
      }
    } finally {
      // What the handler caused comes after what was already decided (L2); a handler that threw loses nothing.
      if (!this.#closed) this.#outbox = [...outbox.slice(next), ...this.#outbox];
      this.#delivering = this.#outbox.length > 0;
      if (this.#delivering) queueMicrotask(() => this.#deliver());
    }
  }

  #forgetUntold(taskId: string, leaseId: string): void {
    if (this.#untold.get(taskId) === leaseId) this.#untold.delete(taskId);
  }

  /** Keeps L3. */
  #holdsStill({ signal, task }: Effect): boolean {
    if (signal.type === "load" || signal.type === "unload") return true;
    if (signal.type === "admitted") return this.#state.tasks.get(signal.taskId) === task;
    if (signal.type === "moved") return task !== null && this.#isAt(task, signal);
    const leaseId = signal.type === "granted" ? signal.lease.leaseId : signal.leaseId;
    return this.#state.leases.get(leaseId) === task;
  }

  /** Whether it still is where it was sent: it may have ended, or have been sent elsewhere. */
  #isAt(
    task: TaskEntry,
    { backend, profile }: { readonly backend: string; readonly profile: string },
  ): boolean {
    const { lane } = task;
    const isThere = lane.backend.caps.backend === backend && lane.profile === profile;
    return isThere && this.#state.tasks.get(task.taskId) === task;
  }

  /** One timer for all backends, at the next moment that time alone decides. A timer that fires early is set again. */
  #arm(): void {
    const wakeAt = nextWake(this.#state);
    if (wakeAt === this.#wakeAt) return;
    this.#timer?.cancel();
    this.#wakeAt = wakeAt;
    if (wakeAt === null) return;
    const delayMs = Math.max(0, wakeAt - this.#clock.monotonic());
    this.#timer = this.#clock.after(delayMs, () => {
      this.#wakeAt = null;
      this.#run({ type: "tick" });
    });
  }
}
