import { describe, expect, it } from "vitest";
import {
  healthAfter,
  healthAfterSuccess,
  healthStanding,
  WELL,
  type Health,
} from "../../src/credentials/pool-health.ts";
import type { KeySignal } from "../../src/credentials/pool-signal.ts";
import { at } from "./pool-specimens.ts";

const BACKEND: KeySignal = { about: "backend" };
const overload = (hintMs: number | null): KeySignal => ({ about: "overload", hintMs });
const standing = (health: Health, now: number) => healthStanding(health, "m", now);

function failing(times: readonly number[], health: Health = WELL): Health {
  return times.reduce((sick, now) => healthAfter(sick, BACKEND, at(now)), health);
}

describe("an overloaded server", () => {
  it("is left alone for 15 s, doubling to 2 min, or as long as it says", () => {
    let health = WELL;
    let now = 0;
    const waits = Array.from({ length: 5 }, () => {
      health = healthAfter(health, overload(null), at(now));
      const seen = standing(health, now);
      const ms = seen.open ? 0 : (seen.until as number) - now;
      now += ms + 10;
      return ms / 1000;
    });
    expect(waits).toEqual([15, 30, 60, 120, 120]);
    const told = healthAfter(WELL, overload(40_000), at(0));
    expect(standing(told, 1)).toMatchObject({ open: false, until: 40_000, worthWaiting: true });
    expect(standing(healthAfter(told, overload(null), at(10, { sentAt: 0 })), 11)).toMatchObject({
      until: 40_000,
    });
  });

  it("begins from below after a success", () => {
    const health = healthAfterSuccess(healthAfter(WELL, overload(null), at(0)), at(20_000));
    expect(health.overload).toBeNull();
  });
});

describe("the breaker", () => {
  it("opens after three failures in a row within 30 s, for 10 s, and lets one request prove", () => {
    expect(standing(failing([0, 1]), 2)).toEqual({ open: true, probe: false });
    expect(standing(failing([0, 1, 40_000]), 40_001)).toEqual({ open: true, probe: false });
    const open = failing([0, 1, 2]);
    expect(standing(open, 3)).toMatchObject({ open: false, until: 10_002 });
    expect(standing(open, 10_002)).toEqual({ open: true, probe: true });
    expect(standing(healthAfterSuccess(open, at(10_010)), 10_011)).toEqual({ open: true, probe: false });
  });

  it("opens when more than half of at least five answers fail", () => {
    const mixed = [false, false, true, false, true, false].reduce((health, ok, index) => {
      const now = index * 10;
      return ok ? healthAfterSuccess(health, at(now)) : healthAfter(health, BACKEND, at(now));
    }, WELL);
    expect(standing(mixed, 51).open).toBe(false);
  });

  it("doubles to 2 min while its probes fail, and hears nothing of what was sent before it opened", () => {
    let health = failing([0, 1, 2]);
    expect(healthAfter(health, BACKEND, at(5, { sentAt: 1 })).breaker).toBe(health.breaker);
    let now = 2;
    const waits = Array.from({ length: 5 }, () => {
      now = (health.breaker?.until as number) + 10;
      health = healthAfter(health, BACKEND, at(now));
      return ((health.breaker?.until as number) - now) / 1000;
    });
    expect(waits).toEqual([20, 40, 80, 120, 120]);
    expect(standing(healthAfterSuccess(health, at(now + 1, { sentAt: 1 })), now + 2).open).toBe(false);
  });
});

it("leaves one model alone that the server can serve to nobody", () => {
  const signal: KeySignal = { about: "rate", hintMs: 5000, scope: "model", concurrency: false };
  const health = healthAfter(WELL, signal, at(0));
  expect(standing(health, 1)).toMatchObject({ open: false, until: 5000 });
  expect(healthStanding(health, "other", 1).open).toBe(true);
  expect(healthStanding(health, null, 1).open).toBe(true);
  expect(healthAfterSuccess(health, at(6000)).models.size).toBe(0);
});

it("hears nothing of what concerns one key alone", () => {
  expect(healthAfter(WELL, { about: "auth", final: true }, at(0))).toBe(WELL);
  expect(healthAfter(WELL, { about: "rate", hintMs: 1, scope: "key", concurrency: false }, at(0))).toBe(WELL);
});
