// Several equal servers at work on a virtual clock, and books of its own that know where each task is by signals alone.
// It checks, as it goes, that nobody waits beside an equal server that has room, and that nobody goes to and fro.

import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { Lease, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { caps } from "./desk.ts";
import { GpuHost } from "./gpu-host.ts";
import { must } from "./witness.ts";

export interface PoolJob {
  readonly parent: string;
  readonly home: number;
  readonly startsMs: number;
  readonly turns: number;
  readonly turnMs: number;
  /** What reading its prompt takes where nothing of it is cached. */
  readonly readMs: number;
  readonly toolMs: number;
  readonly cancelMs: number | null;
  readonly parks: boolean;
  /** It may run on its own server only. */
  readonly bound: boolean;
}

export interface PoolOptions {
  readonly jobs: readonly PoolJob[];
  readonly backends: number;
  readonly slots: number;
  readonly maxChildren: number;
  /** Which servers have the model loaded at first; the others load it at command. */
  readonly loaded: readonly boolean[];
}

export const PROFILE = "m@1";
export const POOL_LOAD_MS = 3_000;

interface Actor {
  readonly taskId: string;
  readonly job: PoolJob;
  backend: string;
  /** Where its prompt is cached. */
  cachedOn: string | null;
  turnsLeft: number;
  admitted: boolean;
  waitsSince: number | null;
  /** Moves since it began to wait for what it waits for. */
  moves: number;
  lease: Lease | null;
  ended: boolean;
}

const nameOf = (at: number): string => `gpu${at}`;

export class PoolYard {
  readonly clock = new SimulatedClock();
  readonly scheduler: LocalScheduler;
  readonly signals: SchedulerSignal[] = [];
  readonly #options: PoolOptions;
  readonly #hosts = new Map<string, GpuHost>();
  readonly #actors = new Map<string, Actor>();
  readonly #failures: unknown[] = [];
  moved = 0;

  constructor(options: PoolOptions) {
    const { clock } = this;
    this.#options = options;
    this.scheduler = new LocalScheduler({
      clock,
      random: seededRandom(1),
      interactivePatienceMs: 2_000,
      onSignal: (signal) => {
        try {
          this.#hear(signal);
        } catch (error) {
          this.#failures.push(error);
        }
      },
    });
    for (let at = 0; at < options.backends; at++) this.#addServer(nameOf(at), options.loaded[at] === true);
    for (const [index, job] of options.jobs.entries()) {
      clock.after(job.startsMs, () => this.#begin(`t${index}`, job));
    }
  }

  /** Plays until nobody is left; throws for what was wrong. */
  async play(limitMs: number): Promise<void> {
    const { jobs } = this.#options;
    const isOver = (): boolean =>
      this.#actors.size === jobs.length && [...this.#actors.values()].every(({ ended }) => ended);
    for (let now = 0; now < limitMs && !isOver(); now += 500) {
      await this.clock.advance(500);
      for (let index = 0; index < 6; index++) await Promise.resolve();
      if (this.#failures.length > 0) throw this.#failures[0];
      this.#audit();
    }
    must(isOver(), "G7: every task ends");
    const { slots, places, leases, waiting } = this.scheduler.counts();
    must(slots + places + leases + waiting === 0, "G7: everything is given back");
  }

  #addServer(backend: string, isLoaded: boolean): void {
    const { slots, maxChildren } = this.#options;
    const host = new GpuHost({
      backend,
      clock: this.clock,
      random: seededRandom(1),
      sizes: new Map([[PROFILE, 10]]),
      capacity: 100,
      isKnown: true,
      failing: 0,
      loadMs: POOL_LOAD_MS,
      unloadMs: 500,
      inFlight: () => this.#at(backend).filter(({ lease }) => lease !== null).length,
    });
    host.serve(this.scheduler);
    this.#hosts.set(backend, host);
    this.scheduler.setBackend(
      caps({ backend, gpu: backend, slots, maxChildren, residency: { vramBytes: 100 } }),
    );
    if (!isLoaded) return;
    this.scheduler.setResidency({ backend, profile: PROFILE, state: "loading" });
    host.load(PROFILE);
  }

  #at(backend: string): readonly Actor[] {
    return [...this.#actors.values()].filter((actor) => actor.backend === backend && !actor.ended);
  }

  #begin(taskId: string, job: PoolJob): void {
    const { backends } = this.#options;
    const backend = nameOf(job.home % backends);
    const fresh = {
      admitted: false,
      waitsSince: this.clock.monotonic(),
      moves: 0,
      lease: null,
      ended: false,
    };
    this.#actors.set(taskId, { taskId, job, backend, cachedOn: null, turnsLeft: job.turns, ...fresh });
    const everywhere = Array.from({ length: backends }, (_, at) => ({
      backend: nameOf(at),
      profile: PROFILE,
    }));
    this.scheduler.admit({
      taskId,
      parentId: job.parent,
      parentSlots: 100,
      backend,
      profile: PROFILE,
      ...(!job.bound && { alternatives: everywhere }),
      class: "background",
      needsPlace: true,
    });
    if (job.cancelMs !== null) this.clock.after(job.cancelMs, () => this.#end(this.#actor(taskId)));
  }

  #hear(signal: SchedulerSignal): void {
    this.signals.push(signal);
    if (signal.type === "load") return this.#host(signal.backend).load(signal.profile);
    if (signal.type === "unload") return this.#host(signal.backend).unload(signal.profile);
    const actor = this.#actor(signal.type === "granted" ? signal.lease.taskId : signal.taskId);
    must(!actor.ended, `G13: ${signal.type} for ${actor.taskId}, which has ended`);
    if (signal.type === "moved") return this.#moved(actor, signal.backend);
    if (signal.type === "granted") return this.#granted(actor, signal.lease);
    must(signal.type === "admitted", "nobody is stopped where no person waits");
    must(!actor.admitted && signal.backend === actor.backend, "it is admitted once, where it was said to be");
    actor.admitted = true;
    this.#ask(actor);
  }

  #moved(actor: Actor, to: string): void {
    must(actor.lease === null && actor.waitsSince !== null, "E1: only who waits goes");
    must(actor.backend !== to && !actor.job.bound, "it goes to another server, if it may");
    actor.moves++;
    // To where it must be loaded, and from there to where it is and has room.
    must(actor.moves <= this.#options.backends, `E2: ${actor.taskId} goes to and fro`);
    const waitedMs = this.clock.monotonic() - actor.waitsSince;
    const isWarm = actor.cachedOn === actor.backend;
    must(!isWarm || waitedMs >= actor.job.readMs, `E2: a warm task goes after ${waitedMs} ms`);
    actor.backend = to;
    this.moved++;
  }

  #granted(actor: Actor, lease: Lease): void {
    must(lease.backend === actor.backend, "it generates where it was said to be");
    const inFlight = this.#at(lease.backend).filter((each) => each.lease !== null).length;
    must(inFlight < this.#options.slots, "G1: leases never exceed the slots");
    must(this.#host(lease.backend).serves(PROFILE), "G5: no turn for what is not there");
    must(actor.lease === null && actor.waitsSince !== null, "G8: who waits holds no lease");
    actor.lease = lease;
    actor.waitsSince = null;
    this.clock.after(actor.job.turnMs, () => {
      if (actor.lease?.leaseId === lease.leaseId) this.#generated(actor);
    });
  }

  #generated(actor: Actor): void {
    const { job, taskId, backend } = actor;
    const isCold = actor.cachedOn !== backend;
    actor.cachedOn = backend;
    const figures = { waitMs: 0, loadMs: 0, promptMs: isCold ? job.readMs : 1, outputMs: job.turnMs };
    this.scheduler.observe({
      backend,
      profile: PROFILE,
      taskId,
      parentId: job.parent,
      outcome: "ok",
      ...figures,
      promptTokens: job.readMs,
      outputTokens: 0,
      totalMs: job.turnMs,
      firstTokenMs: null,
      inFlight: 1,
    });
    if (actor.lease !== null) this.scheduler.release(actor.lease.leaseId);
    actor.lease = null;
    actor.turnsLeft--;
    if (actor.turnsLeft === 0) return this.#end(actor);
    if (job.parks) this.scheduler.park(taskId);
    this.clock.after(job.toolMs, () => {
      if (!actor.ended) this.#ask(actor);
    });
  }

  #ask(actor: Actor): void {
    actor.waitsSince = this.clock.monotonic();
    actor.moves = 0;
    this.scheduler.requestLease({ taskId: actor.taskId, class: "background" });
  }

  #end(actor: Actor): void {
    if (actor.ended) return;
    actor.ended = true;
    actor.lease = null;
    actor.waitsSince = null;
    this.scheduler.end(actor.taskId);
  }

  /** G11 over equal servers: nobody who may go waits beside one that is loaded and has room for it. */
  #audit(): void {
    const { slots, maxChildren } = this.#options;
    const lanes = this.scheduler.lanes().filter(({ profile }) => profile === PROFILE);
    const now = this.clock.monotonic();
    for (const { waiting, backend } of lanes) {
      for (const { taskId } of waiting) {
        const { job, admitted, waitsSince, cachedOn } = this.#actor(taskId);
        if (job.bound || waitsSince === null) continue;
        const patienceMs = cachedOn === null ? 0 : job.readMs;
        if (admitted && now - waitsSince <= patienceMs) continue;
        const free = lanes.find((lane) => {
          const expected = lane.places.length;
          const isLoaded =
            lane.residency === "resident" && lane.waiting.length === 0 && lane.backend !== backend;
          return isLoaded && expected < (admitted ? Math.min(slots, maxChildren) : maxChildren);
        });
        must(free === undefined, `G11: ${taskId} waits on ${backend} beside ${free?.backend}`);
      }
    }
  }

  #host(backend: string): GpuHost {
    const host = this.#hosts.get(backend);
    must(host !== undefined, `a server is ${backend}`);
    return host;
  }

  #actor(taskId: string): Actor {
    const actor = this.#actors.get(taskId);
    must(actor !== undefined, `somebody is ${taskId}`);
    return actor;
  }
}
