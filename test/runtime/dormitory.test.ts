// When idle actors are asked to sleep, on virtual time.

import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { Dormitory } from "../../src/runtime/dormitory.ts";

const sleeper = () => {
  const slept: number[] = [];
  return { slept, sleep: () => slept.push(1) };
};

describe("Dormitory", () => {
  it("D1 asks to sleep after one to two pauses without news, once", async () => {
    const clock = new SimulatedClock();
    const dormitory = new Dormitory(clock);
    const idle = sleeper();
    dormitory.settle(idle);
    await clock.advance(1_000);
    expect(idle.slept).toHaveLength(0);
    await clock.advance(1_000);
    expect(idle.slept).toHaveLength(1);
    await clock.advance(60_000);
    expect(idle.slept).toHaveLength(1);
  });

  it("D1 leaves alone who settles again and again, and keeps one timer for all", async () => {
    const clock = new SimulatedClock();
    const dormitory = new Dormitory(clock);
    const [busy, idle] = [sleeper(), sleeper()];
    dormitory.settle(idle);
    for (let round = 0; round < 5; round += 1) {
      dormitory.settle(busy);
      expect(clock.pending).toBe(1);
      await clock.advance(900);
    }
    expect(busy.slept).toHaveLength(0);
    expect(idle.slept).toHaveLength(1);
    await clock.advance(2_000);
    expect(busy.slept).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it("asks nobody after it was closed", async () => {
    const clock = new SimulatedClock();
    const dormitory = new Dormitory(clock);
    const idle = sleeper();
    dormitory.settle(idle);
    dormitory.close();
    await clock.advance(10_000);
    expect(idle.slept).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });
});
