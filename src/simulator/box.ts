// The simulated GPU box: which models are loaded where, and who waits for one that is not. It follows Ollama's
// scheduler: requests for a loaded model with the same context pass by; all others stand in one bounded queue,
// served one at a time, so that while its head waits for an eviction everybody behind it waits too.
//
// X1. Bytes placed on a GPU never pass its VRAM.
// X2. At most one model is being loaded at a time.
// X3. More than `maxQueue` waiting requests are refused with Ollama's own words.
// X4. A runner goes only when nobody uses it, and a request whose client left never loads or keeps a model.

import { CancelledError, LimitError } from "../base/errors.ts";
import { delay, type Clock, type Timer } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import { taggedName, type SimulatedModel, type SimulatorConfig } from "./config.ts";
import { chooseVictim, place, predictedBytes } from "./placement.ts";
import { Runner, type RunnerUse } from "./runner.ts";

/** Ollama's text, two spaces included; clients match it. */
export const BUSY_MESSAGE = "server busy, please try again.  maximum pending requests exceeded";

/** What `expires_at` says of a model that is kept for ever: the longest Go duration. */
const FOREVER_MS = 9_223_372_036_854;

/** What one request asks of the scheduler before it may use a model. */
export interface ModelDemand {
  readonly model: SimulatedModel;
  /** `null` takes the server's default. */
  readonly contextTokens: number | null;
  /** `null` leaves it as it is; negative keeps the model for ever, 0 unloads it when idle. */
  readonly keepAliveMs: number | null;
  readonly signal: AbortSignal;
}

/** All time and chance of the box come from here; it reads no others. */
export interface BoxOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly config: SimulatorConfig;
}

/** A model in memory and the moment, in milliseconds since the epoch, at which it would go. */
export interface LoadedRunner {
  readonly runner: Runner;
  readonly expiresAt: number;
}

/** Counters since the start, and what waits or runs right now. */
export interface BoxStats {
  readonly loads: number;
  readonly unloads: number;
  /** Requests answered 503. */
  readonly refused: number;
  /** Requests that wait for a model, cancelled ones included until their turn comes (as in Ollama). */
  readonly waitingModel: number;
  readonly waitingSlot: number;
  readonly generating: number;
}

interface Pending {
  readonly demand: ModelDemand;
  resolve(use: RunnerUse): void;
  reject(reason: unknown): void;
}

/** The box. Contract: `enter` and `unload` may be called at any time; `close` ends everything. */
export class SimulatedBox {
  readonly config: SimulatorConfig;
  readonly clock: Clock;
  readonly #random: Random;
  readonly #closing = new AbortController();
  readonly #runners = new Map<string, Runner>();
  readonly #evictions = new Map<Runner, Promise<void>>();
  readonly #expiries = new Map<Runner, { readonly timer: Timer; readonly at: number }>();
  readonly #pending: Pending[] = [];
  #serving = false;
  #loads = 0;
  #unloads = 0;
  #refused = 0;

  constructor(options: BoxOptions) {
    this.config = options.config;
    this.clock = options.clock;
    this.#random = options.random;
  }

  /** Aborts when the box closes; every wait on it ends with it. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Waits until the model is loaded and counts the caller in.
   * Contract: the caller must `leave`. Rejects with LimitError `busy` (X3), or with the signal's reason.
   */
  enter(demand: ModelDemand): Promise<RunnerUse> {
    if (demand.signal.aborted) return Promise.reject(demand.signal.reason as Error);
    const runner = this.#runners.get(demand.model.name);
    if (runner && this.#passesBy(runner, demand)) return Promise.resolve(this.#use(runner, demand));
    if (this.#serving && this.#pending.length >= this.config.maxQueue) {
      this.#refused += 1;
      return Promise.reject(new LimitError("busy", BUSY_MESSAGE));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(demand.signal.reason as Error);
      demand.signal.addEventListener("abort", onAbort, { once: true });
      const settled = (): void => demand.signal.removeEventListener("abort", onAbort);
      this.#pending.push({
        demand,
        resolve: (use) => {
          settled();
          resolve(use);
        },
        reject: (reason) => {
          settled();
          reject(reason as Error);
        },
      });
      if (!this.#serving) void this.#serveAll();
    });
  }

  /** Unloads the model as soon as nobody uses it; nothing happens when it is not loaded. */
  unload(model: SimulatedModel): void {
    const runner = this.#runners.get(model.name);
    if (runner && runner.state === "resident") void this.#evict(runner);
  }

  model(name: string): SimulatedModel | null {
    const wanted = taggedName(name);
    return this.config.models.find((model) => taggedName(model.name) === wanted) ?? null;
  }

  /** What is in memory, soonest to expire first. */
  loaded(): readonly LoadedRunner[] {
    return [...this.#runners.values()]
      .filter((runner) => runner.state === "resident" || runner.state === "draining")
      .map((runner) => ({ runner, expiresAt: this.#expiresAt(runner) }))
      .toSorted((a, b) => a.expiresAt - b.expiresAt);
  }

  stats(): BoxStats {
    let waitingSlot = 0;
    let generating = 0;
    for (const { slots } of this.#runners.values()) {
      waitingSlot += slots.waiting;
      generating += slots.held;
    }
    return {
      loads: this.#loads,
      unloads: this.#unloads,
      refused: this.#refused,
      waitingModel: this.#pending.length,
      waitingSlot,
      generating,
    };
  }

  /** Ends every wait and stops every timer. Idempotent. */
  close(): void {
    if (this.closed.aborted) return;
    this.#closing.abort(new CancelledError("The simulator was closed."));
    for (const { timer } of this.#expiries.values()) timer.cancel();
    this.#expiries.clear();
    for (const waiter of this.#pending.splice(0)) waiter.reject(this.closed.reason);
  }

  /**
   * Whether a request may use a loaded model without queueing. A draining one is refused here, so an eviction
   * always comes to its end; Ollama lets such requests pass, which is how it starves and deadlocks.
   */
  #passesBy(runner: Runner, demand: ModelDemand): boolean {
    return runner.state === "resident" && runner.contextTokens === this.#contextFor(demand);
  }

  #contextFor(demand: ModelDemand): number {
    return Math.min(demand.contextTokens ?? this.config.defaultContextTokens, demand.model.contextTokens);
  }

  async #serveAll(): Promise<void> {
    this.#serving = true;
    for (let next = this.#pending.shift(); next; next = this.#pending.shift()) {
      try {
        await this.#serve(next);
      } catch (error) {
        next.reject(error);
      }
    }
    this.#serving = false;
  }

  async #serve(pending: Pending): Promise<void> {
    const { demand } = pending;
    while (!demand.signal.aborted && !this.closed.aborted) {
      const runner = this.#runners.get(demand.model.name);
      if (runner && this.#passesBy(runner, demand)) return pending.resolve(this.#use(runner, demand));
      if (runner) await this.#evict(runner);
      else await this.#loadOrMakeRoom(demand);
    }
    pending.reject(demand.signal.aborted ? demand.signal.reason : this.closed.reason);
  }

  async #loadOrMakeRoom(demand: ModelDemand): Promise<void> {
    const slots = demand.model.slots ?? this.config.slots;
    const contextTokens = this.#contextFor(demand);
    const bytes = predictedBytes(demand.model, contextTokens, slots);
    const occupants = [...this.#runners.values()];
    const placement = place(bytes, this.config.gpus, occupants);
    const victim = placement ? null : chooseVictim(occupants);
    if (victim) return this.#evict(victim);
    const runner = new Runner({
      model: demand.model,
      contextTokens,
      slots,
      bytes,
      placement: placement ?? new Map(),
      keepAliveMs: demand.keepAliveMs ?? this.config.keepAliveMs,
    });
    await this.#load(runner, demand.signal);
  }

  async #load(runner: Runner, signal: AbortSignal): Promise<void> {
    this.#runners.set(runner.model.name, runner);
    const spread = 1 + this.config.loadJitter * (2 * this.#random.next() - 1);
    try {
      await delay(this.clock, runner.model.loadMs * spread, AbortSignal.any([signal, this.closed]));
    } catch (error) {
      this.#runners.delete(runner.model.name); // keeps X4
      throw error;
    }
    runner.state = "resident";
    this.#loads += 1;
    // The client may have left in this very moment: what nobody uses must expire (keeps X4).
    this.#armExpiry(runner);
  }

  #use(runner: Runner, demand: ModelDemand): RunnerUse {
    if (demand.keepAliveMs !== null) runner.keepAliveMs = demand.keepAliveMs;
    this.#expiries.get(runner)?.timer.cancel();
    this.#expiries.delete(runner);
    return runner.use(() => this.#armExpiry(runner));
  }

  #armExpiry(runner: Runner): void {
    if (runner.state !== "resident" || runner.keepAliveMs < 0 || this.closed.aborted) return;
    if (runner.keepAliveMs === 0) return void this.#evict(runner);
    const timer = this.clock.after(runner.keepAliveMs, () => void this.#evict(runner));
    this.#expiries.set(runner, { timer, at: this.clock.now() + runner.keepAliveMs });
  }

  #expiresAt(runner: Runner): number {
    const keepMs = runner.keepAliveMs < 0 ? FOREVER_MS : runner.keepAliveMs;
    return this.#expiries.get(runner)?.at ?? this.clock.now() + keepMs;
  }

  #evict(runner: Runner): Promise<void> {
    const running = this.#evictions.get(runner) ?? this.#drain(runner);
    this.#evictions.set(runner, running);
    return running;
  }

  /** Never rejects: a box that closes meanwhile has nothing left to unload. */
  async #drain(runner: Runner): Promise<void> {
    this.#expiries.get(runner)?.timer.cancel();
    this.#expiries.delete(runner);
    runner.state = "draining";
    await runner.whenIdle(); // keeps R1
    runner.state = "unloading";
    await delay(this.clock, this.config.unloadMs, this.closed).catch(() => {});
    this.#runners.delete(runner.model.name);
    this.#evictions.delete(runner);
    this.#unloads += 1;
  }
}
