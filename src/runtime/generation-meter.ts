// What one generation has used so far, also when it breaks off: a budget that sees finished answers only does not see
// what interrupted and failed ones cost.
// G1. Every request that the server began to answer is counted once: by its own figures, else by estimate.
// G2. The time of one that the server does not time runs from its first sign of life.

import type { GenerationUsage } from "../../providers/provider.ts";

/** As in compaction.ts: characters of text in one token, on the cautious side. */
const CHARS_PER_TOKEN = 3.5;

export const NOTHING_USED: GenerationUsage = {
  promptTokens: 0,
  outputTokens: 0,
  loadMs: 0,
  promptMs: 0,
  outputMs: 0,
  totalMs: 0,
};

export class GenerationMeter {
  readonly #promptTokens: number;
  readonly #now: () => number;
  #told: GenerationUsage = NOTHING_USED;
  #requests = 0;
  #answering = false;
  #since = 0;
  #chars = 0;

  /** `promptTokens`: the prompt's size as estimated, for requests that end without figures; `now`: monotonic, in ms. */
  constructor(promptTokens: number, now: () => number) {
    this.#promptTokens = promptTokens;
    this.#now = now;
  }

  /** Requests that the server began to answer. */
  get requests(): number {
    return this.#requests;
  }

  /** The server answers: called for each event of the stream, with the characters that it carries. */
  wrote(chars: number): void {
    if (!this.#answering) {
      this.#requests += 1;
      this.#since = this.#now();
    }
    this.#answering = true;
    this.#chars += chars;
  }

  /** The server's own figures for the request; they replace the estimate. Keeps G2. */
  finish(figures: GenerationUsage): void {
    const { loadMs, promptMs, outputMs } = figures;
    const isTimed = loadMs + promptMs + outputMs > 0 || !this.#answering;
    this.#told = addFigures(this.#told, isTimed ? figures : { ...figures, outputMs: this.#elapsed });
    this.#answering = false;
    this.#chars = 0;
  }

  /** What the server has told of the requests that it finished. */
  get told(): GenerationUsage {
    return this.#told;
  }

  get usage(): GenerationUsage {
    if (!this.#answering) return this.#told;
    const outputTokens = Math.ceil(this.#chars / CHARS_PER_TOKEN);
    const outputMs = this.#elapsed;
    return addFigures(this.#told, {
      ...NOTHING_USED,
      promptTokens: this.#promptTokens,
      outputTokens,
      outputMs,
    });
  }

  get #elapsed(): number {
    return this.#now() - this.#since;
  }
}

function addFigures(a: GenerationUsage, b: GenerationUsage): GenerationUsage {
  const cachedPromptTokens = (a.cachedPromptTokens ?? 0) + (b.cachedPromptTokens ?? 0);
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    ...(cachedPromptTokens > 0 && { cachedPromptTokens }),
    outputTokens: a.outputTokens + b.outputTokens,
    loadMs: a.loadMs + b.loadMs,
    promptMs: a.promptMs + b.promptMs,
    outputMs: a.outputMs + b.outputMs,
    totalMs: a.totalMs + b.totalMs,
  };
}
