import { describe, expect, it } from "vitest";
import { allowancesOf, capOf, headroomOf, standingOf, wordOf } from "../../src/credentials/pool-key.ts";
import type { KeyState, Penalty } from "../../src/credentials/pool-key.ts";
import { key, NEED } from "./pool-specimens.ts";

const penalty = (more: Partial<Penalty>): Penalty => {
  return { state: "throttled", since: 0, until: 100, told: true, probe: false, reason: "r", ...more };
};
const with_ = (more: Partial<KeyState>): KeyState => ({ ...key(), ...more });

describe("whether a key may be used", () => {
  it("a fresh one may", () => {
    expect(standingOf(key(), NEED, 0)).toEqual({ open: true, probe: false });
    expect(wordOf(key(), 0)).toBe("ready");
  });

  it("one that sits something out may not, until its time, and then as it was said", () => {
    const throttled = with_({ penalty: penalty({}) });
    expect(standingOf(throttled, NEED, 99)).toMatchObject({ open: false, until: 100, worthWaiting: true });
    expect(wordOf(throttled, 100)).toBe("ready");
    const suspect = with_({ penalty: penalty({ state: "suspect", told: false, probe: true }) });
    expect(standingOf(suspect, NEED, 99)).toMatchObject({ state: "suspect", worthWaiting: false });
    expect(wordOf(suspect, 100)).toBe("probing");
    expect(capOf(suspect, standingOf(suspect, NEED, 100))).toBe(1);
  });

  it("no time mends a dead one, and only a person a disabled one", () => {
    const dead = with_({ penalty: penalty({ state: "dead", until: null, told: false }) });
    expect(standingOf(dead, NEED, 1e12)).toMatchObject({ state: "dead", until: null, worthWaiting: false });
    expect(wordOf({ ...dead, disabled: true }, 1e12)).toBe("disabled");
  });

  it("a throttle of one model leaves the others alone", () => {
    const models = new Map([["m", { since: 0, until: 50, strikes: 1, reason: "r" }]]);
    const throttled = with_({ models });
    expect(standingOf(throttled, NEED, 49)).toMatchObject({ open: false, state: "throttled", until: 50 });
    expect(standingOf(throttled, { model: "other", tokens: 1 }, 49).open).toBe(true);
    expect(wordOf(throttled, 49)).toBe("ready");
  });
});

describe("what is left of limits", () => {
  const left = (
    what: "requests" | "tokens" | "output_tokens",
    remaining: number,
    limit: number | null = 1000,
  ) => with_({ allowances: new Map([["m", [{ what, limit, remaining, resetAt: 60 }]]]) });

  it("stops at nothing, and goes on once it is whole again", () => {
    expect(standingOf(left("requests", 0), NEED, 0)).toMatchObject({ open: false, until: 60 });
    expect(standingOf(left("requests", 0), NEED, 60).open).toBe(true);
    expect(allowancesOf(left("requests", 0), "m", 60)).toEqual([]);
  });

  it("stops before a request that does not fit, but not before one that never would", () => {
    expect(standingOf(left("tokens", 99), NEED, 0).open).toBe(false);
    expect(standingOf(left("tokens", 100), NEED, 0).open).toBe(true);
    expect(standingOf(left("tokens", 50, 99), NEED, 0).open).toBe(true);
    expect(standingOf(left("output_tokens", 1), NEED, 0).open).toBe(true);
  });

  it("has a share, the smallest one", () => {
    expect(headroomOf(key(), "m", 0)).toBe(1);
    expect(headroomOf(left("tokens", 250), "m", 0)).toBe(0.25);
    expect(headroomOf(left("tokens", 250), "m", 60)).toBe(1);
  });
});

it("bears what the config and experience allow", () => {
  const open = { open: true, probe: false } as const;
  expect(capOf(key(), open)).toBe(Number.POSITIVE_INFINITY);
  expect(capOf({ ...key({ concurrency: 3 }), cap: { most: 2, successes: 0 } }, open)).toBe(2);
  expect(capOf(key({ concurrency: 3 }), { open: true, probe: true })).toBe(1);
});
