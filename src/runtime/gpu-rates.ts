// How much GPU time a generation will take, by what the generations of its model took so far: milliseconds for a token
// read, for a token written, and for loading. A cloud's model takes none of ours.
// R1. An estimate lies between what was seen and what is assumed of a model that nobody has seen yet, which is slow.

import { runsHere } from "../core/load-profile.ts";
import type { BackendSettings } from "../core/settings.ts";
import type { ModelRef } from "../core/task.ts";
import type { GenerationUsage } from "../../providers/provider.ts";

interface Rates {
  readonly promptMs: number;
  readonly outputMs: number;
  readonly loadMs: number;
}

/** A large model on an old card: 500 tokens read and 20 written in a second. */
const ASSUMED: Rates = { promptMs: 2, outputMs: 50, loadMs: 0 };
/** What the newest generation weighs against all before it. */
const NEWEST = 0.3;

export class GpuRates {
  readonly #backends: readonly BackendSettings[];
  readonly #seen = new Map<string, Rates>();

  constructor(backends: readonly BackendSettings[]) {
    this.#backends = backends;
  }

  /** Whether the model runs on this box, and its time is GPU time. */
  isLocal(ref: Pick<ModelRef, "model" | "backend">): boolean {
    return runsHere(ref, this.#backends);
  }

  /** Whole milliseconds for a generation that reads and writes so many tokens; 0 for a cloud's. */
  estimate(ref: ModelRef, promptTokens: number, outputTokens: number): number {
    if (!this.isLocal(ref)) return 0;
    const { promptMs, outputMs, loadMs } = this.#seen.get(keyOf(ref)) ?? ASSUMED;
    return Math.ceil(loadMs + promptMs * promptTokens + outputMs * outputTokens);
  }

  /** What was used, in whole milliseconds; 0 for a cloud's. */
  spent(ref: ModelRef, { loadMs, promptMs, outputMs }: GenerationUsage): number {
    return this.isLocal(ref) ? Math.round(loadMs + promptMs + outputMs) : 0;
  }

  /** Learns from what a server told of generations that it finished (R1). */
  observe(ref: ModelRef, told: GenerationUsage): void {
    if (!this.isLocal(ref) || told.outputTokens <= 0) return;
    const before = this.#seen.get(keyOf(ref)) ?? ASSUMED;
    const { loadMs, promptMs, outputMs, promptTokens, outputTokens } = told;
    this.#seen.set(keyOf(ref), {
      promptMs: promptTokens > 0 ? moved(before.promptMs, promptMs / promptTokens) : before.promptMs,
      outputMs: moved(before.outputMs, outputMs / outputTokens),
      loadMs: moved(before.loadMs, loadMs),
    });
  }
}

function moved(before: number, newest: number): number {
  return before + NEWEST * (newest - before);
}

function keyOf({ backend, model }: ModelRef): string {
  return `${backend} ${model}`;
}
