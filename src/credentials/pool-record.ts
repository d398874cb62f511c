// What is kept of keys between two runs of the server, and what a run makes of it. Pure. Times are kept as wall clock
// and used as monotonic time, clamped to a day, so that a clock that jumped in between locks no key away.

import { KEY_RECORD_SCHEMA, type KeyRecord } from "../core/key-state.ts";
import type { KeyState, Penalty, Throttle } from "./pool-key.ts";

const LONGEST_MS = 86_400_000;
/** Shorter throttles of one model are over before anybody could ask again. */
const LEAST_KEPT_MS = 60_000;

/** The same moment on both clocks. */
export interface Moment {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Wall-clock milliseconds. */
  readonly wall: number;
}

/** What the store should keep of a key; nothing for one that is well. */
export function recordsOf(provider: string, key: KeyState, at: Moment): readonly KeyRecord[] {
  const about = {
    schema: KEY_RECORD_SCHEMA,
    provider,
    fingerprint: key.plan.fingerprint,
    updatedAt: at.wall,
  } as const;
  const records: KeyRecord[] = [];
  if (key.disabled) {
    const reason = "switched off by a person";
    records.push({ ...about, model: null, state: "disabled", until: null, told: false, reason, strikes: 0 });
  } else if (key.penalty) {
    const { state, until, told, reason } = key.penalty;
    const { strikes } = key;
    records.push({ ...about, model: null, state, until: wallOf(until, at), told, reason, strikes });
  }
  for (const [model, { until, reason, strikes }] of key.models) {
    if (until - at.now < LEAST_KEPT_MS) continue;
    records.push({
      ...about,
      model,
      state: "throttled",
      until: wallOf(until, at),
      told: true,
      reason,
      strikes,
    });
  }
  return records;
}

function wallOf(until: number | null, { now, wall }: Moment): number | null {
  return until === null ? null : Math.round(wall + Math.max(0, until - now));
}

/**
 * The key with what was kept of it; of two ends the later holds. What is over and what is kept of other keys changes
 * nothing. A key that was given up by guess is asked again at once, and whatever was
 * kept has to prove itself by one request.
 */
export function restored(key: KeyState, records: readonly KeyRecord[], at: Moment): KeyState {
  const own = records.filter(({ fingerprint }) => fingerprint === key.plan.fingerprint);
  return own.reduce((made, record) => withRecord(made, record, at), key);
}

function withRecord(key: KeyState, record: KeyRecord, at: Moment): KeyState {
  const { state, model, reason } = record;
  if (state === "disabled") return { ...key, disabled: true };
  const until = monotonicOf(record, at);
  if (model !== null) {
    if (until === null || until <= at.now) return key;
    const throttle: Throttle = { since: at.now, until, strikes: strikesOf(record), reason };
    const before = key.models.get(model);
    if (before && before.until >= until) return key;
    return { ...key, models: new Map(key.models).set(model, throttle) };
  }
  const penalty = penaltyOf(record, until, at);
  return penalty === null || !isLater(penalty, key.penalty)
    ? key
    : { ...key, penalty, strikes: Math.max(key.strikes, strikesOf(record)) };
}

function penaltyOf(record: KeyRecord, until: number | null, { now }: Moment): Penalty | null {
  const { state, told, reason } = record;
  if (state === "dead") return { state, since: now, until: null, told: false, probe: true, reason };
  if (state !== "throttled" && state !== "exhausted" && state !== "suspect") return null;
  if (until === null) return null;
  // It may have been paid for, or mended, while nobody asked.
  if (state === "exhausted" && !told) return { state, since: now - 1, until: now, told, probe: true, reason };
  return until <= now ? null : { state, since: now, until, told, probe: true, reason };
}

function isLater(penalty: Penalty, before: Penalty | null): boolean {
  if (before === null) return true;
  if (before.until === null) return false;
  return penalty.until === null || penalty.until > before.until;
}

function monotonicOf({ until }: KeyRecord, { now, wall }: Moment): number | null {
  return until === null ? null : now + Math.min(Math.max(0, until - wall), LONGEST_MS);
}

function strikesOf({ strikes }: KeyRecord): number {
  return Math.min(Math.max(0, Math.trunc(strikes)), 64);
}
