import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { SimulatedClock } from "../../src/base/clock.ts";
import { GpuTime, type Batch, type Job } from "../../src/simulator/batch.ts";

function gpuTime(batchSlowdown = 0, modelSlowdown = 0) {
  const clock = new SimulatedClock();
  return { clock, time: new GpuTime(clock, { batchSlowdown, modelSlowdown }) };
}

/** Does the work and says when it was done. */
function working(batch: Batch, clock: SimulatedClock, workMs: number) {
  const job = batch.join();
  const state: { at: number | null; job: Job } = { at: null, job };
  job.spend(workMs, () => {
    state.at = clock.monotonic();
    job.leave();
  });
  return state;
}

describe("one model", () => {
  test("work takes its time, and two at once slow each other while both are there", async () => {
    const { clock, time } = gpuTime(0.5);
    const batch = time.batch(["gpu0"]);
    const long = working(batch, clock, 100);
    await clock.advance(40);
    const short = working(batch, clock, 20);
    await clock.advance(1_000);
    // 40 alone, 20 of each at 1.5 times the time, and 40 alone.
    expect([short.at, long.at]).toEqual([70, 110]);
    expect([batch.size, clock.pending, time.busyMs]).toEqual([0, 0, 110]);
  });

  test("B1 a job that left is called back no more", async () => {
    const { clock, time } = gpuTime();
    const left = working(time.batch(["gpu0"]), clock, 100);
    left.job.leave();
    left.job.leave();
    await clock.advance(1_000);
    expect([left.at, clock.pending]).toEqual([null, 0]);
  });

  test("fine pieces wait only when a millisecond has come together", async () => {
    const { clock, time } = gpuTime();
    const job = time.batch(["gpu0"]).join();
    const at: number[] = [];
    const next = (): void => {
      if (at.length < 10) job.spend(0.4, () => (at.push(clock.monotonic()), next()), { fine: true });
    };
    next();
    await clock.advance(100);
    expect(at.filter((ms, index) => index > 0 && ms !== at[index - 1]).length).toBeLessThan(5);
    expect(at.at(-1)).toBeGreaterThanOrEqual(3);
  });
});

test.each([1, 2])(
  "a slowdown of %f for each other one still leaves an empty batch fit to begin again",
  async (slow) => {
    const { clock, time } = gpuTime(slow);
    const batch = time.batch(["gpu0"]);
    for (const start of [0, 500]) {
      await clock.advance(start - clock.monotonic());
      const states = [working(batch, clock, 100), working(batch, clock, 100)];
      await clock.advance(400);
      expect(states.map(({ at }) => at)).toEqual([1, 1].map(() => start + 100 * (1 + slow)));
    }
  },
);

describe("several models", () => {
  test("share the GPU that both lie on, and no other", async () => {
    const { clock, time } = gpuTime(0, 1);
    const batches = [["gpu0"], ["gpu0", "gpu1"], ["gpu2"]].map((gpus) => time.batch(gpus));
    const states = batches.map((batch) => working(batch, clock, 100));
    await clock.advance(1_000);
    expect(states.map(({ at }) => at)).toEqual([200, 200, 100]);
  });

  test("one that comes to its end gives its time back", async () => {
    const { clock, time } = gpuTime(0, 1);
    const [a, b] = [time.batch(["gpu0"]), time.batch(["gpu0"])];
    const [short, long] = [working(a, clock, 10), working(b, clock, 100)];
    await clock.advance(1_000);
    expect([short.at, long.at]).toEqual([20, 110]);
  });
});

test("a slow drip stretches what is left, and a hang ends when the speed comes back", async () => {
  const { clock, time } = gpuTime();
  const state = working(time.batch(["gpu0"]), clock, 100);
  await clock.advance(50);
  time.slowTo(4);
  await clock.advance(40);
  time.slowTo(Number.POSITIVE_INFINITY);
  await clock.advance(10_000);
  expect(clock.pending).toBe(0);
  time.slowTo(1);
  await clock.advance(40);
  expect(state.at).toBe(50 + 40 + 10_000 + 40);
});

test("work in pieces ends when work at once does, whoever comes and goes", async () => {
  const others = fc.array(fc.record({ after: fc.nat(300), work: fc.integer({ min: 1, max: 400 }) }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(others, fc.integer({ min: 1, max: 40 }), async (arrivals, parts) => {
      const ends = [];
      for (const pieces of [1, parts]) {
        const { clock, time } = gpuTime(0.2, 1);
        const [batch, foreign] = [time.batch(["gpu0"]), time.batch(["gpu0"])];
        const job = batch.join();
        let [left, end] = [pieces, 0];
        const next = (): void => {
          if (left-- > 0) return job.spend(400 / pieces, next);
          end = clock.monotonic();
          job.leave();
        };
        next();
        for (const [at, { after, work }] of arrivals.entries()) {
          clock.after(after, () => void working(at % 2 ? batch : foreign, clock, work));
        }
        await clock.advance(100_000);
        expect([batch.size, foreign.size, clock.pending]).toEqual([0, 0, 0]);
        ends.push(end);
      }
      expect(ends[1]).toBeCloseTo(ends[0] ?? 0, 3);
    }),
    { numRuns: 50 },
  );
});
