// What a client does when Ollama answers 503: it waits and asks again, as the SDKs of OpenAI do (0.5 s, doubled, at
// most 8 s), but for as long as it takes, so that every task ends and contenders differ in time alone.

import { delay, type Clock } from "../../../src/base/clock.ts";
import type { GenerationFigures } from "../model-server.ts";
import { isBusy } from "../play.ts";
import type { Turn } from "../strategy.ts";

const FIRST_MS = 500;
const LONGEST_MS = 8_000;

/** Contract: rejects with the signal's reason, or with what the server said that is no 503. */
export async function generateWithRetries(
  turn: Turn,
  clock: Clock,
  signal: AbortSignal,
): Promise<GenerationFigures> {
  for (let waitMs = FIRST_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_MS)) {
    try {
      return await turn.generate(signal);
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    await delay(clock, waitMs, signal);
  }
}
