// The algorithm of llama-swap's FIFO scheduler, with every choice in its favour: a turn for a model that is ready goes
// straight to it; the others wait, and the model of the oldest is loaded next, together with all who wait for it
// (ABCABC → AABBCC). A busy model is never evicted. Left out: its cap of ten requests in flight for each model, which
// answers 429. Its own default keeps one model in memory; here as many stay as fit.
//
// W1. A model is unloaded only while no request of it is in flight, and one swap runs at a time.
// W2. Nothing is sent for a model that is not ready.

import { fitsBeside } from "../fit.ts";
import type { GenerationFigures } from "../model-server.ts";
import type { Strategy, StrategyRun, StrategyWorld, Turn } from "../strategy.ts";
import { generateWithRetries } from "./retry.ts";

interface Waiter {
  readonly model: string;
  start(): void;
  fail(reason: unknown): void;
}

class LlamaSwapRun implements StrategyRun {
  readonly #world: StrategyWorld;
  /** Ready models, with their requests in flight; the one that was used longest ago is first. */
  readonly #ready = new Map<string, number>();
  readonly #waiting: Waiter[] = [];
  #swapping = false;

  constructor(world: StrategyWorld) {
    this.#world = world;
  }

  async open(): Promise<this> {
    for (const { model } of await this.#world.server.loaded()) this.#ready.set(model, 0);
    return this;
  }

  begin(): Promise<void> {
    return Promise.resolve();
  }

  async turn(turn: Turn, signal: AbortSignal): Promise<GenerationFigures> {
    const { model } = turn.work;
    await this.#enter(model, signal);
    try {
      return await generateWithRetries(turn, this.#world.clock, signal);
    } finally {
      this.#ready.set(model, (this.#ready.get(model) as number) - 1);
      this.#pump();
    }
  }

  park(): void {}
  end(): void {}

  held(): number {
    return this.#waiting.length + [...this.#ready.values()].reduce((sum, flying) => sum + flying, 0);
  }

  cost(): null {
    return null;
  }

  close(): void {}

  #enter(model: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#ready.has(model)) {
      this.#use(model);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const settled = (): void => signal.removeEventListener("abort", onAbort);
      const start = (): void => {
        settled();
        resolve();
      };
      const fail = (reason: unknown): void => {
        settled();
        reject(reason as Error);
      };
      const waiter: Waiter = { model, start, fail };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
      this.#pump();
    });
  }

  #use(model: string): void {
    const flying = this.#ready.get(model) as number;
    this.#ready.delete(model);
    this.#ready.set(model, flying + 1);
  }

  /** Begins the swap to the oldest waiter's model, if its victims are idle (keeps W1). */
  #pump(): void {
    const next = this.#waiting[0]?.model;
    if (next === undefined || this.#swapping) return;
    const staying = [...this.#ready.keys()];
    const victims: string[] = [];
    while (!fitsBeside(this.#world.facts, next, staying)) {
      const idle = staying.find((model) => this.#ready.get(model) === 0);
      if (idle === undefined) return;
      staying.splice(staying.indexOf(idle), 1);
      victims.push(idle);
    }
    this.#swapping = true;
    for (const victim of victims) this.#ready.delete(victim);
    this.#swap(next, victims).catch((error: unknown) => {
      for (const waiter of this.#waiting.splice(0)) waiter.fail(error);
    });
  }

  async #swap(next: string, victims: readonly string[]): Promise<void> {
    for (const victim of victims) await this.#world.server.unload(victim);
    await this.#world.server.load(next);
    this.#ready.set(next, 0);
    this.#swapping = false;
    const joined = this.#waiting.filter(({ model }) => model === next);
    for (const waiter of joined) {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      this.#use(next);
      waiter.start();
    }
    this.#pump();
  }
}

export const llamaSwap: Strategy = {
  name: "llama-swap",
  about:
    "llama-swap's scheduler: ready models first, others grouped in order of coming, no busy model evicted",
  namesKeepAlive: false,
  open: (world) => new LlamaSwapRun(world).open(),
};
