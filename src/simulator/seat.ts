// One generation's place on the box: its model, its slot, what the slot remembers, and its share of the GPU. Texts and
// plain figures go through it alike, so that both cost the same.
//
// N1. The slot is held from the first prompt token to the last piece, the abort or the server's end, and no longer;
//     only a stubborn prompt keeps it until it is read.
// N3. total = load (with the wait for the model) + wait for a slot + prompt + output, all on the box's clock.

import type { Job } from "./batch.ts";
import type { SimulatedBox } from "./box.ts";
import type { ModelDemand } from "./pending.ts";
import { headOf, tokensOf, type CacheSeat, type Prompt } from "./prompt-cache.ts";
import type { Breakable, Runner, RunnerUse } from "./runner.ts";
import type { SlotLease } from "./slot-queue.ts";

/** Milliseconds on the box's clock. */
export interface Figures {
  readonly totalMs: number;
  /** The wait for the model and its load. */
  readonly loadMs: number;
  /** The wait for a slot of the loaded model; no server tells it. */
  readonly waitMs: number;
  /** The whole prompt. */
  readonly promptTokens: number;
  /** Of those, what was remembered and not computed; no server tells it. */
  readonly cachedTokens: number;
  /** For the computed ones alone. */
  readonly promptMs: number;
  readonly outputTokens: number;
  readonly outputMs: number;
}

interface Taken {
  readonly use: RunnerUse;
  readonly lease: SlotLease;
  readonly started: number;
  readonly loadMs: number;
}

/**
 * Waits for the model and for a slot of it.
 * Contract: the seat must `leave`. Rejects as `SimulatedBox.enter` does, or with the signal's reason.
 */
export async function takeSeat(box: SimulatedBox, demand: ModelDemand): Promise<Seat> {
  const started = box.clock.monotonic();
  const use = await box.enter(demand);
  const loadMs = box.clock.monotonic() - started;
  try {
    const lease = await use.runner.slots.acquire(demand.signal);
    return new Seat(box, demand, { use, lease, started, loadMs });
  } catch (error) {
    use.leave();
    throw error;
  }
}

/** A held slot. Contract: every wait rejects with the signal's reason as soon as it aborts. */
export class Seat implements Breakable {
  readonly runner: Runner;
  readonly #box: SimulatedBox;
  readonly #demand: ModelDemand;
  readonly #taken: Taken;
  readonly #job: Job;
  readonly #waitMs: number;
  readonly #onAbort = (): void => this.#break(this.#demand.signal.reason as Error);
  #place: CacheSeat | null = null;
  #held: Prompt = [];
  #prompt: Prompt = [];
  #promptMs = 0;
  #written = 0;
  #outputStart = 0;
  #reading = false;
  #error: Error | null = null;
  #reject: ((error: Error) => void) | null = null;
  #state: "open" | "lingering" | "left" = "open";

  constructor(box: SimulatedBox, demand: ModelDemand, taken: Taken) {
    this.#box = box;
    this.#demand = demand;
    this.#taken = taken;
    this.runner = taken.use.runner;
    this.#waitMs = box.clock.monotonic() - taken.started - taken.loadMs;
    this.#job = this.runner.batch.join();
    this.runner.working.add(this);
    demand.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (demand.signal.aborted) this.#onAbort();
  }

  /** Reads what of the prompt is not remembered. */
  async readPrompt(prompt: Prompt): Promise<void> {
    const { config, clock, tokens } = this.#box;
    this.#place = this.runner.cache?.begin(prompt) ?? null;
    this.#prompt = prompt;
    const cached = this.#place?.cachedTokens ?? 0;
    this.#held = headOf(prompt, cached);
    const computed = tokensOf(prompt) - cached;
    const start = clock.monotonic();
    this.#reading = true;
    await this.#spend(computed, this.#demand.model.prefillTokensPerS ?? config.prefillTokensPerS, false);
    this.#reading = false;
    this.#held = prompt;
    tokens.computedPromptTokens += computed;
    tokens.cachedPromptTokens += cached;
    this.#outputStart = clock.monotonic();
    this.#promptMs += this.#outputStart - start;
  }

  /** Reads the prompt a second time, for what is made in two completions; what is remembered costs one token. */
  async readAgain(): Promise<void> {
    const { config, clock } = this.#box;
    const start = clock.monotonic();
    const computed = this.#place ? 1 : tokensOf(this.#prompt);
    await this.#spend(computed, this.#demand.model.prefillTokensPerS ?? config.prefillTokensPerS, false);
    const tookMs = clock.monotonic() - start;
    this.#promptMs += tookMs;
    this.#outputStart += tookMs;
  }

  /** Writes tokens of the answer; `fine` waits for no piece below a millisecond. */
  async write(count: number, { fine }: { readonly fine: boolean }): Promise<void> {
    const rate = this.#demand.model.decodeTokensPerS ?? this.#box.config.decodeTokensPerS;
    await this.#spend(count, rate, fine);
    this.#written += count;
  }

  /** The answer is whole: what the slot remembers from now on, and the figures so far. */
  finish(held: Prompt): Figures {
    const { clock, tokens } = this.#box;
    const end = clock.monotonic();
    this.#held = held;
    tokens.outputTokens += this.#written;
    const { started, loadMs } = this.#taken;
    const figures = {
      totalMs: end - started,
      loadMs,
      waitMs: this.#waitMs,
      promptTokens: tokensOf(this.#prompt),
      cachedTokens: this.#place?.cachedTokens ?? 0,
      promptMs: this.#promptMs,
      outputTokens: this.#written,
      outputMs: end - this.#outputStart,
    };
    this.#written = 0;
    return figures;
  }

  /** Gives everything back; idempotent. */
  leave(): void {
    if (this.#state !== "open") return;
    // The server does not look for its client before the first token.
    if (this.#reading && this.#demand.signal.aborted && this.#box.config.stubbornPrompts) {
      this.#state = "lingering";
      return;
    }
    this.#giveBack();
  }

  /** The server or its runner ends under it. */
  fail(error: Error): void {
    this.#break(error);
    if (this.#state !== "left") this.#giveBack();
  }

  #giveBack(): void {
    this.#state = "left";
    this.#demand.signal.removeEventListener("abort", this.#onAbort);
    this.#box.tokens.abortedTokens += this.#written;
    this.runner.working.delete(this);
    this.#job.leave();
    if (this.#place) this.runner.cache?.end(this.#place, this.#held);
    this.#taken.lease.release(); // keeps N1
    this.#taken.use.leave();
  }

  #break(error: Error): void {
    this.#error ??= error;
    this.#reject?.(error);
  }

  #spend(count: number, tokensPerS: number, fine: boolean): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const done = (): void => {
        this.#reject = null;
        if (this.#state === "lingering") this.#giveBack();
        else resolve();
      };
      this.#job.spend((count * 1_000) / tokensPerS, done, { fine });
    });
  }
}
