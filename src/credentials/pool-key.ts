// One key of a pool, as plain data, and whether it may be used now. Pure: `now` is monotonic milliseconds, so that no
// jump of the wall clock lengthens or shortens what a key has to sit out. Holds no secret: a key is its fingerprint.

import type { KeyWord } from "../core/key-state.ts";
import type { RateWindow } from "../core/rate-limits.ts";

/** A key as the config has it. */
export interface KeyPlan {
  readonly fingerprint: string;
  /** `env:NAME`, or `literal`. */
  readonly source: string;
  readonly weight: number;
  /** Requests in flight; `null` for no limit. */
  readonly concurrency: number | null;
  /** Keys of one account share its limits; `null` is an account of its own. */
  readonly account: string | null;
}

/** What the whole key has to sit out. */
export interface Penalty {
  readonly state: "throttled" | "exhausted" | "suspect" | "dead";
  /** When it was set: what was sent before proves nothing about it. */
  readonly since: number;
  /** `null` has no end of its own. */
  readonly until: number | null;
  /** The server named the end, or it is short enough to wait for; else the end is our guess of when to ask again. */
  readonly told: boolean;
  /** One request has to succeed before the key is whole again. */
  readonly probe: boolean;
  readonly reason: string;
}

/** What a key has to sit out for one model. */
export interface Throttle {
  readonly since: number;
  readonly until: number;
  readonly strikes: number;
  readonly reason: string;
}

/** What was left of one limit, and when it is whole again. */
export interface Allowance {
  readonly what: RateWindow["what"];
  readonly limit: number | null;
  readonly remaining: number;
  readonly resetAt: number;
}

/** How many requests at once a key was seen to bear. */
export interface LearnedCap {
  readonly most: number;
  /** Successes since it was last changed. */
  readonly successes: number;
}

export interface KeyState {
  readonly plan: KeyPlan;
  readonly disabled: boolean;
  readonly penalty: Penalty | null;
  /** Refusals in a row that the next one of their kind is measured by. */
  readonly strikes: number;
  /** Throttles by model. */
  readonly models: ReadonlyMap<string, Throttle>;
  /** Models that it was refused, and until when others go first. */
  readonly avoided: ReadonlyMap<string, number>;
  /** By model, and under `""` for the whole key. */
  readonly allowances: ReadonlyMap<string, readonly Allowance[]>;
  readonly cap: LearnedCap | null;
}

export function freshKey(plan: KeyPlan): KeyState {
  return {
    plan,
    disabled: false,
    penalty: null,
    strikes: 0,
    models: new Map(),
    avoided: new Map(),
    allowances: new Map(),
    cap: null,
  };
}

/** What a request is about, as far as keys can tell requests apart. */
export interface KeyNeed {
  readonly model: string;
  /** Tokens that it sends, estimated. */
  readonly tokens: number;
}

export type Standing =
  | {
      readonly open: true;
      /** It has yet to prove itself: one request at a time. */
      readonly probe: boolean;
    }
  | {
      readonly open: false;
      readonly state: KeyWord;
      /** Monotonic; `null` when no time mends it. */
      readonly until: number | null;
      /** Whether a request may wait for it, rather than be told. */
      readonly worthWaiting: boolean;
      readonly reason: string;
    };

/** Whether time and user allow a request on this key; how many are in flight is asked apart. */
export function standingOf(key: KeyState, need: KeyNeed | null, now: number): Standing {
  if (key.disabled) {
    return shut("disabled", null, "switched off by a person");
  }
  const { penalty } = key;
  if (penalty && (penalty.until === null || penalty.until > now)) {
    const { state, until, reason, told } = penalty;
    return { open: false, state, until, reason, worthWaiting: told && until !== null };
  }
  if (need) {
    const throttle = key.models.get(need.model);
    if (throttle && throttle.until > now) return throttled(throttle.until, throttle.reason);
    const spent = spentAllowance(key, need, now);
    if (spent) return throttled(spent.resetAt, `its ${spent.what.replace("_", " ")} are used up`);
  }
  return { open: true, probe: penalty?.probe === true };
}

/** The word that surfaces show of a key that nobody asks for right now. */
export function wordOf(key: KeyState, now: number): KeyWord {
  const standing = standingOf(key, null, now);
  if (!standing.open) return standing.state;
  return standing.probe ? "probing" : "ready";
}

/** The allowance that this request would not fit in, and that comes back last. */
function spentAllowance(key: KeyState, { model, tokens }: KeyNeed, now: number): Allowance | null {
  let worst: Allowance | null = null;
  for (const each of allowancesOf(key, model, now)) {
    if (fits(each, tokens)) continue;
    if (worst === null || each.resetAt > worst.resetAt) worst = each;
  }
  return worst;
}

/** A request that is larger than the whole limit is let through: no waiting makes it fit, and the server may know better. */
function fits({ what, limit, remaining }: Allowance, tokens: number): boolean {
  if (remaining <= 0) return false;
  if (what === "requests" || what === "output_tokens") return true;
  return remaining >= tokens || limit === null || limit < tokens;
}

/** What is known to be left for a model, forgotten limits aside. */
export function allowancesOf(key: KeyState, model: string, now: number): readonly Allowance[] {
  const known = [...(key.allowances.get("") ?? []), ...(key.allowances.get(model) ?? [])];
  return known.filter(({ resetAt }) => resetAt > now);
}

/** The smallest share that is left of any limit, 0 to 1; 1 where nothing is known. */
export function headroomOf(key: KeyState, model: string, now: number): number {
  const shares = allowancesOf(key, model, now).flatMap(({ limit, remaining }) =>
    limit === null || limit === 0 ? [] : [remaining / limit],
  );
  return Math.max(0, Math.min(1, ...shares));
}

/** How many requests may be in flight on it; a probe is alone. */
export function capOf(key: KeyState, standing: Standing): number {
  if (!standing.open) return 0;
  if (standing.probe) return 1;
  return Math.min(
    key.plan.concurrency ?? Number.POSITIVE_INFINITY,
    key.cap?.most ?? Number.POSITIVE_INFINITY,
  );
}

function throttled(until: number, reason: string): Standing {
  return { open: false, state: "throttled", until, reason, worthWaiting: true };
}

function shut(state: KeyWord, until: number | null, reason: string): Standing {
  return { open: false, state, until, reason, worthWaiting: false };
}
