// What a refusal or a success makes of a key: the ladders of the pool's table (docs/adr/0020). Pure, on monotonic
// time. A time that was set is never shortened by another refusal: the later one of both holds.

import type { RateWindow } from "../core/rate-limits.ts";
import type { Allowance, KeyNeed, KeyState, Penalty, Throttle } from "./pool-key.ts";
import type { KeySignal } from "./pool-signal.ts";

const SUSPECT_MS = 60_000;
const EXHAUSTED_FIRST_MS = 300_000;
const EXHAUSTED_LAST_MS = 3_600_000;
const THROTTLE_FIRST_MS = 5_000;
const THROTTLE_LAST_MS = 300_000;
/** A server that says "at once" is not asked again in the same moment. */
const THROTTLE_LEAST_MS = 250;
/** For so long a model that a key was refused is asked with other keys first. */
const AVOID_MS = 300_000;
/** Successes after which a learned cap is tried one higher, and the cap at which it is forgotten. */
const CAP_SUCCESSES = 10;
const CAP_FORGOTTEN = 64;

/** The request that a server answered. */
export interface Answered {
  readonly need: KeyNeed;
  /** When it was given the key. */
  readonly sentAt: number;
  /** Requests in flight on the key, this one included. */
  readonly inFlight: number;
  readonly now: number;
  /** In [0, 1): spreads those that wait by up to a tenth. */
  readonly jitter: number;
}

/** `first`, doubled for each strike before, and no longer than `last`. */
export function rung(strikes: number, [first, last]: readonly [number, number]): number {
  return Math.min(last, first * 2 ** Math.min(strikes, 30));
}

/** How long a throttle lasts: as the server says, else by the ladder; never all at the same moment. */
export function throttleMs(hintMs: number | null, strikes: number, jitter: number): number {
  const base =
    hintMs === null
      ? rung(strikes, [THROTTLE_FIRST_MS, THROTTLE_LAST_MS])
      : Math.max(hintMs, THROTTLE_LEAST_MS);
  return base * (1 + jitter / 10);
}

/** What the key becomes; signals about the model for everybody, the server or nothing leave it as it is. */
export function penalised(key: KeyState, signal: KeySignal, at: Answered): KeyState {
  switch (signal.about) {
    case "auth":
      return refused(key, signal.final, at);
    case "money":
      return exhausted(key, signal.hintMs, at);
    case "rate":
      return signal.scope === "model" ? key : throttledKey(key, signal, at);
    case "model": {
      const avoided = new Map(key.avoided).set(at.need.model, at.now + AVOID_MS);
      return { ...key, avoided };
    }
    default:
      return key;
  }
}

/** What was sent before the last refusal was known is no second refusal. */
function isEcho(set: { readonly since: number } | null | undefined, { sentAt }: Answered): boolean {
  return set !== null && set !== undefined && sentAt <= set.since;
}

function refused(key: KeyState, final: boolean, at: Answered): KeyState {
  const before = key.penalty;
  if (before?.state === "dead") return key;
  const suspected = before?.state === "suspect";
  if (final || (suspected && !isEcho(before, at))) {
    const reason = final ? "the server says that it will not work again" : "the server refused it twice";
    const penalty: Penalty = { state: "dead", since: at.now, until: null, told: false, probe: true, reason };
    return { ...key, penalty, strikes: key.strikes + 1 };
  }
  if (suspected) return key;
  const until = at.now + SUSPECT_MS;
  const reason = "the server refused it";
  const penalty: Penalty = { state: "suspect", since: at.now, until, told: false, probe: true, reason };
  return { ...key, penalty, strikes: 1 };
}

function exhausted(key: KeyState, hintMs: number | null, at: Answered): KeyState {
  const before = key.penalty;
  if (before?.state === "dead") return key;
  const again = before?.state === "exhausted";
  if (again && isEcho(before, at) && hintMs === null) return key;
  const strikes = again ? key.strikes : 0;
  const ms = hintMs ?? rung(strikes, [EXHAUSTED_FIRST_MS, EXHAUSTED_LAST_MS]);
  const until = Math.max(before?.until ?? 0, at.now + ms * (1 + at.jitter / 10));
  const told = hintMs !== null || (again && before.told && before.until === until);
  const reason = "its money or quota is used up";
  const penalty: Penalty = { state: "exhausted", since: at.now, until, told, probe: true, reason };
  return { ...key, penalty, strikes: strikes + 1 };
}

type RateSignal = Extract<KeySignal, { readonly about: "rate" }>;

function throttledKey(key: KeyState, signal: RateSignal, at: Answered): KeyState {
  const capped = signal.hintMs === null || signal.concurrency ? withLowerCap(key, signal, at) : key;
  // Fewer at once is the whole cure, and the key need not rest.
  if (signal.concurrency && signal.hintMs === null && at.inFlight > 1) return capped;
  if (signal.scope === "key") return throttledWhole(capped, signal, at);
  const { model } = at.need;
  const models = new Map(capped.models).set(model, throttleAfter(capped.models.get(model), signal, at));
  return { ...capped, models };
}

/** The throttle that follows on `before`, for one model of a key or for one model of a whole server. */
export function throttleAfter(
  before: Throttle | undefined,
  { hintMs }: Pick<RateSignal, "hintMs">,
  at: Answered,
): Throttle {
  const reason = "the server asks for fewer requests";
  const echo = isEcho(before, at);
  const strikes = before?.strikes ?? 0;
  if (before && echo && hintMs === null) return before;
  const until = Math.max(before?.until ?? 0, at.now + throttleMs(hintMs, strikes, at.jitter));
  return {
    since: echo && before ? before.since : at.now,
    until,
    strikes: echo ? strikes : strikes + 1,
    reason,
  };
}

function throttledWhole(key: KeyState, signal: RateSignal, at: Answered): KeyState {
  const before = key.penalty;
  // What is worse than a throttle stays, and whatever ends later stays.
  if (before && before.state !== "throttled") {
    const until = before.until === null ? null : Math.max(before.until, at.now + (signal.hintMs ?? 0));
    return { ...key, penalty: { ...before, until } };
  }
  const throttle = before && { ...before, until: before.until ?? 0, strikes: key.strikes };
  const { since, until, strikes, reason } = throttleAfter(throttle ?? undefined, signal, at);
  const penalty: Penalty = { state: "throttled", since, until, told: true, probe: false, reason };
  return { ...key, penalty, strikes };
}

function withLowerCap(key: KeyState, { concurrency }: RateSignal, { inFlight }: Answered): KeyState {
  if (inFlight < 2) return key;
  const most = Math.max(1, concurrency ? inFlight - 1 : Math.ceil(inFlight * 0.75));
  return most >= (key.cap?.most ?? Number.POSITIVE_INFINITY) ? key : { ...key, cap: { most, successes: 0 } };
}

/** An answer came: what it proves is forgiven, and everything else decays by a step. */
export function succeeded(key: KeyState, at: Pick<Answered, "need" | "sentAt" | "now">): KeyState {
  const { model } = at.need;
  const { penalty } = key;
  // Sent after the penalty was set: it went out as a probe, or the throttle was over.
  const proven = penalty !== null && penalty.state !== "dead" && at.sentAt > penalty.since;
  const forgiven = proven && penalty.state !== "throttled";
  const decays = penalty === null || proven;
  const avoided = new Map(key.avoided);
  avoided.delete(model);
  return {
    ...key,
    penalty: proven ? null : penalty,
    strikes: forgiven ? 0 : decays ? Math.max(0, key.strikes - 1) : key.strikes,
    models: decayed(key.models, model, at.now),
    avoided,
    cap: grownCap(key),
  };
}

/** The same map where nothing changes. */
function decayed(models: KeyState["models"], model: string, now: number): KeyState["models"] {
  const throttle = models.get(model);
  if (!throttle || throttle.until > now) return models;
  const after = new Map(models);
  if (throttle.strikes <= 1) after.delete(model);
  else after.set(model, { ...throttle, strikes: throttle.strikes - 1 });
  return after;
}

function grownCap({ cap, plan }: KeyState): KeyState["cap"] {
  if (cap === null) return null;
  if (cap.successes + 1 < CAP_SUCCESSES) return { ...cap, successes: cap.successes + 1 };
  const most = cap.most + 1;
  return most >= Math.min(plan.concurrency ?? CAP_FORGOTTEN, CAP_FORGOTTEN) ? null : { most, successes: 0 };
}

/** What the server's headers say is left. */
export function observed(
  key: KeyState,
  windows: readonly RateWindow[],
  at: Pick<Answered, "need" | "now">,
): KeyState {
  if (windows.length === 0) return key;
  const allowances = new Map(key.allowances);
  for (const scope of ["model", "key"] as const) {
    const told = windows.filter((each) => each.scope === scope);
    if (told.length === 0) continue;
    const known = told.flatMap(({ what, limit, remaining, resetMs }): Allowance[] =>
      // Without an end it would be believed for ever.
      resetMs === null ? [] : [{ what, limit, remaining, resetAt: at.now + resetMs }],
    );
    allowances.set(scope === "key" ? "" : at.need.model, known);
  }
  return { ...key, allowances };
}

/** A request goes out: what it will use is counted before the server says so. */
export function charged(key: KeyState, { model, tokens }: KeyNeed): KeyState {
  if (key.allowances.size === 0) return key;
  const allowances = new Map(key.allowances);
  for (const scope of ["", model]) {
    const known = allowances.get(scope);
    if (!known) continue;
    const left = known.map((each) => {
      const cost = each.what === "requests" ? 1 : each.what === "output_tokens" ? 0 : tokens;
      return { ...each, remaining: each.remaining - cost };
    });
    allowances.set(scope, left);
  }
  return { ...key, allowances };
}
