// One generation: wait for the model, wait for a slot, read the prompt, write the answer token by token.
// Both wire protocols consume the same chunks; the place that it takes on the box is a `Seat`.
//
// N1. The seat is left with the last chunk or the abort.
// N2. Nothing is emitted before the prompt has been read, so no header is written before that either.

import { InvalidRequestError } from "../base/errors.ts";
import type { SimulatedBox } from "./box.ts";
import type { RunnerOptionValues, SimulatedModel } from "./config.ts";
import { formatted } from "./format.ts";
import type { PolicyAnswer, PolicyCall, PolicyRequest } from "./policy.ts";
import { fitToContext, messagePart, pieces, promptParts, promptTokens, tokensIn } from "./prompt.ts";
import { headOf, tokensOf, type Prompt } from "./prompt-cache.ts";
import { takeSeat, type Figures, type Seat } from "./seat.ts";

/** Without a limit of its own an answer ends after so many contexts. */
const LONGEST_CONTEXTS = 10;

/** One chat request, in the one form that both protocols are read into. */
export interface GenerationRequest extends PolicyRequest {
  readonly model: SimulatedModel;
  readonly contextTokens: number | null;
  /** Options that a model is loaded with, by Ollama's names. */
  readonly runnerOptions?: RunnerOptionValues;
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

export type GenerationChunk =
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call"; readonly index: number; readonly call: PolicyCall }
  | { readonly type: "done"; readonly reason: "stop" | "length"; readonly figures: Figures };

type Token = { readonly chunk: GenerationChunk; readonly tokens: number };

/** The answer as chunks with their cost, in the order of a real server: thoughts, text, calls. */
function chunksOf(answer: PolicyAnswer, request: GenerationRequest): readonly Token[] {
  const text =
    request.format === null || answer.calls.length > 0 ? answer.text : formatted(answer.text, request.format);
  return [
    ...pieces(answer.thinking).map((piece): Token => ({
      chunk: { type: "thinking", text: piece },
      tokens: 1,
    })),
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
 * Runs one generation.
 * Contract: throws as `SimulatedBox.enter` does, InvalidRequestError `context_length`, or the reason of the signal or
 * of the closed box. The consumer must either read to the end or abort the signal: a generator that is dropped in the
 * middle of a wait keeps its slot (N1).
 */
export async function* generate(
  box: SimulatedBox,
  request: GenerationRequest,
): AsyncGenerator<GenerationChunk> {
  const seat = await takeSeat(box, request);
  try {
    yield* answer(seat, request);
  } finally {
    seat.leave(); // keeps N1
  }
}

/** Throws InvalidRequestError in Ollama's words for a prompt that does not fit and may not be cut. */
function fittedPrompt(request: GenerationRequest, contextTokens: number): PolicyRequest {
  if (request.truncates) return fitToContext(request, contextTokens);
  if (promptTokens(request) <= contextTokens) return request;
  throw new InvalidRequestError("context_length", "the input length exceeds the context length");
}

/** What a slot remembers after an answer: the next prompt repeats the words and calls, but no thoughts. */
function remembered(prompt: Prompt, given: PolicyAnswer): Prompt {
  const thoughts = given.thinking === "" ? [] : [{ key: given.thinking, tokens: tokensIn(given.thinking) }];
  const calls = given.calls.map((call) => ({ ...call, id: null }));
  const message = { role: "assistant", content: given.text, calls, callId: null, toolName: null } as const;
  return [...prompt, ...thoughts, messagePart(message)];
}

async function* answer(seat: Seat, request: GenerationRequest): AsyncGenerator<GenerationChunk> {
  const { contextTokens } = seat.runner;
  const fitted = fittedPrompt(request, contextTokens);
  const prompt = headOf(promptParts(fitted), contextTokens);
  await seat.readPrompt(prompt);
  const room = request.shifts ? Number.POSITIVE_INFINITY : contextTokens - tokensOf(prompt);
  const limit = Math.min(request.maxTokens ?? LONGEST_CONTEXTS * contextTokens, room);
  const given = request.model.policy(fitted);
  const thought = request.think ? given.thinking || thoughtFor(given) : "";
  const written = { text: "", thinking: "", calls: [] as PolicyCall[] };
  let count = 0;
  let reason: "stop" | "length" = "stop";
  for (const { chunk, tokens } of chunksOf({ ...given, thinking: thought }, request)) {
    const isFirstWord = chunk.type === "text" && written.text === "";
    if (isFirstWord && thought !== "" && request.format !== null) await seat.readAgain();
    const allowed = Math.min(tokens, limit - count);
    await seat.write(allowed, { fine: true });
    count += allowed;
    if (allowed < tokens) {
      reason = "length";
      break;
    }
    if (chunk.type === "text") written.text += chunk.text;
    else if (chunk.type === "thinking") written.thinking += chunk.text;
    else if (chunk.type === "call") written.calls.push(chunk.call);
    yield chunk;
  }
  yield { type: "done", reason, figures: seat.finish(remembered(prompt, written)) };
}
