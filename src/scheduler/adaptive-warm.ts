// `max_children: auto`: how many conversations one load profile may have at work, so that their prompt caches stay
// warm. No server tells what it found in its cache; but it counts every token of a prompt and clocks only those that
// it computed, so that the time of a later turn of a conversation, against what its first turn cost per token, gives
// the share that was there already.
//
// W1. cap ≤ warm ≤ most (where the cap allows), and whole: a lease without a conversation to use it would idle.
// W2. One more only while a lease idles: without that, more conversations only wait, and may push each other out.

import { figure, type CapSample } from "./adaptive-window.ts";

/** Plain data: the same samples give the same states. */
export interface WarmState {
  readonly warm: number;
  /** The guess, and where it returns when fewer bring nothing. */
  readonly first: number;
  readonly most: number;
  /** Milliseconds that a prompt token costs when it must be computed; `null` until a first turn told. */
  readonly coldMsPerToken: number | null;
  /** The share of prompts found in the cache, smoothed; `null` until a later turn told. */
  readonly hit: number | null;
  /** Tasks whose prompt the server has read since the model was loaded, newest last. */
  readonly known: readonly string[];
  /** The last figure under which prompts were found; `null` while none is known. */
  readonly good: number | null;
  /**
   * Later turns since `warm` changed; negative while those come that find their prompts pushed out by the ones that
   * were too many. And how many of them were granted while a lease was left.
   */
  readonly turns: number;
  readonly idle: number;
  /** So many pushed each other out; not tried again before `holdUntil`. */
  readonly ceiling: number | null;
  readonly holdUntil: number;
  readonly holdMs: number;
  /** Until then the server counts as one that keeps no prompts, or too few to matter. */
  readonly uncachedUntil: number;
}

const SMOOTHING = 0.2;
const HIT_GOOD = 0.85;
const HIT_BAD = 0.75;
const CUT = 0.75;
/** Tasks that are remembered; one that is forgotten counts as new, which teaches nothing wrong for long. */
const MOST_KNOWN = 512;
/** A first prompt shorter than this is mostly overhead. */
const LEAST_COLD_TOKENS = 64;
/** Longer than this was a load: what the cache had is gone. */
const LOAD_MS = 250;
const HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 1_800_000;

/** A load profile of which nothing is known. Never throws. */
export function createWarm(first: number, most: number): WarmState {
  const bound = whole(most);
  const guess = Math.min(whole(first), bound);
  return {
    warm: guess,
    first: guess,
    most: bound,
    coldMsPerToken: null,
    hit: null,
    known: [],
    good: null,
    turns: 0,
    idle: 0,
    ceiling: null,
    holdUntil: 0,
    holdMs: HOLD_MS,
    uncachedUntil: 0,
  };
}

/** What the figures of a turn belong to: the generation, the cap that it had, and when it ended (ms). */
export interface WarmTurn {
  readonly sample: CapSample;
  readonly cap: number;
  readonly now: number;
}

/** What one generation teaches; the state itself where nothing. Contract: pure, never throws, whatever the figures. */
export function nextWarm(state: WarmState, { sample, cap, now }: WarmTurn): WarmState {
  const least = Math.min(cap, state.most);
  const floored = state.warm < least ? changed(state, least) : state; // keeps W1
  const promptTokens = figure(sample.promptTokens);
  const promptMs = figure(sample.promptMs);
  if (sample.outcome !== "ok" || promptTokens === 0 || figure(sample.outputMs) === 0) return floored;
  const reloaded = figure(sample.loadMs) > LOAD_MS ? { ...floored, known: [] } : floored;
  if (!reloaded.known.includes(sample.taskId)) {
    return firstTurn(reloaded, { taskId: sample.taskId, promptTokens, promptMs });
  }
  if (reloaded.coldMsPerToken === null) return reloaded;
  const found = Math.min(1, Math.max(0, 1 - promptMs / (promptTokens * reloaded.coldMsPerToken)));
  if (reloaded.turns < 0) return { ...reloaded, turns: reloaded.turns + 1 };
  const counted: WarmState = {
    ...reloaded,
    hit: smoothed(reloaded.hit, found),
    turns: reloaded.turns + 1,
    idle: reloaded.idle + (figure(sample.inFlight) < cap ? 1 : 0),
  };
  // Each conversation should have had a turn under the present figure.
  return counted.turns < counted.warm ? counted : judge(counted, cap, now);
}

interface FirstTurn {
  readonly taskId: string;
  readonly promptTokens: number;
  readonly promptMs: number;
}

function firstTurn(state: WarmState, { taskId, promptTokens, promptMs }: FirstTurn): WarmState {
  const known = [...state.known.slice(1 - MOST_KNOWN), taskId];
  if (promptTokens < LEAST_COLD_TOKENS || promptMs === 0) return { ...state, known };
  return { ...state, known, coldMsPerToken: smoothed(state.coldMsPerToken, promptMs / promptTokens) };
}

function judge(state: WarmState, cap: number, now: number): WarmState {
  const { warm, first, hit, good, idle, turns, uncachedUntil } = state;
  const again = { ...state, turns: 0, idle: 0 };
  const isUncached = now < uncachedUntil;
  if (hit !== null && hit < HIT_BAD && !isUncached) {
    if (warm > cap) return fewer(again, cap, now);
    if (good !== null) return again;
    // Not even as many as generate are found: there is no cache to spare, and fewer conversations bring nothing.
    return { ...changed(again, Math.max(warm, first)), uncachedUntil: now + LONGEST_HOLD_MS };
  }
  if (!isUncached && (hit === null || hit < HIT_GOOD)) return again;
  const found = isUncached ? again : { ...again, good: warm };
  const isIdle = 2 * idle >= turns; // keeps W2
  return isIdle && warm < limitAt(state, now) ? changed(found, warm + 1) : found;
}

/** They push each other out: back to the last figure that was good, or by a quarter. */
function fewer(state: WarmState, cap: number, now: number): WarmState {
  const { warm, good, holdMs } = state;
  const before = good !== null && good < warm ? good : Math.floor(warm * CUT);
  const less = changed({ ...state, good: null }, Math.max(cap, before));
  const longer = Math.min(LONGEST_HOLD_MS, 2 * holdMs);
  return { ...less, turns: -less.warm, ceiling: warm, holdUntil: now + holdMs, holdMs: longer };
}

function limitAt({ most, ceiling, holdUntil }: WarmState, now: number): number {
  return ceiling !== null && now < holdUntil ? Math.min(most, ceiling - 1) : most;
}

/** The hit of before was that of another number of conversations: it is learnt anew. */
function changed(state: WarmState, warm: number): WarmState {
  return { ...state, warm, hit: null, turns: 0, idle: 0 };
}

function smoothed(before: number | null, value: number): number {
  return before === null ? value : before + SMOOTHING * (value - before);
}

function whole(count: number): number {
  return Number.isFinite(count) && count >= 1 ? Math.floor(count) : 1;
}
