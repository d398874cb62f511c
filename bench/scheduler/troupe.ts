// Troupe as a contender: the real LocalScheduler, with as little around it as may be. The whole runtime (store, events,
// transcripts, tools) is left out; what it does with the scheduler is done here in the same order: admit, ask for a
// lease for each turn, release it with the last byte, park while children are awaited, end.
//
// T1. A lease is released once, when its generation has let go of the server.
// T2. What is loaded changes at the scheduler's command alone: the host carries its signals out, one at a time on a
//     server.

import { systemClock, delay } from "../../src/base/clock.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { GenerationSample, Lease, Scheduler, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { percentile } from "../statistics.ts";
import type { GenerationFigures, ServerFacts } from "./model-server.ts";
import { isBusy } from "./play.ts";
import { ROOM, serverOf, Servers, type Caps } from "./servers.ts";
import type { DecisionCost, Strategy, StrategyRun, StrategyWorld, Turn, Work } from "./strategy.ts";

const PATIENCE_MS = 5_000;
/** As the runtime does on a 503, once its lease is given back. */
const BUSY_PAUSE_MS = 1_000;
/** While children run tools others generate, and so many prompts still stay cached. */
const CHILDREN_PER_SLOT = 2;
const LEAST_CHILDREN = 4;
/** What `slots: auto` begins with on a local server, and what it and the children stay below (src/config/backends.ts). */
const GUESS = { slots: 1, maxChildren: LEAST_CHILDREN };
const FOUND = { autoSlots: { most: 32 }, autoChildren: { most: 64 } };

/** As somebody configures it who knows the server's parallelism: `slots: np`, `max_children` twice that. */
function known({ models }: ServerFacts): Caps {
  const slots = Math.max(...models.map((model) => model.np));
  return { slots, maxChildren: Math.max(CHILDREN_PER_SLOT * slots, LEAST_CHILDREN) };
}

/** As it is when nobody configures anything. */
function found(): Caps {
  return { ...GUESS, ...FOUND };
}

interface Waiter<T> {
  resolve(value: T): void;
}

class TroupeRun implements StrategyRun {
  readonly #world: StrategyWorld;
  readonly #scheduler: Scheduler;
  readonly #begins = new Map<string, Waiter<void>>();
  readonly #grants = new Map<string, Waiter<Lease>>();
  readonly #running = new Map<string, AbortController>();
  readonly #decisionsUs: number[] = [];
  readonly #servers: Servers;
  readonly #hosting: Promise<void>[] = [];
  readonly #roams: boolean;

  constructor(world: StrategyWorld, { caps, roams }: { readonly caps: Caps; readonly roams: boolean }) {
    this.#world = world;
    this.#roams = roams;
    const { clock, random } = world;
    this.#scheduler = new LocalScheduler({
      clock,
      random,
      interactivePatienceMs: PATIENCE_MS,
      onSignal: (signal) => this.#onSignal(signal),
    });
    this.#servers = new Servers(world, this.#scheduler);
    this.#servers.declare(caps);
  }

  async open(): Promise<this> {
    await this.#servers.look();
    return this;
  }

  begin(work: Work, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const { taskId, parentId, model } = work;
    const admitted = this.#answered(this.#begins, taskId, signal);
    this.#call(() =>
      this.#scheduler.admit({
        taskId,
        parentId,
        parentSlots: ROOM,
        ...this.#servers.placesFor(model, this.#roams),
        class: parentId === null ? "interactive" : "background",
        needsPlace: parentId !== null,
      }),
    );
    return admitted;
  }

  async turn(turn: Turn, signal: AbortSignal): Promise<GenerationFigures> {
    // A person's own question is a session's turn: nobody began it.
    if (turn.work.parentId === null) await this.begin(turn.work, signal);
    for (let front = false; ; front = true) {
      const lease = await this.#lease(turn, front, signal);
      const stop = new AbortController();
      this.#running.set(lease.leaseId, stop);
      try {
        return await this.#generate(turn, lease, AbortSignal.any([signal, stop.signal]));
      } catch (error) {
        if (signal.aborted || !(stop.signal.aborted || isBusy(error))) throw error;
      } finally {
        this.#running.delete(lease.leaseId);
        this.#call(() => this.#scheduler.release(lease.leaseId)); // keeps T1
      }
      if (!stop.signal.aborted) await delay(this.#world.clock, BUSY_PAUSE_MS, signal);
    }
  }

  park(work: Work): void {
    this.#call(() => this.#scheduler.park(work.taskId));
  }

  end(work: Work): void {
    this.#call(() => this.#scheduler.end(work.taskId));
  }

  held(): number {
    const { slots, places, leases, waiting } = this.#scheduler.counts();
    return slots + places + leases + waiting;
  }

  cost(): DecisionCost | null {
    const all = this.#decisionsUs;
    if (all.length === 0) return null;
    const meanUs = all.reduce((sum, each) => sum + each, 0) / all.length;
    return { count: all.length, meanUs, p99Us: percentile(all, 0.99) };
  }

  close(): void {
    this.#scheduler.close();
  }

  async #lease({ work, class: schedulingClass }: Turn, front: boolean, signal: AbortSignal): Promise<Lease> {
    const { taskId } = work;
    const granted = this.#answered(this.#grants, taskId, signal);
    this.#call(() =>
      this.#scheduler.requestLease({ taskId, class: schedulingClass, ...(front && { front }) }),
    );
    return granted;
  }

  /** Resolves when the scheduler answers; an abort takes what was asked for back. */
  #answered<T>(waiters: Map<string, Waiter<T>>, taskId: string, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiters.delete(taskId);
        this.#call(() => this.#scheduler.withdraw(taskId));
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiters.set(taskId, {
        resolve: (value) => {
          waiters.delete(taskId);
          signal.removeEventListener("abort", onAbort);
          resolve(value);
        },
      });
    });
  }

  async #generate(
    turn: Turn,
    { inFlight, profile, backend }: Lease,
    signal: AbortSignal,
  ): Promise<GenerationFigures> {
    const startedAt = this.#world.clock.monotonic();
    const { taskId, parentId } = turn.work;
    const of = { backend, profile, taskId, parentId, firstTokenMs: null, inFlight };
    try {
      const figures = await turn.generate(signal, serverOf(backend));
      this.#observe({ ...of, ...figures, outcome: "ok" });
      return figures;
    } catch (error) {
      const outcome = signal.aborted ? "aborted" : isBusy(error) ? "busy" : "error";
      const totalMs = this.#world.clock.monotonic() - startedAt;
      this.#observe({ ...of, ...NOTHING, totalMs, outcome });
      throw error;
    }
  }

  #observe(sample: GenerationSample): void {
    this.#call(() => this.#scheduler.observe(sample));
  }

  #onSignal(signal: SchedulerSignal): void {
    switch (signal.type) {
      case "admitted":
        return this.#begins.get(signal.taskId)?.resolve();
      case "granted":
        return this.#granted(signal.lease);
      case "preempt":
        return this.#running.get(signal.leaseId)?.abort(new Error("A person's turn goes first."));
      case "moved":
        return;
      default:
        this.#host(signal);
    }
  }

  #granted(lease: Lease): void {
    const waiter = this.#grants.get(lease.taskId);
    if (waiter === undefined) this.#call(() => this.#scheduler.release(lease.leaseId));
    else waiter.resolve(lease);
  }

  #host(signal: Extract<SchedulerSignal, { type: "load" | "unload" }>): void {
    const at = serverOf(signal.backend);
    const before = this.#hosting[at] ?? Promise.resolve();
    this.#hosting[at] = before.then(() => this.#carryOut(signal)).catch(() => {});
  }

  /** Keeps T2. */
  async #carryOut(signal: Extract<SchedulerSignal, { type: "load" | "unload" }>): Promise<void> {
    const { clock, server } = this.#world;
    const { backend, profile, type } = signal;
    const startedAt = clock.monotonic();
    const at = serverOf(backend);
    if (type === "load") await server.load(profile, at);
    else await server.unload(profile, at);
    const found = (await server.loaded(at)).find(({ model }) => model === profile);
    const tookMs = clock.monotonic() - startedAt;
    const report =
      found === undefined
        ? ({ state: "absent" } as const)
        : ({ state: "resident", vramBytes: found.vramBytes } as const);
    this.#call(() => this.#scheduler.setResidency({ backend, profile, tookMs, ...report }));
  }

  #call(decide: () => void): void {
    const startedAt = systemClock.monotonic();
    decide();
    this.#decisionsUs.push((systemClock.monotonic() - startedAt) * 1_000);
  }
}

const NOTHING = { waitMs: 0, loadMs: 0, promptMs: 0, outputMs: 0, promptTokens: 0, outputTokens: 0 } as const;

export const troupe: Strategy = {
  name: "troupe",
  about: "Troupe's own scheduler (src/scheduler) told the server's np, with a host that loads at its command",
  namesKeepAlive: false,
  open: (world) => new TroupeRun(world, { caps: known(world.facts), roams: true }).open(),
};

export const troupeAuto: Strategy = {
  name: "troupe auto",
  about: "the same, told nothing: slots and children are found by measuring",
  namesKeepAlive: false,
  open: (world) => new TroupeRun(world, { caps: found(), roams: true }).open(),
};

/** For workloads of several servers. */
export const troupeAtSpawn: Strategy = {
  name: "troupe at spawn",
  about: "as troupe, with the least busy server chosen for each child when it is spawned, and for good",
  namesKeepAlive: false,
  open: (world) => new TroupeRun(world, { caps: known(world.facts), roams: false }).open(),
};
