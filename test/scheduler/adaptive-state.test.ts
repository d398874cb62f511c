// The state of a cap: how it begins, how a bound changes it, and what holds of it whatever is learnt.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextCap } from "../../src/scheduler/adaptive-cap.ts";
import { createCap, withMost, type CapState } from "../../src/scheduler/adaptive-state.ts";
import type { CapSample } from "../../src/scheduler/adaptive-window.ts";
import { best, BusyServer, throughputOf } from "./busy-server.ts";

const MOST = 16;
const MINUTE_MS = 60_000;

describe("a new bound", () => {
  it("keeps what was learnt where it fits, and lowers the cap where it does not", () => {
    const { state } = new BusyServer(createCap(1, MOST)).run(200, { parallel: 4 });
    expect(withMost(state, 32)).toEqual({ ...state, most: 32 });
    expect(withMost(state, 2)).toMatchObject({ cap: 2, most: 2, trial: null });
  });
});

const anyNumber = fc.oneof(
  fc.double(),
  fc.integer({ min: 0, max: 100_000 }),
  fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300),
);
const anySample: fc.Arbitrary<CapSample> = fc.record({
  taskId: fc.constantFrom("a", "b", "c"),
  outcome: fc.constantFrom("ok", "ok", "ok", "ok", "busy", "oom", "timeout", "error", "aborted"),
  waitMs: anyNumber,
  loadMs: anyNumber,
  promptMs: anyNumber,
  outputMs: anyNumber,
  promptTokens: anyNumber,
  outputTokens: anyNumber,
  totalMs: anyNumber,
  firstTokenMs: fc.option(anyNumber),
  inFlight: fc.oneof(fc.integer({ min: 0, max: 64 }), fc.constant(Number.NaN)),
});
const stream = fc.array(fc.tuple(anySample, fc.integer({ min: 0, max: 700_000 })), { maxLength: 300 });

function play(state: CapState, samples: readonly (readonly [CapSample, number])[]): readonly CapState[] {
  let now = 0;
  let current = state;
  return samples.map(([each, ms]) => (current = nextCap(current, each, (now += ms))));
}

describe("any stream of samples", () => {
  it("keeps the cap whole and within its bounds (C1), and never throws", () => {
    fc.assert(
      fc.property(anyNumber, anyNumber, stream, (first, most, samples) => {
        for (const { cap, most: bound, window } of play(createCap(first, most), samples)) {
          expect(Number.isInteger(cap)).toBe(true);
          expect(cap).toBeGreaterThanOrEqual(1);
          expect(cap).toBeLessThanOrEqual(bound);
          expect(Object.values(window).every((sum) => !Number.isNaN(sum))).toBe(true);
        }
      }),
    );
  });

  it("is replayed to the same states, from its JSON too", () => {
    fc.assert(
      fc.property(stream, fc.nat(), (samples, at) => {
        const states = play(createCap(1, MOST), samples);
        expect(play(createCap(1, MOST), samples)).toEqual(states);
        const one = states[at % Math.max(1, states.length)] ?? createCap(1, MOST);
        expect(JSON.parse(JSON.stringify(one))).toEqual(one);
      }),
    );
  });

  it("never raises the cap while everything fails (C2)", () => {
    const failures = fc.array(
      fc.tuple(
        anySample.map((each) => ({ ...each, outcome: "busy" as const })),
        fc.integer({ min: 0, max: 100_000 }),
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), failures, (first, samples) => {
        let before = first;
        for (const { cap } of play(createCap(first, 64), samples)) {
          expect(cap).toBeLessThanOrEqual(before);
          before = cap;
        }
      }),
    );
  });

  it("is not stuck afterwards: a server that is well again gets its full cap", () => {
    fc.assert(
      fc.property(stream, fc.constantFrom(2, 4, 8), (samples, parallel) => {
        const server = new BusyServer(createCap(1, MOST));
        server.state = play(server.state, samples).at(-1) ?? server.state;
        server.now += samples.reduce((sum, [, ms]) => sum + ms, 0);
        server.runFor(60 * MINUTE_MS, { parallel });
        expect(throughputOf({ parallel }, server.state.cap)).toBeGreaterThanOrEqual(
          0.95 * best({ parallel }, MOST),
        );
      }),
      { numRuns: 50 },
    );
  });
});
