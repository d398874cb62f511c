import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { drain } from "../../src/runtime/drain.ts";

function host() {
  const told: string[] = [];
  return {
    told,
    isActive: true,
    leases: { withdraw: () => void told.push("withdraw") },
    settle: async () => void told.push("settle"),
  };
}

async function drained(clock: SimulatedClock, hosts: readonly ReturnType<typeof host>[], graceMs: number) {
  let over = false;
  const draining = drain({ clock, hosts: () => hosts, graceMs }).then(() => {
    over = true;
  });
  await clock.advance(0);
  return { draining, isOver: () => over };
}

describe("drain", () => {
  test("takes back what waits, and ends when nothing is under way", async () => {
    const clock = new SimulatedClock();
    const it = host();
    const { isOver } = await drained(clock, [it], 10_000);
    await clock.advance(500);
    expect([isOver(), it.told]).toEqual([false, ["withdraw"]]);
    it.isActive = false;
    await clock.advance(50);
    expect([isOver(), it.told]).toEqual([true, ["withdraw", "settle"]]);
  });

  test("ends with its grace, whatever is under way", async () => {
    const clock = new SimulatedClock();
    const it = host();
    const { isOver } = await drained(clock, [it], 1_000);
    await clock.advance(999);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    expect([isOver(), it.told]).toEqual([true, ["withdraw", "settle"]]);
    expect(clock.pending).toBe(0);
  });

  test("does not fail for a host whose writes cannot be stored", async () => {
    const clock = new SimulatedClock();
    const broken = {
      ...host(),
      isActive: false,
      settle: () => Promise.reject(new Error("The disk is gone.")),
    };
    await expect(drain({ clock, hosts: () => [broken], graceMs: 1_000 })).resolves.toBeUndefined();
  });

  test("does not wait for a store that is away", async () => {
    const clock = new SimulatedClock();
    const stuck = { ...host(), isActive: false, settle: () => new Promise<undefined>(() => {}) };
    const { isOver } = await drained(clock, [stuck], 5_000);
    await clock.advance(4_999);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    expect(isOver()).toBe(true);
  });
});
