import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyState } from "../../src/credentials/pool-key.ts";
import { standingOf } from "../../src/credentials/pool-key.ts";
import {
  charged,
  observed,
  penalised,
  rung,
  succeeded,
  throttleMs,
} from "../../src/credentials/pool-penalty.ts";
import type { KeySignal } from "../../src/credentials/pool-signal.ts";
import { at, key, NEED } from "./pool-specimens.ts";

const AUTH: KeySignal = { about: "auth", final: false };
const BROKE: KeySignal = { about: "money", hintMs: null };
const rate = (hintMs: number | null, more: object = {}): KeySignal => {
  return { about: "rate", hintMs, scope: "key_model", concurrency: false, ...more };
};
const until = (state: KeyState, now: number): number | null => {
  const standing = standingOf(state, NEED, now);
  return standing.open ? now : standing.until;
};

/** The waits that the same signal asks for, each time it comes right after the last wait. */
function ladder(signal: KeySignal, times: number): number[] {
  let state = key();
  let now = 1000;
  return Array.from({ length: times }, () => {
    state = penalised(state, signal, at(now));
    const end = until(state, now) as number;
    const ms = end - now;
    now = end + 10;
    return ms;
  });
}

describe("a key that is refused", () => {
  it("is suspect for a minute, then dead when it is refused again", () => {
    const suspect = penalised(key(), AUTH, at(1000));
    expect(suspect.penalty).toMatchObject({ state: "suspect", until: 61_000, probe: true });
    const dead = penalised(suspect, AUTH, at(61_010));
    expect(dead.penalty).toMatchObject({ state: "dead", until: null });
    expect(penalised(dead, rate(9), at(61_020)).penalty).toBe(dead.penalty);
    expect(penalised(dead, BROKE, at(61_020))).toBe(dead);
  });

  it("is not dead because requests that were already out are refused too", () => {
    const suspect = penalised(key(), AUTH, at(1000));
    const echo = penalised(suspect, AUTH, at(1005, { sentAt: 999 }));
    expect(echo.penalty).toBe(suspect.penalty);
  });

  it("is dead at once when the server says so", () => {
    expect(penalised(key(), { about: "auth", final: true }, at(5)).penalty).toMatchObject({ state: "dead" });
  });

  it("is whole again after one success of its probe, and not by one that was sent before", () => {
    const suspect = penalised(key(), AUTH, at(1000));
    expect(succeeded(suspect, at(1001, { sentAt: 999 })).penalty).toBe(suspect.penalty);
    const well = succeeded(suspect, at(61_010));
    expect(well).toMatchObject({ penalty: null, strikes: 0 });
    expect(penalised(well, AUTH, at(70_000)).penalty).toMatchObject({ state: "suspect" });
  });
});

describe("a key without money", () => {
  it("is asked again after 5 min, doubling to an hour", () => {
    expect(ladder(BROKE, 6).map((ms) => ms / 60_000)).toEqual([5, 10, 20, 40, 60, 60]);
  });

  it("takes the server's word for the end, and never shortens it", () => {
    const broke = penalised(key(), { about: "money", hintMs: 7_200_000 }, at(0));
    expect(broke.penalty).toMatchObject({ state: "exhausted", until: 7_200_000, told: true });
    expect(penalised(broke, BROKE, at(10)).penalty).toMatchObject({ until: 7_200_000, told: true });
    expect(penalised(key(), BROKE, at(0)).penalty).toMatchObject({ told: false });
  });
});

describe("a key that is asked too much", () => {
  it("waits as long as the server says, plus up to a tenth", () => {
    expect(throttleMs(10_000, 3, 0)).toBe(10_000);
    expect(throttleMs(10_000, 3, 0.5)).toBe(10_500);
    expect(throttleMs(0, 0, 0)).toBe(250);
    expect(ladder(rate(3000), 3)).toEqual([3000, 3000, 3000]);
  });

  it("climbs 5, 10, 20 s to 5 min without a hint, and comes down with each success", () => {
    expect(ladder(rate(null), 8).map((ms) => ms / 1000)).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
    let state = penalised(penalised(key(), rate(null), at(0)), rate(null), at(6000));
    expect(state.models.get("m")?.strikes).toBe(2);
    state = succeeded(state, at(20_000));
    expect(state.models.get("m")?.strikes).toBe(1);
    expect(succeeded(state, at(20_010)).models.has("m")).toBe(false);
  });

  it("is not punished twice for what was already out", () => {
    const once = penalised(key(), rate(null), at(1000));
    expect(penalised(once, rate(null), at(1001, { sentAt: 990 })).models).toEqual(once.models);
  });

  it("keeps the later end of two", () => {
    const long = penalised(key(), rate(60_000), at(0));
    expect(until(penalised(long, rate(1000), at(10)), 10)).toBe(60_000);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100_000), fc.nat(1000)), { maxLength: 20 }), (hints) => {
        let state = key();
        let now = 0;
        let last = 0;
        for (const [ms, passed] of hints) {
          now += passed;
          state = penalised(state, rate(ms), at(now));
          const end = state.models.get("m")?.until ?? 0;
          expect(end).toBeGreaterThanOrEqual(Math.max(last, now + ms));
          last = end;
        }
      }),
    );
  });

  it("waits for one model, for everything where the limit is the key's, and not at all for everybody's", () => {
    const other = { model: "other", tokens: 1 };
    expect(standingOf(penalised(key(), rate(9), at(0)), other, 1).open).toBe(true);
    const whole = penalised(key(), rate(900, { scope: "key" }), at(0));
    expect(standingOf(whole, other, 1)).toMatchObject({
      open: false,
      state: "throttled",
      worthWaiting: true,
    });
    expect(penalised(key(), rate(9, { scope: "model" }), at(0))).toEqual(key());
  });

  it("leaves an exhausted key exhausted", () => {
    const broke = penalised(key(), BROKE, at(0));
    const still = penalised(broke, rate(400_000, { scope: "key" }), at(10));
    expect(still.penalty).toMatchObject({ state: "exhausted", until: 400_010 });
  });
});

describe("how many at once", () => {
  it("is learned from refusals while several are out, and forgotten by successes", () => {
    const capped = penalised(key(), rate(null), at(0, { inFlight: 8 }));
    expect(capped.cap).toEqual({ most: 6, successes: 0 });
    expect(penalised(key(), rate(500), at(0, { inFlight: 8 })).cap).toBeNull();
    expect(penalised(key(), rate(null), at(0)).cap).toBeNull();
    let state = capped;
    for (let nth = 0; nth < 10; nth++) state = succeeded(state, at(10_000));
    expect(state.cap).toEqual({ most: 7, successes: 0 });
    for (let nth = 0; nth < 1000; nth++) state = succeeded(state, at(10_000));
    expect(state.cap).toBeNull();
  });

  it("is one less where the server complains of just that, and the key need not rest", () => {
    const concurrency = { scope: "key", concurrency: true };
    const capped = penalised(key(), rate(null, concurrency), at(0, { inFlight: 3 }));
    expect(capped).toMatchObject({ penalty: null, cap: { most: 2 } });
    expect(penalised(key(), rate(null, concurrency), at(0)).penalty).toMatchObject({ state: "throttled" });
  });
});

describe("what headers say is left", () => {
  const window = { what: "requests", scope: "model", limit: 10, remaining: 2, resetMs: 1000 } as const;

  it("is counted down with every request, and believed again when the server says it", () => {
    let state = observed(key(), [window], at(0));
    state = charged(charged(state, NEED), NEED);
    expect(standingOf(state, NEED, 1)).toMatchObject({ open: false, until: 1000 });
    expect(standingOf(state, NEED, 1000).open).toBe(true);
    expect(standingOf(observed(state, [window], at(5)), NEED, 6).open).toBe(true);
  });

  it("is not believed without an end", () => {
    const state = observed(key(), [{ ...window, remaining: 0, resetMs: null }], at(0));
    expect(standingOf(state, NEED, 1).open).toBe(true);
    expect(observed(state, [], at(0))).toBe(state);
  });

  it("holds for every model where it is the key's", () => {
    const state = observed(key(), [{ ...window, scope: "key", remaining: 0 }], at(0));
    expect(standingOf(state, { model: "other", tokens: 1 }, 1).open).toBe(false);
    expect(charged(key(), NEED)).toEqual(key());
  });

  it("charges tokens by what is sent", () => {
    const tokens = { ...window, what: "tokens", limit: 1000, remaining: 150 } as const;
    const state = charged(observed(key(), [tokens], at(0)), NEED);
    expect(standingOf(state, NEED, 1).open).toBe(false);
  });
});

it("lets a model that was refused come last for a while", () => {
  const state = penalised(key(), { about: "model" }, at(0));
  expect(state.avoided.get("m")).toBe(300_000);
  expect(standingOf(state, NEED, 1).open).toBe(true);
  expect(succeeded(state, at(5)).avoided.size).toBe(0);
});

it("has ladders that end", () => {
  expect(rung(0, [5, 300])).toBe(5);
  expect(rung(10_000, [5, 300])).toBe(300);
});
