import { expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { SICK_MS } from "../../src/core/limits.ts";
import { TargetHealth } from "../../src/runtime/target-health.ts";
import { MODEL } from "./rig.ts";

const OTHER = { ...MODEL, backend: "gpu1" };

test("K1 what failed is left alone for a while, then one task tries it and the others still go elsewhere", async () => {
  const clock = new SimulatedClock();
  const health = new TargetHealth(clock);
  health.chosen(MODEL);
  expect(health.isSick(MODEL)).toBe(false);
  health.failed(MODEL);
  expect([health.isSick(MODEL), health.isSick(OTHER)]).toEqual([true, false]);
  await clock.advance(SICK_MS - 1);
  expect(health.isSick(MODEL)).toBe(true);
  await clock.advance(1);
  expect(health.isSick(MODEL)).toBe(false);
  health.chosen(MODEL);
  expect(health.isSick(MODEL)).toBe(true);
  await clock.advance(SICK_MS);
  expect(health.isSick(MODEL)).toBe(false);
});

test("K2 one answer makes it well", () => {
  const health = new TargetHealth(new SimulatedClock());
  health.served(MODEL);
  health.failed(MODEL);
  health.served(OTHER);
  expect(health.isSick(MODEL)).toBe(true);
  health.served(MODEL);
  expect(health.isSick(MODEL)).toBe(false);
  health.chosen(MODEL);
  expect(health.isSick(MODEL)).toBe(false);
});
