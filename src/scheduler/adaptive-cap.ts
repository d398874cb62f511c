// `slots: auto`: how many generations one load profile may have in flight, found from what its generations say.
// A climb by trials: a higher cap is tried for a while and kept if the server then writes more; a lower one is tried
// where generations stand in the server's own queue, and kept if the server then writes no less. So every step has
// its reason in figures, up and down, and the cap comes to rest at the least one that is as fast as any.
//
// C1. 1 ≤ cap ≤ most, and whole.
// C2. A failure never raises the cap.
// C3. Nothing is decided from generations that did not have the whole cap in flight, or began before the server had
//     answered once under it.
// C4. At rest nothing is tried before `holdUntil`, unless the figures say that the load has changed. The hold doubles
//     with every trial that failed, up to a bound: no oscillation, and no cap that is for ever.

import { HOLD_MS, type CapReason, type CapState } from "./adaptive-state.ts";
import {
  EMPTY_WINDOW,
  figure,
  gain,
  gainAtWork,
  isLate,
  served,
  streamRate,
  waitShare,
  withSample,
  type CapSample,
  type CapWindow,
  type Measured,
} from "./adaptive-window.ts";

/** Generations for a decision; at the start fewer do, since a box that idles costs more than a trial too many. */
const SAMPLES = 8;
const FIRST_SAMPLES = 2;
/** What twice as many in flight must bring at least; a smaller step, in proportion. */
const GAIN_OF_DOUBLING = 0.05;
/** A lower cap is kept while it writes this share of what the higher one did: waits are known no better. */
const KEPT = 0.9;
/** By so much more from a full server it is others who wait there; less is noise. */
const GAIN_OF_PUSHING = 0.15;
/** Below this share of its time in the server's queue a generation counts as not waiting. */
const WAITS_LITTLE = 0.05;
const WAITS_MUCH = 0.2;
/** A queue lowers the cap by what is most of a generation; less is the noise of hand-overs. */
const ROUNDING = 0.4;
const CUT = 0.75;
/** First tokens later than this, loading left out, are too late for more company. */
const FIRST_TOKEN_MS = 20_000;
/** A stream below this is of no use, however many there are. */
const LEAST_TOKENS_PER_S = 2;
/** A server that runs one at a time in spite of its settings does so until it is started anew. */
const SINGLE_HOLD_MS = 300_000;
const LONGEST_HOLD_MS = 600_000;
/** Even where the load has changed, a cap is tried for this long at least. */
const LEAST_HOLD_MS = 10_000;
/** A load as long as this may be a server that was started anew, with other settings. */
const LOAD_MS = 250;
/** So many generations that had less than the cap in flight end a trial that nobody needs. */
const SHORT = 16;
/** Failures of one moment are one failure. */
const CUT_APART_MS = 1_000;
/** How far figures at rest may move before they are those of another load. */
const RATE_MOVED = 1.33;
const WAIT_MOVED = 0.15;

/**
 * What one generation teaches.
 * In: the state, the generation that ended, and `now` in milliseconds of a clock that does not go back. Out: the next
 * state; the same object where there is nothing to learn. Contract: pure, never throws, whatever the figures are.
 */
export function nextCap(state: CapState, sample: CapSample, now: number): CapState {
  const { outcome } = sample;
  const startedAt = now - figure(sample.totalMs);
  if (outcome === "busy" || outcome === "oom" || outcome === "timeout") {
    const { cutAt } = state;
    // One that began before the last cut had the company that was cut.
    if (cutAt !== null && (startedAt <= cutAt || now - cutAt < CUT_APART_MS)) return state;
    const less = lengthened({ ...state, cap: cut(state.cap), cutAt: now, rest: null });
    return rest(less, { kind: "failed", outcome }, now);
  }
  if (outcome !== "ok" || startedAt < state.changedAt) return state; // keeps C3
  if (figure(sample.loadMs) > LOAD_MS && state.holdUntil > 0) return startedAnew(state);
  if (state.settledAt === null) return { ...state, settledAt: now };
  if (startedAt < state.settledAt) return state; // keeps C3
  if (figure(sample.inFlight) < state.cap) return notFull(state, figure(sample.inFlight), now); // keeps C3
  const measured = { ...state, window: withSample(state.window, sample, FIRST_TOKEN_MS) };
  return measured.window.samples < samplesFor(state) ? measured : judge(measured, now);
}

/** How many generations decide; each that is in flight should have its say. */
function samplesFor({ cap, holdUntil }: CapState): number {
  return Math.max(holdUntil === 0 ? FIRST_SAMPLES : SAMPLES, cap);
}

/** What a hold was for may be gone with the server that it was learnt from. */
function startedAnew(state: CapState): CapState {
  const holdUntil = Math.min(state.holdUntil, restedAt(state) + HOLD_MS);
  return holdUntil === state.holdUntil ? state : { ...state, holdUntil, holdMs: HOLD_MS };
}

/** A higher cap that is not made use of is lowered to what is, so that its trial comes to an end. */
function notFull(state: CapState, inFlight: number, now: number): CapState {
  const { trial, window, cap } = state;
  if (trial === null || trial.cap > cap) return state;
  const short = window.short + 1;
  const peak = Math.max(window.peak, Math.floor(inFlight));
  if (short < SHORT) return { ...state, window: { ...window, short, peak } };
  if (peak <= trial.cap) return backTo({ ...state, reason: { kind: "not_needed" } }, trial, now);
  return { ...state, cap: peak, changedAt: now, settledAt: now, window: EMPTY_WINDOW };
}

/** A full window. */
function judge(state: CapState, now: number): CapState {
  const { cap, window, trial } = state;
  const rate = streamRate(window);
  if (cap > 1 && rate !== null && rate < LEAST_TOKENS_PER_S) {
    return rest(lengthened({ ...state, cap: cut(cap), rest: null }), { kind: "slow_stream" }, now);
  }
  if (trial === null) return everyDay(state, now);
  return trial.cap < cap ? afterHigher(state, trial, now) : afterLower(state, trial, now);
}

/** No trial was on: the figures say whether to begin one. */
function everyDay(state: CapState, now: number): CapState {
  const { cap, window, holdUntil } = state;
  const moved = state.rest !== null && hasMoved(window, state.rest);
  const due = moved ? Math.min(holdUntil, restedAt(state) + LEAST_HOLD_MS) : holdUntil;
  if (now < due) return { ...state, window: EMPTY_WINDOW };
  // What was learnt before the hold may be out of date.
  const fresh = { ...state, ceiling: null, stride: 1, holdMs: moved ? HOLD_MS : state.holdMs };
  const fits = fitting({ cap, window });
  return fits < cap ? tried(fresh, fits, now) : climb(fresh, now);
}

/** More were tried. */
function afterHigher(state: CapState, before: Measured, now: number): CapState {
  const { cap, window } = state;
  const measured: Measured = { cap, window };
  const enough = 1 + GAIN_OF_DOUBLING * Math.min(1, Math.log2(cap / before.cap));
  const fits = fitting(measured);
  if (fits <= before.cap && fits < cap) {
    // As many were at work as before. If more of them are ours, it is others who wait there too.
    if (gainAtWork(measured, before) < 1 + GAIN_OF_PUSHING)
      return backTo({ ...state, reason: { kind: "server_full" } }, before, now);
    return rest({ ...state, rest: window }, { kind: "shared" }, now);
  }
  if (gain(measured, before) < enough) {
    return backTo({ ...state, reason: { kind: "no_faster", tried: cap } }, before, now);
  }
  if (isLate(window)) return backTo({ ...state, reason: { kind: "late" } }, before, now);
  const higher = { ...state, stride: state.stride * 2, holdMs: HOLD_MS };
  if (fits < cap) return tried(higher, fits, now);
  return climb({ ...higher, reason: { kind: "faster", than: before.cap } }, now);
}

/** Fewer were tried, because some waited in the server's queue. */
function afterLower(state: CapState, before: Measured, now: number): CapState {
  const { cap, window } = state;
  if (gain({ cap, window }, before) >= KEPT) {
    return rest(held({ ...state, rest: window }), { kind: "server_full" }, now);
  }
  return rest(lengthened({ ...state, cap: before.cap, rest: before.window }), { kind: "shared" }, now);
}

/** The cap before. A smaller step is tried at once, if there is one; else it rests with the figures that it had. */
function backTo(state: CapState, before: Measured, now: number): CapState {
  const { reason } = state;
  const back = { ...state, ...before, ceiling: state.cap, rest: before.window };
  if (reason.kind === "no_faster" && higherThan(back) > before.cap) return tried(back, higherThan(back), now);
  const longer = lengthened(back);
  return rest(reason.kind === "server_full" ? held(longer) : longer, reason, now);
}

/** Tries a higher cap where figures and bounds allow; else comes to rest. */
function climb(state: CapState, now: number): CapState {
  const { cap, window, most } = state;
  const resting = { ...state, rest: window };
  const higher = higherThan(state);
  if (higher <= cap) return rest(resting, cap === most ? { kind: "most" } : state.reason, now);
  if (isLate(window)) return rest(resting, { kind: "late" }, now);
  if (!mayGrow(state)) return rest(resting, { kind: "shared" }, now);
  return tried(state, higher, now);
}

/** The next cap to try; the present one where none is left. A server whose waits nobody knows is climbed one by one. */
function higherThan({ cap, window, ceiling, most, stride }: CapState): number {
  if (ceiling !== null) return Math.min(most, (cap + ceiling) >> 1);
  return Math.min(most, cap + (window.timed === window.samples ? stride : 1));
}

/** A queue only grows with us. One that is there with one in flight is not of our making, so that more are tried. */
function mayGrow({ cap, window, holdUntil }: CapState): boolean {
  const share = waitShare(window);
  return share < WAITS_LITTLE || (holdUntil > 0 && (share < WAITS_MUCH || cap === 1));
}

/** How many of those in flight the server had at work, where a queue says that it were fewer. */
function fitting({ cap, window }: Measured): number {
  return Math.max(1, Math.min(cap, Math.floor(served(window, cap) + ROUNDING)));
}

/** Begins a trial. */
function tried(state: CapState, cap: number, now: number): CapState {
  const trial: Measured = { cap: state.cap, window: state.window };
  const reason: CapReason = { kind: "trying", than: state.cap };
  return { ...state, cap, trial, reason, changedAt: now, settledAt: null, window: EMPTY_WINDOW };
}

/** Ends a trial, if there was one, and holds the cap. */
function rest(state: CapState, reason: CapReason, now: number): CapState {
  const since = { changedAt: now, settledAt: now };
  const holdUntil = now + state.holdMs;
  return { ...state, ...since, reason, window: EMPTY_WINDOW, trial: null, ceiling: null, holdUntil };
}

function restedAt({ holdUntil, holdMs }: CapState): number {
  return holdUntil - holdMs;
}

/** A server that runs one at a time is asked again rarely. */
function held(state: CapState): CapState {
  return state.cap === 1 ? { ...state, holdMs: Math.max(SINGLE_HOLD_MS, state.holdMs) } : state;
}

/** The next hold is twice as long (keeps C4). */
function lengthened(state: CapState): CapState {
  return { ...state, holdMs: Math.min(LONGEST_HOLD_MS, state.holdMs * 2) };
}

function hasMoved(now: CapWindow, before: CapWindow): boolean {
  const [rate, was] = [streamRate(now), streamRate(before)];
  const ratio = rate === null || was === null ? 1 : rate / was;
  const waited = Math.abs(waitShare(now) - waitShare(before));
  return ratio > RATE_MOVED || ratio < 1 / RATE_MOVED || waited > WAIT_MOVED;
}

function cut(cap: number): number {
  return Math.max(1, Math.floor(cap * CUT));
}
