// The simulated GPU box: which models are loaded where, and who waits for one that is not. It follows Ollama's
// scheduler: requests that a loaded model serves pass by, whatever is planned for it; all others stand in one bounded
// queue, served one at a time, so that while its head waits for an eviction everybody behind it waits too.
//
// X1. At most one model is being loaded at a time.
// X2. A request whose client left never loads or keeps a model.
// X3. After `close`, and while the server is down, nothing waits, works or has a timer.

import { CancelledError, NotFoundError } from "../base/errors.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import { GpuTime } from "./batch.ts";
import { taggedName, type SimulatedModel, type SimulatorConfig } from "./config.ts";
import { Faults, outOfMemory, serverGone } from "./faults.ts";
import { Loader } from "./loading.ts";
import { Pending, PendingQueue, type ModelDemand } from "./pending.ts";
import { Residents, type LoadedRunner } from "./residents.ts";
import type { RunnerUse } from "./runner.ts";
import { serves, setupFor } from "./runner-setup.ts";

/** All time and chance of the box come from here; it reads no others. */
export interface BoxOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly config: SimulatorConfig;
}

/** Tokens that the box has read, remembered and written since the start. */
export interface TokenCounts {
  computedPromptTokens: number;
  cachedPromptTokens: number;
  /** Of answers that came to their end. */
  outputTokens: number;
  /** Of answers whose client left, or whose server failed. */
  abortedTokens: number;
}

/** Counters since the start, and what waits or runs right now. */
export interface BoxStats extends Readonly<TokenCounts> {
  readonly loads: number;
  readonly unloads: number;
  /** Requests answered 503. */
  readonly refused: number;
  /**
   * Requests that wait for a model behind the first one: those in the queue, cancelled ones included until their turn
   * comes (as in Ollama), and those that are served with the load that runs.
   */
  readonly waitingModel: number;
  readonly waitingSlot: number;
  readonly generating: number;
  /** How long the head of that queue has waited by now; 0 when there is none. */
  readonly headWaitMs: number;
  /** How long any generation was at work. */
  readonly busyMs: number;
}

/** The box. Contract: `enter` and `unload` may be called at any time; `close` ends everything. */
export class SimulatedBox {
  readonly config: SimulatorConfig;
  readonly clock: Clock;
  /** What is to go wrong. */
  readonly faults = new Faults();
  readonly tokens: TokenCounts = {
    computedPromptTokens: 0,
    cachedPromptTokens: 0,
    outputTokens: 0,
    abortedTokens: 0,
  };
  readonly #closing = new AbortController();
  readonly #residents: Residents;
  readonly #loader: Loader;
  readonly #queue: PendingQueue;
  readonly #time: GpuTime;
  #start: Timer | null = null;

  constructor({ clock, random, config }: BoxOptions) {
    this.config = config;
    this.clock = clock;
    this.#time = new GpuTime(clock, config);
    const { faults } = this;
    this.#residents = new Residents(clock, config);
    this.#loader = new Loader({
      clock,
      random,
      config,
      residents: this.#residents,
      time: this.#time,
      faults,
    });
    this.#queue = new PendingQueue(config.maxQueue, (pending) => this.#loader.serve(pending, this.#queue));
  }

  /** Aborts when the box closes; every wait on it ends with it. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Waits until the model is loaded as the request wants it, and counts the caller in.
   * Contract: the caller must `leave`. Rejects with LimitError `busy` (W1), with ProviderError `out_of_memory`,
   * `load_timeout` or `connection_refused`, with the signal's reason, or that of the closed box.
   */
  enter(demand: ModelDemand): Promise<RunnerUse> {
    if (demand.signal.aborted) return Promise.reject(demand.signal.reason as Error);
    if (this.closed.aborted) return Promise.reject(this.closed.reason as Error);
    if (this.faults.down) return Promise.reject(serverGone());
    const setup = setupFor(demand, this.config);
    const runner = this.#residents.of(demand.model);
    const suits = runner !== undefined && serves(runner.setup, setup);
    if (suits && runner.state === "resident") {
      return Promise.resolve(this.#residents.use(runner, demand.keepAliveMs));
    }
    const pending = new Pending(demand, setup, this.clock.monotonic());
    if (suits && runner.state === "loading") this.#loader.join(runner, pending);
    else this.#queue.add(pending);
    return pending.outcome;
  }

  /** Unloads the model as soon as nobody uses it; nothing happens when it is not loaded. */
  unload(model: SimulatedModel): void {
    const runner = this.#residents.of(model);
    if (runner?.state === "resident") this.#residents.release(runner);
  }

  /** The models that are there, loaded or not. */
  get models(): readonly SimulatedModel[] {
    return this.config.models.filter(({ name }) => !this.faults.deleted.has(taggedName(name)));
  }

  model(name: string): SimulatedModel | null {
    const wanted = taggedName(name);
    return this.models.find((model) => taggedName(model.name) === wanted) ?? null;
  }

  /** Deletes a model; one in memory stays there until it expires. Throws NotFoundError. */
  delete(name: string): void {
    if (!this.model(name)) throw new NotFoundError("model_not_found", `model '${name}' not found`);
    this.faults.deleted.add(taggedName(name));
  }

  /** What is in memory, the one that stays longest first. */
  loaded(): readonly LoadedRunner[] {
    return this.#residents.loaded();
  }

  /** Calls back whenever a model came or went, or begins to; returns what ends that. */
  onChange(listener: () => void): () => void {
    return this.#residents.onChange(listener);
  }

  stats(): BoxStats {
    let waitingSlot = 0;
    let generating = 0;
    for (const { slots } of this.#residents.all) {
      waitingSlot += slots.waiting;
      generating += slots.held;
    }
    const { head } = this.#queue;
    return {
      ...this.tokens,
      loads: this.#loader.loads,
      unloads: this.#residents.unloads,
      refused: this.#queue.refused,
      waitingModel: this.#queue.length + this.#loader.joined,
      waitingSlot,
      generating,
      headWaitMs: head ? this.clock.monotonic() - head.since : 0,
      busyMs: this.#time.busyMs,
    };
  }

  /** Makes everything so many times slower than it should be; 1 is as it should be, `Infinity` hangs. */
  slowTo(factor: number): void {
    this.#time.slowTo(factor);
  }

  /** A card runs out of memory: what generates fails, and every model goes as soon as it is idle. */
  runOutOfMemory(): void {
    for (const runner of this.#residents.all) {
      for (const work of runner.working) work.fail(outOfMemory());
      this.#residents.expire(runner);
    }
  }

  /** The server ends and starts again after `downMs`: models, waits and streams are gone, and nobody answers. */
  restart(downMs: number): void {
    this.#end(serverGone());
    this.faults.down = true;
    this.faults.wedged = false;
    this.#start?.cancel();
    this.#start = this.clock.after(downMs, () => (this.faults.down = false));
  }

  /** Ends every wait and stops every timer. Idempotent. */
  close(): void {
    if (this.closed.aborted) return;
    const reason = new CancelledError("The simulator was closed.");
    this.#closing.abort(reason);
    this.#start?.cancel();
    this.#end(reason);
  }

  #end(reason: Error): void {
    this.#queue.refuseAll(reason);
    this.#residents.end(reason); // keeps X3
  }
}
