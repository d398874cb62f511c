// What goes wrong during a soak: the model server fails in every way, and clients of the event stream come, read a while
// or not at all, and go without a word.

import type { Dice } from "../sim/dice.ts";
import type { Fault } from "../crash/model-server.ts";

const FAULTS: readonly Fault[] = ["refuses", "breaks_off", "bad_json", "hangs"];
const LONGEST_VISIT_MS = 3_000;

/** What goes wrong with the next generation, for this share of them. */
export function faultFrom(dice: Dice, share: number): Fault | null {
  return dice.chance(share) ? dice.pick(FAULTS) : null;
}

/** One reader of the event stream, from somewhere, for a while. Contract: never throws. */
export async function visit(url: string, token: string, dice: Dice): Promise<void> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), dice.between(5, LONGEST_VISIT_MS));
  try {
    const query = `after=${dice.between(0, 5_000)}&deltas=${dice.between(0, 1)}`;
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/v1/events?${query}`, { headers, signal: stop.signal });
    // Half of them read; the others leave the server with what it would send.
    if (dice.chance(0.5)) for await (const _ of response.body ?? []) if (dice.chance(0.02)) break;
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
  } catch {
    // Broken off, as it was meant to be.
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}
