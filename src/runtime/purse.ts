// What one generation takes from its budget: reserves before each request, and books what was used however it ended.
// P1. One reservation at a time; what was used is booked once, over all of them.
// P2. Under a budget of money no model of a cloud generates whose price is unknown.

import { LimitError } from "../base/errors.ts";
import type { NewEvent } from "../core/event.ts";
import { NO_USAGE, type Usage } from "../core/limits.ts";
import { checkPriced, costMicros, PER_PRICE } from "../core/price.ts";
import type { ModelSettings } from "../core/settings.ts";
import type { GenerationMeter } from "./generation-meter.ts";
import type { GpuRates } from "./gpu-rates.ts";
import { isRefused, type BudgetWarning, type Ledger, type Reservation } from "./ledger.ts";

/** An answer that may be no longer than this is seldom one: a short tool call with its arguments takes about half. */
const LEAST_ANSWER_TOKENS = 256;

export interface PurseOptions {
  readonly ledger: Ledger;
  readonly model: ModelSettings;
  readonly gpu: GpuRates;
  readonly meter: GenerationMeter;
}

export class Purse {
  readonly #options: PurseOptions;
  #reservation: Reservation | null = null;
  #booked: Usage = NO_USAGE;
  #isShort = false;

  constructor(options: PurseOptions) {
    this.#options = options;
  }

  /**
   * How long the answer to a prompt of so many tokens may be, in tokens: `wanted`, or as much as is left by the
   * model's context and by limits of tokens and money, where that is still enough for an answer. What is too little
   * is not asked for, so that `reserve` says which limit it is.
   */
  answerTokens(promptTokens: number, wanted: number): number {
    const { ledger, model } = this.#options;
    const least = Math.min(wanted, LEAST_ANSWER_TOKENS);
    const { tokens, costMicros: money } = ledger.remaining;
    const { outputPriceMicros } = model;
    const ofMoney =
      money === null || outputPriceMicros === 0
        ? Infinity
        : ((money - costMicros({ promptTokens, outputTokens: 0 }, model)) * PER_PRICE) / outputPriceMicros;
    const ofTokens = tokens === null ? Infinity : tokens - promptTokens;
    // The prompt is estimated: a context that seems full may still have room, and the server knows.
    const ofContext = Math.max(least, (model.contextTokens ?? Infinity) - promptTokens);
    const room = Math.floor(Math.min(wanted, ofContext, ofTokens, ofMoney));
    const unlimited = Math.min(wanted, ofContext);
    this.#isShort = room >= least && room < Math.floor(unlimited);
    return room >= least ? room : unlimited;
  }

  /** Whether a limit left less room for the answer than it would have had. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Throws LimitError `budget` when the budget does not allow it, and `price_unknown`. */
  reserve(promptTokens: number, outputTokens: number): void {
    const { ledger, model, gpu } = this.#options;
    if (ledger.remaining.costMicros !== null) checkPriced(model, gpu.isLocal(model.ref));
    const answer = ledger.reserve({
      tokens: promptTokens + outputTokens,
      costMicros: costMicros({ promptTokens, outputTokens }, model),
      gpuMs: gpu.estimate(model.ref, promptTokens, outputTokens),
    });
    if (isRefused(answer)) {
      const message = `${answer.message} A generation reserves its whole answer: a smaller max_output_tokens (now ${outputTokens}) asks for less.`;
      throw new LimitError(answer.code, message, { details: { held_by_others: answer.heldByOthers } });
    }
    this.#reservation = answer;
  }

  /** Books what was used since the last time, and gives what was reserved back. */
  settle(): void {
    const used = this.#used();
    this.#reservation?.settle(sinceUsage(this.#booked, used));
    if (this.#reservation) this.#booked = used;
    this.#reservation = null;
  }

  /** Settles for good. Returns what was used over all requests, and the limits that came close by it. */
  close(): { readonly used: Usage; readonly warnings: readonly BudgetWarning[] } {
    const { ledger, model, gpu, meter } = this.#options;
    this.settle();
    gpu.observe(model.ref, meter.told);
    return { used: this.#used(), warnings: ledger.takeWarnings() };
  }

  #used(): Usage {
    const { model, gpu, meter } = this.#options;
    const { usage, requests } = meter;
    return {
      promptTokens: usage.promptTokens,
      outputTokens: usage.outputTokens,
      costMicros: costMicros(usage, model),
      gpuMs: gpu.spent(model.ref, usage),
      toolCalls: 0,
      generations: requests,
    };
  }
}

/** The event that says so. */
export function warned(data: BudgetWarning): NewEvent {
  return { type: "budget.warned", data };
}

/** What came to `before` to make it `after`. */
function sinceUsage(before: Usage, after: Usage): Usage {
  return {
    promptTokens: after.promptTokens - before.promptTokens,
    outputTokens: after.outputTokens - before.outputTokens,
    costMicros: after.costMicros - before.costMicros,
    gpuMs: after.gpuMs - before.gpuMs,
    toolCalls: after.toolCalls - before.toolCalls,
    generations: after.generations - before.generations,
  };
}
