// What a pool as a whole answers to a request: these keys may take it, all are busy, they come back soon enough to wait
// for, or there is nothing to wait for. Pure.

import { capOf, headroomOf, standingOf, type KeyNeed, type KeyState, type Standing } from "./pool-key.ts";
import type { Candidate } from "./pool-choice.ts";

/** A key with what the pool counts for it. */
export interface CountedKey {
  readonly key: KeyState;
  readonly inFlight: number;
  readonly usedAt: number;
  readonly credit: number;
}

export interface PoolFacts {
  /** In the order of the config. */
  readonly keys: readonly CountedKey[];
  /** Whether the server may be asked at all. */
  readonly health: Standing;
  /** The key that the conversation used last, while that is a short time ago. */
  readonly own: string | null;
  /** Keys that this very request was already refused with. */
  readonly tried: ReadonlySet<string>;
  readonly now: number;
}

export type Verdict =
  /** `room` is how many such requests could go out now, at least one. */
  | { readonly type: "open"; readonly candidates: readonly Candidate[]; readonly room: number }
  /** All keys that could serve it bear no more requests; a time mends nothing that is known. */
  | { readonly type: "busy"; readonly until: number | null }
  /** Worth waiting for; monotonic milliseconds. */
  | { readonly type: "cooling"; readonly until: number; readonly reason: string }
  /** Nothing to wait for; `until` is when the first of them is asked again, if ever. */
  | { readonly type: "none"; readonly until: number | null; readonly reason: string };

export function verdictOf(facts: PoolFacts, need: KeyNeed): Verdict {
  const { health, keys, now } = facts;
  if (!health.open) {
    const { until, reason } = health;
    return until === null ? { type: "none", until, reason } : { type: "cooling", until, reason };
  }
  const standings = keys
    .map((counted) => ({ counted, standing: standingOf(counted.key, need, now) }))
    .filter(({ counted, standing }) => !standing.open || !facts.tried.has(counted.key.plan.fingerprint));
  const rooms = standings.map(({ counted, standing }) => {
    return { ...counted, standing, room: Math.max(0, capOf(counted.key, standing) - counted.inFlight) };
  });
  const sum = rooms.reduce((total, { room }) => total + room, 0);
  const inFlight = keys.reduce((total, counted) => total + counted.inFlight, 0);
  // A server that has yet to prove itself is asked once, whichever key is used.
  const room = health.probe ? Math.min(sum, Math.max(0, 1 - inFlight)) : sum;
  const closed = standings.flatMap(({ standing }) => (standing.open ? [] : [standing]));
  if (room > 0) {
    const open = rooms.filter((each) => each.room > 0);
    return { type: "open", room, candidates: open.map((each) => candidateOf(each, facts, need)) };
  }
  const waits = closed.filter(({ worthWaiting }) => worthWaiting);
  const first = earliest(waits);
  if (standings.some(({ standing }) => standing.open)) return { type: "busy", until: first?.until ?? null };
  if (first?.until !== undefined && first.until !== null) {
    return { type: "cooling", until: first.until, reason: first.reason };
  }
  return { type: "none", until: earliest(closed)?.until ?? null, reason: reasonsOf(standings) };
}

function candidateOf(
  { key, inFlight, usedAt, credit }: CountedKey,
  facts: PoolFacts,
  need: KeyNeed,
): Candidate {
  const { fingerprint, weight } = key.plan;
  return {
    fingerprint,
    weight,
    inFlight,
    usedAt,
    credit,
    headroom: headroomOf(key, need.model, facts.now),
    avoided: (key.avoided.get(need.model) ?? 0) > facts.now,
    isOwn: fingerprint === facts.own,
  };
}

type Closed = Extract<Standing, { readonly open: false }>;

function earliest(closed: readonly Closed[]): Closed | null {
  const timed = closed.filter(({ until }) => until !== null);
  return timed.toSorted((a, b) => (a.until as number) - (b.until as number))[0] ?? null;
}

/** Each key with why it cannot be used, for a person: by where it comes from, never by itself. */
function reasonsOf(
  standings: readonly { readonly counted: CountedKey; readonly standing: Standing }[],
): string {
  const reasons = standings.map(({ counted, standing }) => {
    const { source } = counted.key.plan;
    return standing.open ? `${source} is ready` : `${source} is ${standing.state}: ${standing.reason}`;
  });
  return reasons.length === 0 ? "there is no other" : reasons.join("; ");
}
