// What goes wrong during a soak: the model server fails in every way, and clients of the event stream come, read a while
// or not at all, and go without a word.

import { get } from "node:http";
import type { Dice } from "../sim/dice.ts";
import type { Fault } from "../crash/model-server.ts";

const FAULTS: readonly Fault[] = ["refuses", "breaks_off", "bad_json", "hangs"];
const LONGEST_VISIT_MS = 3_000;

/** What goes wrong with the next generation, for this share of them. */
export function faultFrom(dice: Dice, share: number): Fault | null {
  return dice.chance(share) ? dice.pick(FAULTS) : null;
}

/**
 * One reader of the event stream, from somewhere, for a while, on a connection of its own.
 * Contract: never throws; resolves when it has gone.
 */
export function visit(url: string, token: string, dice: Dice): Promise<void> {
  const query = `after=${dice.between(0, 5_000)}&deltas=${dice.between(0, 1)}`;
  const headers = { authorization: `Bearer ${token}` };
  const reads = dice.chance(0.5);
  return new Promise((resolve) => {
    const request = get(`${url}/v1/events?${query}`, { headers, agent: false }, (response) => {
      // Half of them read; the others leave the server with what it would send.
      if (reads) response.resume();
      response.on("error", () => {});
    });
    request.on("error", () => {});
    request.on("close", resolve);
    setTimeout(() => request.destroy(), dice.between(5, LONGEST_VISIT_MS));
  });
}
