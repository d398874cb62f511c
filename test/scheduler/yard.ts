// A box at work on a virtual clock: a scheduler, a model server that loads and unloads, and tasks that generate, run
// tools, park, are cancelled. Books of its own check G1 to G16 as it goes.

import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import type { LaneView } from "../../src/core/box-api.ts";
import type { SchedulingClass } from "../../src/core/lifecycle.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { Lease, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { caps } from "./desk.ts";
import { count } from "./g-checks.ts";
import { GpuHost } from "./gpu-host.ts";

export interface Job {
  readonly parent: string | null;
  readonly profile: string;
  readonly class: SchedulingClass;
  readonly startsMs: number;
  readonly turns: number;
  readonly turnMs: number;
  readonly toolMs: number;
  /** After which it is cancelled, wherever it is; `null` for one that comes to its end. */
  readonly cancelMs: number | null;
  /** Waits for others for a while, after its first turn. */
  readonly parks: boolean;
}

export interface YardOptions {
  readonly jobs: readonly Job[];
  readonly slots: number;
  readonly maxChildren: number;
  readonly sizes: ReadonlyMap<string, number>;
  readonly capacity: number;
  readonly isKnown: boolean;
  readonly failing: number;
  readonly seed: number;
}

export const LOAD_MS = 3_000;
export const UNLOAD_MS = 500;
/** The scheduler takes a swap to cost this until it has seen one. */
export const MOST_SWAP_MS = 8_000;
const PATIENCE_MS = 2_000;
const BACKEND = "local";

interface Actor {
  readonly taskId: string;
  readonly job: Job;
  turnsLeft: number;
  admitted: boolean;
  waitsSince: number | null;
  lease: Lease | null;
  ended: boolean;
}

export class Yard {
  readonly clock = new SimulatedClock();
  readonly host: GpuHost;
  readonly scheduler: LocalScheduler;
  readonly signals: SchedulerSignal[] = [];
  readonly actors = new Map<string, Actor>();
  /** When each profile last began a turn, or began to be waited for. */
  readonly #fedAt = new Map<string, number>();
  readonly #options: YardOptions;
  readonly #failures: unknown[] = [];
  /** The longest that a profile was waited for without any turn of it. */
  longestMs = 0;
  swapsInUse = 0;

  constructor(options: YardOptions) {
    const { clock } = this;
    const random = seededRandom(options.seed);
    this.#options = options;
    this.host = new GpuHost({
      ...options,
      backend: BACKEND,
      clock,
      random,
      loadMs: LOAD_MS,
      unloadMs: UNLOAD_MS,
      inFlight: (profile) => this.of(profile).filter(({ lease }) => lease !== null).length,
    });
    this.scheduler = new LocalScheduler({
      clock,
      random: seededRandom(1),
      interactivePatienceMs: PATIENCE_MS,
      onSignal: (signal) => {
        try {
          this.#hear(signal);
        } catch (error) {
          this.#failures.push(error);
        }
      },
    });
    this.host.serve(this.scheduler);
    const { slots, maxChildren, isKnown, capacity } = options;
    this.scheduler.setBackend(
      caps({ slots, maxChildren, residency: { vramBytes: isKnown ? capacity : null } }),
    );
    for (const [index, job] of options.jobs.entries()) {
      clock.after(job.startsMs, () => this.#begin(`t${index}`, job));
    }
  }

  of(profile: string): Actor[] {
    return [...this.actors.values()].filter(({ job, ended }) => job.profile === profile && !ended);
  }

  /** Plays until nobody is left, or time is up; throws for what was wrong. */
  async play(limitMs: number): Promise<void> {
    const stepMs = 1_000;
    for (let now = 0; now < limitMs && !this.#isOver(); now += stepMs) {
      await this.clock.advance(stepMs);
      for (let index = 0; index < 6; index++) await Promise.resolve();
      if (this.#failures.length > 0) throw this.#failures[0];
      this.#audit();
    }
    count("G7", this.#isOver(), `${this.#open()} tasks have not ended`);
    const { slots, places, leases, waiting } = this.scheduler.counts();
    count("G7", slots + places + leases + waiting === 0, "something is still held");
  }

  #isOver(): boolean {
    return this.actors.size === this.#options.jobs.length && this.#open() === 0;
  }

  #open(): number {
    return [...this.actors.values()].filter(({ ended }) => !ended).length;
  }

  #begin(taskId: string, job: Job): void {
    const { turns } = job;
    const fresh = { turnsLeft: turns, admitted: false, waitsSince: null, lease: null, ended: false };
    this.actors.set(taskId, { taskId, job, ...fresh });
    this.scheduler.admit({
      taskId,
      parentId: job.parent,
      parentSlots: 100,
      backend: BACKEND,
      profile: job.profile,
      ...(this.#options.isKnown && { sizeBytes: this.#options.sizes.get(job.profile) ?? null }),
      class: job.class,
      needsPlace: job.parent !== null,
    });
    if (job.cancelMs !== null) this.clock.after(job.cancelMs, () => this.#cancel(this.#actor(taskId)));
  }

  #hear(signal: SchedulerSignal): void {
    this.signals.push(signal);
    if (signal.type === "load") return this.host.load(signal.profile);
    if (signal.type === "unload") return this.#unload(signal.profile);
    if (signal.type === "granted") return this.#granted(signal.lease);
    const actor = this.#actor(signal.taskId);
    count("G13", !actor.ended, `${signal.type} for ${signal.taskId}, which has ended`);
    if (signal.type === "preempt") {
      this.scheduler.release(signal.leaseId);
      actor.lease = null;
      return this.#ask(actor, true);
    }
    count("G7", !actor.admitted, `${signal.taskId} is admitted twice`);
    actor.admitted = true;
    this.#ask(actor);
  }

  #unload(profile: string): void {
    if (this.of(profile).some(({ waitsSince }) => waitsSince !== null)) this.swapsInUse++;
    this.host.unload(profile);
  }

  #granted(lease: Lease): void {
    const actor = this.#actor(lease.taskId);
    const { profile } = actor.job;
    const others = this.of(profile);
    const inFlight = others.filter((each) => each.lease !== null).length;
    count("G1", inFlight < this.#options.slots, `${inFlight} leases when one more was granted`);
    count("G5", this.host.serves(profile), `a turn for ${profile}, which is not there`);
    count("G8", actor.lease === null && actor.waitsSince !== null, `${lease.taskId} holds a lease and waits`);
    count("G13", !actor.ended, `a turn for ${lease.taskId}, which has ended`);
    const { class: own } = actor.job;
    const person = others.find((each) => each.job.class === "interactive" && each.waitsSince !== null);
    const goesBefore =
      own !== "interactive" && person !== undefined && !isAtOnce(person, this.clock.monotonic());
    count("G14", !goesBefore, `${lease.taskId} goes before ${person?.taskId}`);
    actor.lease = lease;
    actor.waitsSince = null;
    this.#fed(profile);
    const { leaseId } = lease;
    this.clock.after(actor.job.turnMs, () => {
      if (actor.lease?.leaseId === leaseId) this.#generated(actor);
    });
  }

  #generated(actor: Actor): void {
    if (actor.lease !== null) this.scheduler.release(actor.lease.leaseId);
    actor.lease = null;
    actor.turnsLeft--;
    if (actor.turnsLeft === 0) return this.#cancel(actor);
    const { parks, turns, toolMs } = actor.job;
    if (parks && actor.turnsLeft === turns - 1) this.scheduler.park(actor.taskId);
    this.clock.after(toolMs, () => {
      if (!actor.ended) this.#ask(actor);
    });
  }

  #ask(actor: Actor, front = false): void {
    actor.waitsSince = this.clock.monotonic();
    const { profile, class: schedulingClass } = actor.job;
    if (!this.#fedAt.has(profile)) this.#fed(profile);
    this.scheduler.requestLease({ taskId: actor.taskId, class: schedulingClass, front });
  }

  /** Ends it, and once more. */
  #cancel(actor: Actor): void {
    if (actor.ended) return;
    actor.ended = true;
    actor.lease = null;
    actor.waitsSince = null;
    this.scheduler.end(actor.taskId);
    this.scheduler.end(actor.taskId);
    this.#fed(actor.job.profile);
  }

  #fed(profile: string): void {
    this.#fedAt.set(profile, this.clock.monotonic());
  }

  #audit(): void {
    for (const lane of this.scheduler.lanes()) {
      const { slots, leases, places, maxChildren, residency, waiting, profile } = lane;
      count("G1", leases.length <= slots, `${leases.length} leases of ${slots}`);
      count("G2", places.length <= maxChildren, `${places.length} places of ${maxChildren}`);
      const isIdle = residency === "resident" && leases.length < slots && wantsLease(lane);
      count("G11", !isIdle, `a turn of ${profile} waits beside a free lease`);
      const since = this.#fedAt.get(profile);
      if (!wantsLease(lane) || leases.length > 0) this.#fed(profile);
      else if (since !== undefined) this.longestMs = Math.max(this.longestMs, this.clock.monotonic() - since);
      for (const { reason } of waiting) count("G9", reason.length > 0, "a task waits for no reason");
    }
  }

  #actor(taskId: string): Actor {
    const actor = this.actors.get(taskId);
    if (actor === undefined) throw new Error(`nobody is ${taskId}`);
    return actor;
  }
}

/** Asked in this very moment: whoever was served in it may have been decided on before. */
function isAtOnce({ waitsSince }: Actor, now: number): boolean {
  return waitsSince === now;
}

function wantsLease({ waiting }: LaneView): boolean {
  return waiting.some(({ wants }) => wants === "lease");
}
