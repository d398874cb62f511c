import { describe, expect, it } from "vitest";
import { nextCap } from "../../src/scheduler/adaptive-cap.ts";
import { createCap, type CapState } from "../../src/scheduler/adaptive-state.ts";
import { best, BusyServer, sample, sampleOf, throughputOf } from "./busy-server.ts";

const MOST = 16;
const MINUTE_MS = 60_000;

function busy(first = 1, most = MOST): BusyServer {
  return new BusyServer(createCap(first, most));
}

describe("finding the cap of a server", () => {
  it.each([1, 2, 3, 4, 6, 8, 12, 16])("comes to rest at the %i that it runs at once", (parallel) => {
    expect(busy().runFor(30 * MINUTE_MS, { parallel }).state.cap).toBe(parallel);
  });

  it.each([1, 2, 4, 8])("finds the same from a guess that is too high, on a server of %i", (parallel) => {
    expect(busy(12).run(400, { parallel }).state.cap).toBe(parallel);
  });

  it.each([0, 0.1, 0.2, 0.4, 0.8, 1])(
    "is nearly as fast as any fixed cap where company costs %f",
    (slowdown) => {
      for (const parallel of [1, 2, 4, 8, 16]) {
        const shape = { parallel, slowdown };
        const { cap } = busy().run(600, shape).state;
        expect(throughputOf(shape, cap) / best(shape, MOST)).toBeGreaterThanOrEqual(0.95);
      }
    },
  );

  it("knows a server that runs one at a time after one trial, and asks it again rarely", () => {
    const server = busy().run(16, { parallel: 1 });
    expect(server.caps).toEqual([1, 2, 1]);
    expect(server.state.reason).toEqual({ kind: "server_full" });
    while (server.now < 5 * MINUTE_MS) server.run(1, { parallel: 1 });
    expect(server.caps).toEqual([1, 2, 1]);
    while (server.now < 60 * MINUTE_MS) server.run(1, { parallel: 1 });
    expect(server.caps.length).toBeLessThan(20);
  });

  it("stays at one where company only slows everybody down", () => {
    const { state } = busy().run(100, { parallel: 16, slowdown: 1 });
    expect(state).toMatchObject({ cap: 1, reason: { kind: "no_faster", tried: 2 } });
  });

  it("climbs a server that tells nothing one by one, by what ends in the same time", () => {
    const server = busy(4).run(400, { parallel: 8, tells: false });
    expect(server.caps.slice(0, 5)).toEqual([4, 5, 6, 7, 8]);
    expect(server.state.cap).toBe(8);
  });

  it("stops at the most that is allowed, and says so", () => {
    expect(busy(1, 3).run(100, { parallel: 16 }).state).toMatchObject({ cap: 3, reason: { kind: "most" } });
  });
});

describe("rest", () => {
  it("tries another cap more and more rarely while nothing changes", () => {
    const server = busy().run(200, { parallel: 4 });
    const trials = (minutes: number): number => {
      const before = server.caps.length;
      const end = server.now + minutes * MINUTE_MS;
      while (server.now < end) server.run(1, { parallel: 4 });
      return (server.caps.length - before) / 2;
    };
    expect(trials(60)).toBeLessThanOrEqual(10);
    expect(trials(60)).toBeLessThanOrEqual(6);
    expect(server.state.cap).toBe(4);
  });

  it("spends little of its time on trials", () => {
    const server = busy().run(200, { parallel: 4 });
    let tried = 0;
    for (let count = 0; count < 2_000; count += 1) {
      server.run(1, { parallel: 4 });
      if (server.state.trial !== null) tried += 1;
    }
    expect(tried / 2_000).toBeLessThan(0.1);
  });
});

describe("a load that changes", () => {
  it.each([
    [1, 4],
    [4, 1],
    [2, 8],
    [8, 2],
    [8, 3],
  ])("finds its cap again when a server of %i becomes one of %i", (before, after) => {
    const server = busy().run(400, { parallel: before });
    expect(server.state.cap).toBe(before);
    server.runFor(30 * MINUTE_MS, { parallel: after });
    expect(server.state.cap).toBe(after);
  });

  it("gives way at once when the server runs fewer", () => {
    const server = busy().run(400, { parallel: 8 });
    const changedAt = server.now;
    while (server.state.cap > 2) server.run(1, { parallel: 2 });
    expect(server.now - changedAt).toBeLessThan(2 * MINUTE_MS);
  });

  it("does not starve itself for other clients, nor race them", () => {
    const server = busy().run(200, { parallel: 4 });
    server.run(600, { parallel: 4, others: 4 });
    expect(server.state.cap).toBeGreaterThanOrEqual(3);
    expect(server.state.cap).toBeLessThanOrEqual(5);
    server.run(600, { parallel: 4 });
    expect(server.state.cap).toBe(4);
  });

  it("keeps its cap when prompts grow", () => {
    const server = busy().run(200, { parallel: 4 });
    server.run(400, { parallel: 4, promptTokens: 8_000 });
    expect(server.state.cap).toBe(4);
  });
});

describe("failures", () => {
  it.each(["busy", "oom", "timeout"] as const)("cuts to three quarters on %s", (outcome) => {
    const server = busy(8).run(200, { parallel: 8 });
    const now = server.now + 1;
    const after = nextCap(server.state, sampleOf({ outcome }, 8), now);
    expect(after).toMatchObject({ cap: 6, trial: null, reason: { kind: "failed", outcome } });
  });

  it("counts failures of one moment, and of generations that began before the cut, as one", () => {
    const failed = sample({ outcome: "timeout", totalMs: 5_000 });
    let state = nextCap(createCap(8, MOST), failed, 10_000);
    for (const now of [10_000, 10_500, 12_000, 15_000]) state = nextCap(state, failed, now);
    expect(state.cap).toBe(6);
    expect(nextCap(state, failed, 15_001).cap).toBe(4);
  });

  it("learns nothing from other errors and from what was aborted", () => {
    const state = createCap(4, MOST);
    expect(nextCap(state, sample({ outcome: "error" }), 1)).toBe(state);
    expect(nextCap(state, sample({ outcome: "aborted" }), 1)).toBe(state);
  });

  it("comes back after the failures end", () => {
    const server = busy(8).run(200, { parallel: 8 });
    for (let count = 0; count < 20; count += 1) {
      server.now += 2_000;
      server.state = nextCap(server.state, sampleOf({ outcome: "busy" }, server.state.cap), server.now);
    }
    expect(server.state.cap).toBe(1);
    server.runFor(30 * MINUTE_MS, { parallel: 8 });
    expect(server.state.cap).toBe(8);
  });

  it("ends a trial that fails at the cap before, or below", () => {
    const server = busy(4).run(4, { parallel: 16 });
    expect(server.state.trial).toMatchObject({ cap: 4 });
    const failed = sampleOf({ outcome: "oom" }, server.state.cap);
    expect(nextCap(server.state, failed, server.now + 1).cap).toBeLessThanOrEqual(4);
  });
});

describe("limits of what is useful", () => {
  it("lets nobody in when first tokens already come too late", () => {
    const { state } = busy().run(40, { parallel: 8, promptTokens: 60_000 });
    expect(state).toMatchObject({ cap: 1, reason: { kind: "late" } });
  });

  it("sends some away when each stream is too slow", () => {
    const { state, caps } = busy(4).run(40, { parallel: 4, tokensPerS: 2.5 });
    expect(caps.slice(0, 2)).toEqual([4, 3]);
    expect(state.cap).toBeLessThan(3);
  });

  it("does not grow while fewer are in flight than may be", () => {
    const state = createCap(2, MOST);
    for (let count = 1; count <= 100; count += 1) {
      expect(nextCap(state, sample({ inFlight: 1 }), count * 2_000)).toBe(state);
    }
  });

  it("does not judge by generations that began under another cap", () => {
    const server = busy(2).run(4, { parallel: 8 });
    expect(server.state.trial).toMatchObject({ cap: 2 });
    const early = sample({ inFlight: 8, totalMs: 60_000 });
    expect(nextCap(server.state, early, server.now + 1)).toBe(server.state);
  });

  it("ends a trial that nobody makes use of, at what is made use of", () => {
    const server = busy(4).run(5, { parallel: 8 });
    expect(server.state).toMatchObject({ cap: 5, trial: { cap: 4 } });
    const few = (inFlight: number): CapState => {
      let { state, now } = server;
      for (let count = 0; count < 20; count += 1) {
        state = nextCap(state, sample({ inFlight, totalMs: 1 }), (now += 2_000));
      }
      return state;
    };
    expect(few(3)).toMatchObject({ cap: 4, trial: null, reason: { kind: "not_needed" } });
    const wider = busy();
    while (wider.state.cap < 8) wider.run(1, { parallel: 8 });
    expect(wider.state).toMatchObject({ cap: 8, trial: { cap: 4 } });
    Object.assign(server, { state: wider.state, now: wider.now });
    expect(few(6)).toMatchObject({ cap: 6, trial: { cap: 4 } });
  });
});

describe("a server that is started anew", () => {
  it("is tried again soon, since its settings may be others; what loads says nothing else", () => {
    const server = busy().run(14, { parallel: 1 });
    expect(server.state).toMatchObject({ cap: 1, trial: null });
    const { holdUntil } = server.state;
    expect(holdUntil).toBeGreaterThan(server.now + 4 * MINUTE_MS);
    const loading = sample({ loadMs: 3_000, totalMs: 5_000 });
    server.now += 10_000;
    const state = nextCap(server.state, loading, server.now);
    expect(state).toEqual({ ...server.state, holdUntil: state.holdUntil, holdMs: state.holdMs });
    expect(state.holdUntil).toBeLessThan(server.now + MINUTE_MS);
    server.state = state;
    expect(server.runFor(5 * MINUTE_MS, { parallel: 4 }).state.cap).toBe(4);
  });
});
