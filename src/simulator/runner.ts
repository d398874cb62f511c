// One loaded model: what it was loaded with, who uses it, its parallel slots, what it remembers of its prompts, and
// whether it is coming or going. Decides nothing by itself; `Residents` moves it from state to state.
//
// R1. A runner is unloaded only when nobody uses it, unless its server dies.
// R2. A use ends once: `leave` is idempotent.

import type { Batch } from "./batch.ts";
import type { SimulatedModel } from "./config.ts";
import type { Occupant, Placement } from "./placement.ts";
import type { PromptCache } from "./prompt-cache.ts";
import type { RunnerSetup } from "./runner-setup.ts";
import { SlotQueue } from "./slot-queue.ts";

/**
 * A `starting` one is known to nobody; a `loading` one reads its weights. A resident one may be `leaving` and is served
 * all the same: it goes when its last user has left.
 */
export type RunnerState = "starting" | "loading" | "resident" | "unloading";

/** One user of a loaded model. Contract: must `leave`; may do so twice. */
export interface RunnerUse {
  readonly runner: Runner;
  leave(): void;
}

/** A generation at work, which ends with its server. */
export interface Breakable {
  /** Contract: ends with this error and gives everything back, at once. */
  fail(error: Error): void;
}

/** Fixed for as long as the model is loaded; another setup means another load. */
export interface RunnerOptions {
  readonly model: SimulatedModel;
  readonly setup: RunnerSetup;
  readonly slots: number;
  readonly bytes: number;
  readonly placement: Placement;
  readonly keepAliveMs: number;
  readonly batch: Batch;
  readonly cache: PromptCache | null;
}

/** What a model's runner is known by: its weights, so that two names of one file share it. */
export function runnerKey(model: SimulatedModel): string {
  return model.blob ?? model.name;
}

/** A loaded model. Contract: never throws; unloading it is the business of `Residents`. */
export class Runner implements Occupant {
  readonly model: SimulatedModel;
  readonly setup: RunnerSetup;
  readonly bytes: number;
  readonly placement: Placement;
  readonly slots: SlotQueue;
  readonly batch: Batch;
  readonly cache: PromptCache | null;
  /** Who generates on it. */
  readonly working = new Set<Breakable>();
  state: RunnerState = "starting";
  keepAliveMs: number;
  /** Whether it goes as soon as it is idle, whatever its keep-alive says. */
  leaving = false;
  #users = 0;

  constructor(options: RunnerOptions) {
    this.model = options.model;
    this.setup = options.setup;
    this.bytes = options.bytes;
    this.placement = options.placement;
    this.keepAliveMs = options.keepAliveMs;
    this.batch = options.batch;
    this.cache = options.cache;
    this.slots = new SlotQueue(options.slots);
  }

  get users(): number {
    return this.#users;
  }

  /** Of one slot. */
  get contextTokens(): number {
    return this.setup.contextTokens;
  }

  /** Bytes that lie on GPUs; less than `bytes` when the model did not fit. */
  get vramBytes(): number {
    let sum = 0;
    for (const bytes of this.placement.values()) sum += bytes;
    return sum;
  }

  /** Counts one user in, queued for a slot or generating; `onIdle` is called when the last one leaves. */
  use(onIdle: () => void): RunnerUse {
    this.#users += 1;
    let open = true;
    return {
      runner: this,
      leave: () => {
        if (!open) return; // keeps R2
        open = false;
        this.#users -= 1;
        if (this.#users === 0) onIdle();
      },
    };
  }

  /** Ends all that waits or works here, with this error: its process is gone or has failed. */
  fail(error: Error): void {
    this.slots.refuseAll(error);
    for (const work of this.working) work.fail(error);
  }
}
