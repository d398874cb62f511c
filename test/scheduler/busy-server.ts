// A model server by formula, kept busy by as many generations as the cap allows, and the samples that they give. It
// knows nothing of queues and events: those are the simulator's.

import type { CapSample } from "../../src/scheduler/adaptive-window.ts";
import { nextCap } from "../../src/scheduler/adaptive-cap.ts";
import type { CapState } from "../../src/scheduler/adaptive-state.ts";

export interface ServerShape {
  /** Generations that it really runs at once. */
  readonly parallel: number;
  /** With b at once each is 1 + slowdown·(b−1) times slower. */
  readonly slowdown: number;
  /** Generations of other clients that are always there, in the same first-come queue. */
  readonly others: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly tokensPerS: number;
  /** Whether it says how long anything took. */
  readonly tells: boolean;
  readonly outcome: CapSample["outcome"];
}

const SHAPE: ServerShape = {
  parallel: 4,
  slowdown: 0.2,
  others: 0,
  promptTokens: 500,
  outputTokens: 100,
  tokensPerS: 60,
  tells: true,
  outcome: "ok",
};
const PREFILL_TOKENS_PER_S = 2_500;

/** A generation with figures of its own, for tests of single rules. */
export function sample(changes: Partial<CapSample> = {}): CapSample {
  return {
    taskId: "task",
    outcome: "ok",
    waitMs: 0,
    loadMs: 0,
    promptMs: 200,
    outputMs: 1_800,
    promptTokens: 500,
    outputTokens: 100,
    totalMs: 2_000,
    firstTokenMs: 200,
    inFlight: 1,
    ...changes,
  };
}

/** What one generation says while `cap` of ours are in flight. */
export function sampleOf(changes: Partial<ServerShape>, cap: number): CapSample {
  const shape = { ...SHAPE, ...changes };
  const there = cap + shape.others;
  const atWork = Math.min(shape.parallel, there);
  const crowd = 1 + shape.slowdown * (atWork - 1);
  const promptMs = (shape.promptTokens / PREFILL_TOKENS_PER_S) * 1_000 * crowd;
  const outputMs = (shape.outputTokens / shape.tokensPerS) * 1_000 * crowd;
  const waitMs = (promptMs + outputMs) * (there / atWork - 1);
  const told = shape.tells ? { waitMs, promptMs, outputMs } : { waitMs: 0, promptMs: 0, outputMs: 0 };
  const { promptTokens, outputTokens, outcome } = shape;
  const totalMs = waitMs + promptMs + outputMs;
  const firstTokenMs = waitMs + promptMs;
  return sample({ outcome, promptTokens, outputTokens, totalMs, firstTokenMs, inFlight: cap, ...told });
}

/** How much of ours such a server writes, in tokens per second. */
export function throughputOf(changes: Partial<ServerShape>, cap: number): number {
  const { totalMs, outputTokens } = sampleOf(changes, cap);
  return (cap * outputTokens * 1_000) / totalMs;
}

/** What the best fixed cap up to `most` writes of ours on such a server, in tokens per second. */
export function best(changes: Partial<ServerShape>, most: number): number {
  return Math.max(...Array.from({ length: most }, (_, index) => throughputOf(changes, index + 1)));
}

/** A load profile on such a server over time; `caps` has every cap that it went through, each once in a row. */
export class BusyServer {
  readonly caps: number[];
  state: CapState;
  /** Late enough that every generation began after the state was made. */
  now = 60_000;

  constructor(state: CapState) {
    this.state = state;
    this.caps = [state.cap];
  }

  /** Keeps it busy for so long, and until no trial is on. */
  runFor(ms: number, shape: Partial<ServerShape> = {}): this {
    const end = this.now + ms;
    while (this.now < end || this.state.trial !== null) this.run(1, shape);
    return this;
  }

  /** Keeps it busy for as many generations. */
  run(generations: number, shape: Partial<ServerShape> = {}): this {
    for (let count = 0; count < generations; count += 1) {
      const next = sampleOf(shape, this.state.cap);
      this.now += next.totalMs / this.state.cap;
      this.state = nextCap(this.state, next, this.now);
      if (this.caps.at(-1) !== this.state.cap) this.caps.push(this.state.cap);
    }
    return this;
  }
}
