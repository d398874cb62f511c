// What one generation has used so far, also when it breaks off: a budget that sees finished answers only does not see
// what interrupted and failed ones cost.
// G1. Every request that the server began to answer is counted once: by its own figures, else by estimate.

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
  #told: GenerationUsage = NOTHING_USED;
  #requests = 0;
  #answering = false;
  #chars = 0;

  /** `promptTokens`: the prompt's size as estimated, for requests that end without figures. */
  constructor(promptTokens: number) {
    this.#promptTokens = promptTokens;
  }

  /** Requests that the server began to answer. */
  get requests(): number {
    return this.#requests;
  }

  /** The server answers: called for each event of the stream, with the characters that it carries. */
  wrote(chars: number): void {
    if (!this.#answering) this.#requests += 1;
    this.#answering = true;
    this.#chars += chars;
  }

  /** The server's own figures for the request; they replace the estimate. */
  finish(figures: GenerationUsage): void {
    this.#told = addFigures(this.#told, figures);
    this.#answering = false;
    this.#chars = 0;
  }

  get usage(): GenerationUsage {
    if (!this.#answering) return this.#told;
    const outputTokens = Math.ceil(this.#chars / CHARS_PER_TOKEN);
    return addFigures(this.#told, { ...NOTHING_USED, promptTokens: this.#promptTokens, outputTokens });
  }
}

function addFigures(a: GenerationUsage, b: GenerationUsage): GenerationUsage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    loadMs: a.loadMs + b.loadMs,
    promptMs: a.promptMs + b.promptMs,
    outputMs: a.outputMs + b.outputMs,
    totalMs: a.totalMs + b.totalMs,
  };
}
