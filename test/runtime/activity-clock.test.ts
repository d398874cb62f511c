import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { ActivityClock, activityClockOf } from "../../src/runtime/activity-clock.ts";
import { specOf } from "./specimens.ts";

function make(rest: { timeoutMs?: number | null; deadlineInMs?: number; usedMs?: number } = {}) {
  const clock = new SimulatedClock();
  const expired: string[] = [];
  const activity = new ActivityClock({
    clock,
    timeoutMs: rest.timeoutMs === undefined ? 100 : rest.timeoutMs,
    deadlineAt: rest.deadlineInMs === undefined ? null : clock.now() + rest.deadlineInMs,
    usedMs: rest.usedMs ?? 0,
    onExpire: ({ code, message }) => expired.push(`${code}: ${message}`),
  });
  return { clock, activity, expired };
}

describe("ActivityClock", () => {
  test("T2 waiting never counts: only the time between start and stop does", async () => {
    const { clock, activity, expired } = make();
    for (let n = 0; n < 9; n++) {
      activity.start();
      await clock.advance(10);
      activity.stop();
      await clock.advance(1_000);
    }
    expect([activity.usedMs, expired]).toEqual([90, []]);
    activity.start();
    await clock.advance(10);
    expect(expired).toEqual([
      expect.stringMatching(/^timeout: Expected an end within 0.1 s of active time. Raise timeout_s/),
    ]);
  });

  test("starting and stopping twice is once", async () => {
    const { clock, activity } = make();
    activity.start();
    activity.start();
    await clock.advance(10);
    activity.stop();
    activity.stop();
    expect(activity.usedMs).toBe(10);
    expect(clock.pending).toBe(0);
  });

  test("the deadline runs on the wall clock, active or not", async () => {
    const { clock, expired } = make({ deadlineInMs: 500 });
    await clock.advance(499);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual([expect.stringContaining("deadline_s")]);
  });

  test("T1 tells once, for whichever ends first, and nothing after its end", async () => {
    const both = make({ timeoutMs: 100, deadlineInMs: 100 });
    both.activity.start();
    await both.clock.advance(1_000);
    expect(both.expired).toHaveLength(1);
    const ended = make({ timeoutMs: 100, deadlineInMs: 200 });
    ended.activity.start();
    ended.activity.end();
    ended.activity.start();
    await ended.clock.advance(1_000);
    expect([ended.expired, ended.clock.pending]).toEqual([[], 0]);
  });

  test("goes on after a restart from what was used, and a deadline that has passed is told at once", async () => {
    const { clock, activity, expired } = make({ usedMs: 95, deadlineInMs: -1_000 });
    activity.start();
    await clock.advance(0);
    expect(expired).toEqual([expect.stringContaining("deadline")]);
    const late = make({ usedMs: 95 });
    late.activity.start();
    await late.clock.advance(5);
    expect(late.expired).toHaveLength(1);
  });

  test("without limits it only counts", async () => {
    const { clock, activity } = make({ timeoutMs: null });
    activity.start();
    expect(clock.pending).toBe(0);
    await clock.advance(50);
    expect(activity.usedMs).toBe(50);
  });

  test("a spec's deadline counts from its creation", async () => {
    const clock = new SimulatedClock();
    const limits = { ...DEFAULT_TASK_LIMITS, timeoutMs: null, deadlineMs: 1_000 };
    const expired: string[] = [];
    activityClockOf(
      { spec: specOf({ limits, createdAt: clock.now() - 900 }), usedMs: 0 },
      clock,
      ({ code }) => expired.push(code),
    );
    await clock.advance(100);
    expect(expired).toEqual(["timeout"]);
  });
});
