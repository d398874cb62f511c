// How a model comes into memory: room is made for it, one eviction after the other, and it is read from disk. One load
// at a time, for the head of the queue; whoever else wants the model while it is being read is served with it.
//
// V1. Bytes placed on a GPU never pass its VRAM.
// V2. A load whose client or whose server goes leaves no model behind, and sends those who waited for it to the queue.

import { delay, type Clock } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import type { GpuTime } from "./batch.ts";
import type { SimulatorConfig } from "./config.ts";
import { loadTimedOut, outOfMemory, type Faults } from "./faults.ts";
import type { Pending, PendingQueue } from "./pending.ts";
import { chooseVictim, place, predictedBytes, type Placement } from "./placement.ts";
import { PromptCache } from "./prompt-cache.ts";
import type { Residents } from "./residents.ts";
import { Runner } from "./runner.ts";
import { serves, slotsOf } from "./runner-setup.ts";

/** A context that ran out of memory is lowered to the next of these, if nobody asked for it. */
const SMALLER_CONTEXTS = [32_768, 4_096] as const;
const AUTO_MODELS_PER_GPU = 3;

export interface LoaderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly config: SimulatorConfig;
  readonly residents: Residents;
  readonly time: GpuTime;
  readonly faults: Faults;
}

/** Serves the head of the queue. Contract: `serve` never rejects. */
export class Loader {
  readonly #options: LoaderOptions;
  readonly #joined = new Map<Runner, Pending[]>();
  loads = 0;

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** Serves a request for a model that is being read: with it, or from the queue if the load fails. */
  join(runner: Runner, pending: Pending): void {
    this.#joined.get(runner)?.push(pending);
  }

  /** Requests that are served with a load which runs now. */
  get joined(): number {
    let count = 0;
    for (const requests of this.#joined.values()) count += requests.filter(({ isOver }) => !isOver).length;
    return count;
  }

  /** Ends when the request is over: it has its model, or an error, or its client has gone. */
  async serve(pending: Pending, queue: PendingQueue): Promise<void> {
    const { residents, faults } = this.#options;
    while (!pending.isOver) {
      if (faults.wedged) {
        await residents.nextUnload();
        continue;
      }
      const runner = residents.of(pending.demand.model);
      if (runner?.state === "resident" && serves(runner.setup, pending.setup)) {
        return pending.grant(residents.use(runner, pending.demand.keepAliveMs));
      }
      const placement = runner || this.#isFull() ? null : this.#placeFor(pending);
      if (placement) await this.#load(pending, placement, queue);
      else await this.#evict(runner ?? chooseVictim(residents.all));
    }
  }

  async #evict(victim: Runner | null): Promise<void> {
    if (victim === null) return;
    const unloaded = this.#options.residents.nextUnload();
    this.#options.residents.expire(victim);
    await unloaded;
  }

  #isFull(): boolean {
    const { config, residents } = this.#options;
    const most = config.maxLoadedModels || AUTO_MODELS_PER_GPU * Math.max(1, config.gpus.length);
    return residents.all.length >= most;
  }

  #bytesFor({ demand, setup }: Pending): number {
    const slots = slotsOf(demand.model, this.#options.config.slots);
    return predictedBytes(demand.model, setup.contextTokens, slots);
  }

  /** Where the model goes, or `null` when another one must go first (keeps V1). */
  #placeFor(pending: Pending): Placement | null {
    const { config, residents } = this.#options;
    const mainGpu = pending.setup.options["main_gpu"];
    const wish = {
      bytes: this.#bytesFor(pending),
      spread: config.spread,
      ...(typeof mainGpu === "number" ? { mainGpu } : {}),
    };
    return place(wish, config.gpus, residents.all);
  }

  async #load(pending: Pending, placement: Placement, queue: PendingQueue): Promise<void> {
    const { config, residents, time } = this.#options;
    const { demand, setup } = pending;
    const slots = slotsOf(demand.model, config.slots);
    const runner = new Runner({
      model: demand.model,
      setup,
      slots,
      bytes: this.#bytesFor(pending),
      placement,
      keepAliveMs: demand.keepAliveMs ?? config.keepAliveMs,
      batch: time.batch([...placement.keys()]),
      cache: config.promptCache ? new PromptCache(slots, config.promptCache) : null,
    });
    residents.add(runner);
    this.#joined.set(runner, []);
    const failure = await this.#read(pending, runner);
    const joined = this.#joined.get(runner) ?? [];
    this.#joined.delete(runner);
    if (failure === null) {
      this.loads += 1;
      this.#serveLoaded(runner, [pending, ...joined]);
    } else {
      residents.drop(runner); // keeps V2
      await this.#recover(pending, failure);
      for (const other of joined) if (!other.isOver) queue.add(other);
    }
  }

  #serveLoaded(runner: Runner, requests: readonly Pending[]): void {
    const { residents } = this.#options;
    // Counted in first: one whose keep-alive is 0 must not go before its requests have had it.
    const own = residents.use(runner, null);
    residents.becomeResident(runner);
    for (const each of requests) {
      if (!each.isOver) each.grant(residents.use(runner, each.demand.keepAliveMs));
    }
    own.leave();
  }

  /** Reads the model from disk: `null` when it is in memory, else what went wrong. */
  async #read(pending: Pending, runner: Runner): Promise<Error | null> {
    const { config, clock, random, residents, faults } = this.#options;
    const fault = faults.takeLoad();
    const spread = 1 + config.loadJitter * (2 * random.next() - 1);
    const ms = fault === "stalled" ? config.loadTimeoutMs : pending.demand.model.loadMs * spread;
    const startMs = Math.min(ms, config.runnerStartMs);
    const signal = AbortSignal.any([pending.demand.signal, residents.life]);
    try {
      if (startMs > 0) await delay(clock, startMs, signal);
      residents.becomeLoading(runner);
      await delay(clock, ms - startMs, signal);
    } catch (error) {
      return error as Error;
    }
    if (fault === "stalled") return loadTimedOut();
    return fault === "out_of_memory" ? outOfMemory() : null;
  }

  /** After a load without memory: a smaller context once if nobody asked for it, else everything else goes, once. */
  async #recover(pending: Pending, failure: Error): Promise<void> {
    const { residents } = this.#options;
    const { setup } = pending;
    if (pending.isOver || (failure as { code?: string }).code !== "out_of_memory")
      return pending.refuse(failure);
    const smaller = SMALLER_CONTEXTS.find((tokens) => tokens < setup.contextTokens);
    if (setup.autoContext && smaller !== undefined) {
      pending.setup = { ...setup, contextTokens: smaller };
      return;
    }
    if (pending.hadRoomMade) return pending.refuse(failure);
    pending.hadRoomMade = true;
    for (let rest = residents.all; rest.length > 0 && !pending.isOver; rest = residents.all) {
      const unloaded = residents.nextUnload();
      for (const runner of rest) residents.expire(runner);
      await unloaded;
    }
  }
}
