// One loaded model: who uses it, its parallel slots, and whether it is coming or going. Decides nothing by itself;
// the box moves it from state to state.
//
// R1. A runner is unloaded only when nobody uses it.
// R2. A use ends once: `leave` is idempotent.

import type { SimulatedModel } from "./config.ts";
import type { Occupant, Placement } from "./placement.ts";
import { SlotQueue } from "./slot-queue.ts";

/** `draining` takes no new request and goes when its last user has left. */
export type RunnerState = "loading" | "resident" | "draining" | "unloading";

/** One user of a loaded model. Contract: must `leave`; may do so twice. */
export interface RunnerUse {
  readonly runner: Runner;
  leave(): void;
}

/** Fixed for as long as the model is loaded; another context means another load. */
export interface RunnerOptions {
  readonly model: SimulatedModel;
  readonly contextTokens: number;
  readonly slots: number;
  readonly bytes: number;
  readonly placement: Placement;
  readonly keepAliveMs: number;
}

/** A loaded model. Contract: never throws; unloading it is the box's business. */
export class Runner implements Occupant {
  readonly model: SimulatedModel;
  readonly contextTokens: number;
  readonly bytes: number;
  readonly placement: Placement;
  readonly slots: SlotQueue;
  state: RunnerState = "loading";
  keepAliveMs: number;
  #users = 0;
  #idle: (() => void)[] = [];

  constructor(options: RunnerOptions) {
    this.model = options.model;
    this.contextTokens = options.contextTokens;
    this.bytes = options.bytes;
    this.placement = options.placement;
    this.keepAliveMs = options.keepAliveMs;
    this.slots = new SlotQueue(options.slots);
  }

  get users(): number {
    return this.#users;
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
        if (this.#users > 0) return;
        for (const resolve of this.#idle.splice(0)) resolve();
        onIdle();
      },
    };
  }

  /** Resolves when nobody uses it. */
  whenIdle(): Promise<void> {
    if (this.#users === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}
