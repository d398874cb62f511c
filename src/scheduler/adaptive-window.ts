// What a run of generations under one cap says together: how much of their time they waited for a slot of the server,
// how fast they wrote, and how much the server wrote altogether. Pure, plain data.

import type { GenerationSample } from "./scheduler.ts";

/** What the caps read of a generation, in milliseconds and tokens; what the server does not tell is 0. */
export type CapSample = Omit<GenerationSample, "backend" | "profile" | "parentId">;

/** Sums over the generations that ended under one cap, with as many in flight as it allows. */
export interface CapWindow {
  readonly samples: number;
  /** Those of which the server told what it spent its time on. */
  readonly timed: number;
  /** Their first token came later than it should. */
  readonly late: number;
  readonly waitMs: number;
  /** From submit to the last byte, loading left out. */
  readonly busyMs: number;
  readonly outputMs: number;
  readonly outputTokens: number;
  /** Generations beside these that had fewer in flight, and the most that any of them had. */
  readonly short: number;
  readonly peak: number;
}

export const EMPTY_WINDOW: CapWindow = {
  samples: 0,
  timed: 0,
  late: 0,
  waitMs: 0,
  busyMs: 0,
  outputMs: 0,
  outputTokens: 0,
  short: 0,
  peak: 0,
};

/** Templates, sockets and rounding take this much of any generation; only what is longer is a wait for a slot. */
const OVERHEAD_MS = 50;
/** The share of late first tokens that a 95th percentile allows. */
const LATE_SHARE = 0.05;

/** A figure of a stranger: what is no number, negative or endless counts as not told. */
export function figure(value: number | null): number {
  return value !== null && Number.isFinite(value) && value > 0 ? value : 0;
}

/** The window with one more generation in it; `firstTokenMs` is when a first token should have come. */
export function withSample(window: CapWindow, sample: CapSample, firstTokenMs: number): CapWindow {
  const loadMs = figure(sample.loadMs);
  const busyMs = Math.max(0, figure(sample.totalMs) - loadMs);
  const waitMs = figure(sample.waitMs);
  const isTimed = figure(sample.outputMs) + figure(sample.promptMs) > 0;
  const isLate = figure(sample.firstTokenMs) - loadMs > firstTokenMs;
  return {
    ...window,
    samples: window.samples + 1,
    timed: window.timed + (isTimed ? 1 : 0),
    late: window.late + (isLate ? 1 : 0),
    waitMs: window.waitMs + (waitMs > OVERHEAD_MS ? Math.min(busyMs, waitMs) : 0),
    busyMs: window.busyMs + busyMs,
    outputMs: window.outputMs + figure(sample.outputMs),
    outputTokens: window.outputTokens + figure(sample.outputTokens),
  };
}

/** Which share of their time the generations stood in the server's own queue: 0 to 1. */
export function waitShare({ waitMs, busyMs }: CapWindow): number {
  return busyMs > 0 ? waitMs / busyMs : 0;
}

/** How many the server really had at work while `cap` were in flight: those in flight less those that waited. */
export function served(window: CapWindow, cap: number): number {
  return cap * (1 - waitShare(window));
}

/** How fast one generation writes, in tokens per second; `null` where nothing tells. */
export function streamRate({ outputMs, outputTokens }: CapWindow): number | null {
  return outputMs > 0 && outputTokens > 0 ? (outputTokens * 1_000) / outputMs : null;
}

/** Whether first tokens come too late, by their 95th percentile. */
export function isLate({ late, samples }: CapWindow): boolean {
  return late > LATE_SHARE * samples;
}

/** A window and the cap that it was measured under. */
export interface Measured {
  readonly cap: number;
  readonly window: CapWindow;
}

/**
 * How many times as much the server writes now as it did before. Two measures, each blind in another way, and the
 * better one counts: what the streams at work write (blind to time spent on prompts), and by Little's law what ends
 * per second (misled when prompts change meanwhile). A server that tells no waits is judged by the second alone, since
 * nobody knows how many are at work there. Infinite where neither can be told.
 */
export function gain(now: Measured, before: Measured): number {
  const ratios = [whole(now) / whole(before), atWork(now) / atWork(before)];
  const known = ratios.filter((ratio) => Number.isFinite(ratio) && ratio > 0);
  return known.length > 0 ? Math.max(...known) : Number.POSITIVE_INFINITY;
}

/** The same by the streams at work alone: where many wait, how many are served is all that counts. */
export function gainAtWork(now: Measured, before: Measured): number {
  const ratio = atWork(now) / atWork(before);
  return Number.isFinite(ratio) ? ratio : 0;
}

/** Tokens per second of all streams at work; 0 where the server does not tell. */
function atWork({ cap, window }: Measured): number {
  return window.timed === window.samples ? served(window, cap) * (streamRate(window) ?? 0) : 0;
}

function whole({ cap, window }: Measured): number {
  return window.busyMs > 0 ? (cap * window.outputTokens) / window.busyMs : 0;
}
