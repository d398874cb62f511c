import { describe, expect, it } from "vitest";
import {
  EMPTY_WINDOW,
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
} from "../../src/scheduler/adaptive-window.ts";
import { sample, sampleOf, type ServerShape } from "./busy-server.ts";

const SLO_MS = 1_000;

function windowOf(...samples: readonly Partial<CapSample>[]): CapWindow {
  return samples.reduce<CapWindow>((sums, each) => withSample(sums, sample(each), SLO_MS), EMPTY_WINDOW);
}

function measured(cap: number, shape: Partial<ServerShape>): Measured {
  return { cap, window: withSample(EMPTY_WINDOW, sampleOf(shape, cap), SLO_MS) };
}

describe("a window", () => {
  it("knows by the waits how many the server really had at work", () => {
    const window = windowOf({ waitMs: 3_000, totalMs: 4_000 }, { waitMs: 1_000, totalMs: 4_000 });
    expect(waitShare(window)).toBe(0.5);
    expect(served(window, 4)).toBe(2);
  });

  it("counts no loading, and no wait that is mere overhead", () => {
    const window = windowOf({ waitMs: 40, loadMs: 10_000, totalMs: 12_000 });
    expect(window).toMatchObject({ busyMs: 2_000, waitMs: 0 });
  });

  it("tells the rate of one stream, and nothing where nothing is told", () => {
    expect(streamRate(windowOf({ outputTokens: 100, outputMs: 2_000 }))).toBe(50);
    expect(streamRate(windowOf({ outputMs: 0 }))).toBeNull();
    expect(waitShare(EMPTY_WINDOW)).toBe(0);
  });

  it("is late by the 95th percentile of first tokens, loading left out", () => {
    const soon = Array.from({ length: 20 }, () => ({ firstTokenMs: 500 }));
    expect(isLate(windowOf(...soon, { firstTokenMs: 2_000 }))).toBe(false);
    expect(isLate(windowOf(...soon, { firstTokenMs: 2_000 }, { firstTokenMs: 2_000 }))).toBe(true);
    expect(isLate(windowOf({ firstTokenMs: 9_500, loadMs: 9_000 }))).toBe(false);
  });

  it("takes what is no figure as not told", () => {
    const odd = { waitMs: Number.NaN, totalMs: -5, outputMs: Number.POSITIVE_INFINITY, firstTokenMs: null };
    expect(windowOf(odd)).toMatchObject({ samples: 1, waitMs: 0, busyMs: 0, outputMs: 0, late: 0 });
  });
});

describe("gain", () => {
  it("is what company brings, less what it costs", () => {
    const shape = { parallel: 8, slowdown: 0.2 };
    expect(gain(measured(2, shape), measured(1, shape))).toBeCloseTo(2 / 1.2);
    expect(gain(measured(8, shape), measured(4, shape))).toBeCloseTo(2 * (1.6 / 2.4));
  });

  it("is none where more only wait in the server", () => {
    const shape = { parallel: 2 };
    expect(gain(measured(4, shape), measured(2, shape))).toBeCloseTo(1);
    expect(gainAtWork(measured(4, shape), measured(2, shape))).toBeCloseTo(1);
  });

  it("goes by what ends in the same time where no waits are told", () => {
    const shape = { parallel: 2, tells: false };
    expect(gain(measured(4, shape), measured(2, shape))).toBeCloseTo(1);
    expect(gainAtWork(measured(4, shape), measured(2, shape))).toBe(0);
  });

  it("is not undone by prompts that grew between the two", () => {
    const longer = measured(2, { promptTokens: 10_000 });
    expect(gain(longer, measured(1, { promptTokens: 500 }))).toBeGreaterThan(1.5);
  });

  it("has no end where nothing at all is known", () => {
    const nothing: Measured = { cap: 1, window: { ...EMPTY_WINDOW, samples: 8 } };
    expect(gain({ ...nothing, cap: 2 }, nothing)).toBe(Number.POSITIVE_INFINITY);
  });
});
