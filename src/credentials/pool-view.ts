// A pool's keys as people see them: by fingerprint and source, never by themselves. Pure.

import type { KeyView } from "../core/box-api.ts";
import { standingOf, wordOf, type KeyState } from "./pool-key.ts";
import type { Moment } from "./pool-record.ts";

/** Of a key that could be read. */
export type ShownKey = KeyView & { readonly fingerprint: string };

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
