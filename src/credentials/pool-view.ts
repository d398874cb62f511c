// A pool's keys as people see them: by fingerprint and source, never by themselves. Pure.

import type { KeyWord } from "../core/key-state.ts";
import { standingOf, wordOf, type KeyState } from "./pool-key.ts";
import type { Moment } from "./pool-record.ts";

export interface ShownKey {
  readonly fingerprint: string;
  readonly source: string;
  readonly state: KeyWord;
  /** `null` for a key that is well. */
  readonly reason: string | null;
  /** When it may be used or is asked again, as wall clock; `null` where no time mends it. */
  readonly until: number | null;
  readonly inFlight: number;
  /** Requests at once that it is given; `null` for no limit. */
  readonly concurrency: number | null;
  /** Models that it has to sit out, beside what holds for the whole key. */
  readonly models: readonly { readonly model: string; readonly until: number; readonly reason: string }[];
}

export function shownKeys(
  keys: readonly { readonly key: KeyState; readonly inFlight: number }[],
  { now, wall }: Moment,
): readonly ShownKey[] {
  const wallOf = (until: number): number => Math.round(wall + until - now);
  return keys.map(({ key, inFlight }) => {
    const standing = standingOf(key, null, now);
    const state = wordOf(key, now);
    const reason = standing.open
      ? state === "probing"
        ? (key.penalty?.reason ?? null)
        : null
      : standing.reason;
    const caps = [key.plan.concurrency, key.cap?.most].filter((cap) => cap !== null && cap !== undefined);
    const models = [...key.models].flatMap(([model, { until, reason: why }]) =>
      until > now ? [{ model, until: wallOf(until), reason: why }] : [],
    );
    return {
      fingerprint: key.plan.fingerprint,
      source: key.plan.source,
      state,
      reason,
      until: standing.open || standing.until === null ? null : wallOf(standing.until),
      inFlight,
      concurrency: caps.length === 0 ? null : Math.min(...caps),
      models,
    };
  });
}
