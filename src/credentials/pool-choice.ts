// Which of the keys that may be used takes the next request: the five strategies, and the conversation that stays with
// its key. Pure; ties go to the key that was used longest ago, then to the order of the config.

import type { KeyStrategy } from "../core/key-state.ts";

/** What choosing needs to know of a key that may be used and has room. */
export interface Candidate {
  readonly fingerprint: string;
  readonly weight: number;
  readonly inFlight: number;
  /** The share of its limits that is left, 0 to 1. */
  readonly headroom: number;
  /** When it was used last, as a count that rises; 0 for never. */
  readonly usedAt: number;
  /** What the weighted strategy owes it. */
  readonly credit: number;
  /** It was refused this model lately. */
  readonly avoided: boolean;
  /** The conversation used it last, a short while ago. */
  readonly isOwn: boolean;
}

type Order = (a: Candidate, b: Candidate) => number;

const byUse: Order = (a, b) => a.usedAt - b.usedAt;
const byFlight: Order = (a, b) => a.inFlight - b.inFlight || byUse(a, b);

const ORDERS: Readonly<Record<KeyStrategy, Order>> = {
  least_in_flight: byFlight,
  fill_first: () => 0,
  round_robin: byUse,
  weighted: (a, b) => b.credit + b.weight - (a.credit + a.weight) || byUse(a, b),
  headroom: (a, b) => b.headroom - a.headroom || byFlight(a, b),
};

/**
 * The key for a request; `null` when there is none to choose from. `candidates` stand in the order of the config.
 * A conversation keeps its key, whose prompt cache knows it; a key that was refused the model goes last.
 */
export function chosen(strategy: KeyStrategy, candidates: readonly Candidate[]): Candidate | null {
  const willing = candidates.filter(({ avoided }) => !avoided);
  const among = willing.length > 0 ? willing : candidates;
  const own = among.find(({ isOwn }) => isOwn);
  return own ?? among.toSorted(ORDERS[strategy])[0] ?? null;
}

/** What the weighted strategy owes each key once one was chosen; those that took no part keep what they had. */
export function creditsAfter(
  taken: Candidate,
  candidates: readonly Candidate[],
): ReadonlyMap<string, number> {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(
    candidates.map(({ fingerprint, credit, weight }) => {
      const paid = fingerprint === taken.fingerprint ? total : 0;
      return [fingerprint, credit + weight - paid];
    }),
  );
}
