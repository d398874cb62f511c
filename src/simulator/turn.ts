// The door for programs that have no texts: a turn is a prompt as lengths and an answer as a length. It takes the same
// way through the box as a chat, and the same time, but waits for its tokens at once: a few timers a turn, so that
// hours of a benchmark pass in seconds on a virtual clock. Answers nothing, since nothing was asked.

import { NotFoundError } from "../base/errors.ts";
import type { SimulatedBox } from "./box.ts";
import type { SimulatedModel } from "./config.ts";
import type { Prompt } from "./prompt-cache.ts";
import { takeSeat, type Figures } from "./seat.ts";

/** One turn in plain figures. */
export interface PlainTurn {
  /** A name of the config. */
  readonly model: string;
  /**
   * The whole prompt, in parts: the simplest is one part, its key the conversation, its tokens growing from turn to
   * turn; a head that conversations share comes before it as a part of its own. What is written is remembered as more
   * of the last part.
   */
  readonly prompt: Prompt;
  readonly outputTokens: number;
  /** `num_ctx`; absent takes the server's default. */
  readonly contextTokens?: number;
  /** Absent leaves it as it is; negative is for ever. */
  readonly keepAliveMs?: number;
  readonly signal?: AbortSignal;
  /** Called when the response's headers would come: after queue, load and prompt. */
  readonly onFirstToken?: () => void;
}

/** What a preload names. */
export type Preload = Pick<PlainTurn, "model" | "contextTokens" | "keepAliveMs" | "signal">;

const NEVER = new AbortController().signal;

function modelOf(box: SimulatedBox, name: string): SimulatedModel {
  const model = box.model(name);
  if (!model) throw new NotFoundError("model_not_found", `model '${name}' not found`);
  return model;
}

function demandOf(box: SimulatedBox, { model, contextTokens, keepAliveMs, signal }: Preload) {
  return {
    model: modelOf(box, model),
    contextTokens: contextTokens ?? null,
    keepAliveMs: keepAliveMs ?? null,
    signal: signal ?? NEVER,
  };
}

/**
 * Runs one turn and says what it took.
 * Contract: rejects with NotFoundError for a model that is not there, else as `SimulatedBox.enter` does; an abort
 * rejects at once.
 */
export async function takeTurn(box: SimulatedBox, turn: PlainTurn): Promise<Figures> {
  const seat = await takeSeat(box, demandOf(box, turn));
  try {
    await seat.readPrompt(turn.prompt);
    const first = turn.onFirstToken ? Math.min(1, turn.outputTokens) : 0;
    if (first > 0) await seat.write(first, { fine: false });
    turn.onFirstToken?.();
    await seat.write(turn.outputTokens - first, { fine: false });
    return seat.finish(withAnswer(turn.prompt, turn.outputTokens));
  } finally {
    seat.leave();
  }
}

/** Loads a model, as a request without messages does. Contract: rejects as `takeTurn` does. */
export async function preload(box: SimulatedBox, ask: Preload): Promise<void> {
  (await box.enter(demandOf(box, ask))).leave();
}

function withAnswer(prompt: Prompt, tokens: number): Prompt {
  const last = prompt.at(-1);
  if (last === undefined) return [];
  return [...prompt.slice(0, -1), { key: last.key, tokens: last.tokens + tokens }];
}
