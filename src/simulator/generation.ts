// One generation: wait for the model, wait for a slot, read the prompt, write the answer token by token.
// Both wire protocols consume the same chunks.
//
// N1. The slot is held from the first prompt token to the last chunk or the abort, and never longer.
// N2. Nothing is emitted before the prompt has been read, so no header is written before that either.
// N3. total = load (with the wait for the model) + wait for a slot + prompt + output, all on the box's clock.

import { delay } from "../base/clock.ts";
import { InvalidRequestError } from "../base/errors.ts";
import type { SimulatedBox } from "./box.ts";
import type { SimulatedModel } from "./config.ts";
import { formatted } from "./format.ts";
import type { PolicyAnswer, PolicyCall, PolicyRequest } from "./policy.ts";
import { fitToContext, pieces, promptTokens, tokensIn } from "./prompt.ts";
import type { Runner } from "./runner.ts";

/** One chat request, in the one form that both protocols are read into. */
export interface GenerationRequest extends PolicyRequest {
  readonly model: SimulatedModel;
  readonly contextTokens: number | null;
  readonly keepAliveMs: number | null;
  /** Tokens that may be written; `null` is no limit. */
  readonly maxTokens: number | null;
  /** Whether a prompt that does not fit is cut silently; else it is refused. */
  readonly truncates: boolean;
  /** Whether an answer that fills the context pushes the oldest turns out; else it ends by length. */
  readonly shifts: boolean;
  /** `"json"`, a JSON Schema, or `null`. */
  readonly format: unknown;
  readonly think: boolean;
  readonly signal: AbortSignal;
}

/** Milliseconds on the box's clock. */
export interface Figures {
  readonly totalMs: number;
  readonly loadMs: number;
  readonly promptTokens: number;
  readonly promptMs: number;
  readonly outputTokens: number;
  readonly outputMs: number;
}

export type GenerationChunk =
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call"; readonly index: number; readonly call: PolicyCall }
  | { readonly type: "done"; readonly reason: "stop" | "length"; readonly figures: Figures };

/** Spends time token by token against an absolute schedule, so that coarse timers do not add up. */
class Pace {
  readonly #box: SimulatedBox;
  readonly #runner: Runner;
  readonly #signal: AbortSignal;
  #due: number;

  constructor(box: SimulatedBox, runner: Runner, signal: AbortSignal) {
    this.#box = box;
    this.#runner = runner;
    this.#signal = signal;
    this.#due = box.clock.monotonic();
  }

  /** Contract: rejects with the signal's reason as soon as it aborts. */
  async spend(tokens: number, tokensPerS: number): Promise<void> {
    const crowd = 1 + this.#box.config.batchSlowdown * (this.#runner.slots.held - 1);
    this.#due += ((tokens * 1_000) / tokensPerS) * crowd;
    this.#signal.throwIfAborted();
    const left = this.#due - this.#box.clock.monotonic();
    // Timers are no finer than a millisecond; what is shorter is made up for by a later token.
    if (left >= 1) await delay(this.#box.clock, left, this.#signal);
  }
}

type Token = { readonly chunk: GenerationChunk; readonly tokens: number };

/** The answer as chunks with their cost, in the order of a real server: thoughts, text, calls. */
function tokensOf(answer: PolicyAnswer, request: GenerationRequest): readonly Token[] {
  const text =
    request.format === null || answer.calls.length > 0 ? answer.text : formatted(answer.text, request.format);
  const thinking = request.think ? pieces(answer.thinking || thoughtFor(answer)) : [];
  return [
    ...thinking.map((piece): Token => ({ chunk: { type: "thinking", text: piece }, tokens: 1 })),
    ...pieces(text).map((piece): Token => ({ chunk: { type: "text", text: piece }, tokens: 1 })),
    ...answer.calls.map((call, index): Token => ({
      chunk: { type: "call", index, call },
      tokens: tokensIn(JSON.stringify(call)),
    })),
  ];
}

function thoughtFor(answer: PolicyAnswer): string {
  const names = answer.calls.map((call) => call.name).join(", ");
  const plan = names === "" ? "I answer in words." : `I call ${names}.`;
  return `A simulated thought, by rule and not by a model: ${plan}`;
}

/**
 * How many prompt tokens must be computed. All of them: no prompt cache is simulated, so figures err on the slow side.
 */
function uncachedTokens(count: number): number {
  return count;
}

/**
 * Runs one generation.
 * Contract: throws LimitError `busy`, InvalidRequestError `context_length`, or the reason of the signal or of the closed box. The consumer must either read
 * to the end or abort the signal: a generator that is dropped in the middle of a wait keeps its slot (N1).
 */
export async function* generate(
  box: SimulatedBox,
  request: GenerationRequest,
): AsyncGenerator<GenerationChunk> {
  const signal = AbortSignal.any([request.signal, box.closed]);
  const started = box.clock.monotonic();
  const use = await box.enter({ ...request, signal });
  const loadMs = box.clock.monotonic() - started;
  try {
    const lease = await use.runner.slots.acquire(signal);
    try {
      yield* answer(box, { ...request, signal }, { runner: use.runner, started, loadMs });
    } finally {
      lease.release(); // keeps N1
    }
  } finally {
    use.leave();
  }
}

/** Throws InvalidRequestError in Ollama's words for a prompt that does not fit and may not be cut. */
function fittedPrompt(request: GenerationRequest, contextTokens: number): PolicyRequest {
  if (request.truncates) return fitToContext(request, contextTokens);
  if (promptTokens(request) <= contextTokens) return request;
  throw new InvalidRequestError("context_length", "the input length exceeds the context length");
}

interface Progress {
  readonly runner: Runner;
  readonly started: number;
  readonly loadMs: number;
}

async function* answer(
  box: SimulatedBox,
  request: GenerationRequest,
  { runner, started, loadMs }: Progress,
): AsyncGenerator<GenerationChunk> {
  const { config, clock } = box;
  const pace = new Pace(box, runner, request.signal);
  const fitted = fittedPrompt(request, runner.contextTokens);
  const count = Math.min(promptTokens(fitted), runner.contextTokens);
  const promptStart = clock.monotonic();
  await pace.spend(uncachedTokens(count), request.model.prefillTokensPerS ?? config.prefillTokensPerS);
  const outputStart = clock.monotonic();
  const room = request.shifts ? Number.POSITIVE_INFINITY : runner.contextTokens - count;
  const limit = Math.min(request.maxTokens ?? Number.POSITIVE_INFINITY, room);
  const rate = request.model.decodeTokensPerS ?? config.decodeTokensPerS;
  let written = 0;
  let reason: "stop" | "length" = "stop";
  for (const { chunk, tokens } of tokensOf(request.model.policy(fitted), request)) {
    const allowed = Math.min(tokens, limit - written);
    await pace.spend(allowed, rate);
    written += allowed;
    if (allowed < tokens) {
      reason = "length";
      break;
    }
    yield chunk;
  }
  const end = clock.monotonic();
  const figures: Figures = {
    totalMs: end - started,
    loadMs,
    promptTokens: count,
    promptMs: outputStart - promptStart,
    outputTokens: written,
    outputMs: end - outputStart,
  };
  yield { type: "done", reason, figures };
}
