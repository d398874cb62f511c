// What holds for a server whichever key is used: its overload, a model that it cannot serve to anybody now, and a
// breaker that stops asking a server that is sick. Pure, on monotonic time.

import type { Answered } from "./pool-penalty.ts";
import { rung, throttleAfter } from "./pool-penalty.ts";
import type { Standing, Throttle } from "./pool-key.ts";
import type { KeySignal } from "./pool-signal.ts";

const OVERLOAD: readonly [number, number] = [15_000, 120_000];
const BREAKER: readonly [number, number] = [10_000, 120_000];
const BREAKER_WINDOW_MS = 30_000;
const FAILURES_IN_A_ROW = 3;
const LEAST_OUTCOMES = 5;
/** More outcomes than this are not kept; the window is a share, not a history. */
const MOST_OUTCOMES = 64;

interface Outcome {
  readonly at: number;
  readonly ok: boolean;
}

/** A pause that doubles while it is followed by another. */
interface Pause {
  readonly since: number;
  readonly until: number;
  readonly strikes: number;
}

export interface Health {
  readonly overload: Pause | null;
  readonly models: ReadonlyMap<string, Throttle>;
  readonly outcomes: readonly Outcome[];
  /** Open until then; afterwards one request decides. */
  readonly breaker: Pause | null;
}

export const WELL: Health = { overload: null, models: new Map(), outcomes: [], breaker: null };

/** Whether the server may be asked for this model at all. */
export function healthStanding(health: Health, model: string | null, now: number): Standing {
  const { overload, breaker } = health;
  if (overload && overload.until > now) return closed(overload.until, "the server is overloaded");
  if (breaker && breaker.until > now)
    return closed(breaker.until, "the server failed several times in a row");
  const throttle = model === null ? undefined : health.models.get(model);
  if (throttle && throttle.until > now)
    return closed(throttle.until, "the server cannot serve this model to anybody now");
  return { open: true, probe: breaker !== null };
}

function closed(until: number, reason: string): Standing {
  return { open: false, state: "throttled", until, worthWaiting: true, reason };
}

export function healthAfter(health: Health, signal: KeySignal, at: Answered): Health {
  switch (signal.about) {
    case "overload": {
      const { overload } = health;
      const echo = overload !== null && at.sentAt <= overload.since;
      const strikes = overload?.strikes ?? 0;
      if (echo && signal.hintMs === null) return health;
      const ms = (signal.hintMs ?? rung(strikes, OVERLOAD)) * (1 + at.jitter / 10);
      const until = Math.max(overload?.until ?? 0, at.now + ms);
      return { ...health, overload: { since: at.now, until, strikes: echo ? strikes : strikes + 1 } };
    }
    case "rate": {
      if (signal.scope !== "model") return health;
      const { model } = at.need;
      const models = new Map(health.models).set(model, throttleAfter(health.models.get(model), signal, at));
      return { ...health, models };
    }
    case "backend":
      return afterFailure(health, at);
    default:
      return health;
  }
}

function afterFailure(health: Health, { now, sentAt }: Answered): Health {
  const outcomes = noted(health.outcomes, { at: now, ok: false });
  const { breaker } = health;
  const isProbe = breaker !== null && breaker.until <= now && sentAt > breaker.since;
  if (!isProbe && (breaker !== null || !isSick(outcomes))) return { ...health, outcomes };
  const strikes = breaker?.strikes ?? 0;
  return {
    ...health,
    outcomes: [],
    breaker: { since: now, until: now + rung(strikes, BREAKER), strikes: strikes + 1 },
  };
}

/** Three failures without a success between them, or more than half of at least five answers. */
function isSick(outcomes: readonly Outcome[]): boolean {
  const last = outcomes.slice(-FAILURES_IN_A_ROW);
  if (last.length === FAILURES_IN_A_ROW && last.every(({ ok }) => !ok)) return true;
  const failed = outcomes.filter(({ ok }) => !ok).length;
  return outcomes.length >= LEAST_OUTCOMES && failed * 2 > outcomes.length;
}

export function healthAfterSuccess(health: Health, at: Pick<Answered, "need" | "sentAt" | "now">): Health {
  const { overload, breaker } = health;
  const models = new Map(health.models);
  const throttle = models.get(at.need.model);
  if (throttle && at.sentAt > throttle.since) models.delete(at.need.model);
  return {
    overload: overload && at.sentAt > overload.since ? null : overload,
    models,
    outcomes: noted(health.outcomes, { at: at.now, ok: true }),
    breaker: breaker && at.sentAt > breaker.since ? null : breaker,
  };
}

function noted(outcomes: readonly Outcome[], outcome: Outcome): readonly Outcome[] {
  const recent = outcomes.filter(({ at }) => at > outcome.at - BREAKER_WINDOW_MS);
  return [...recent, outcome].slice(-MOST_OUTCOMES);
}
