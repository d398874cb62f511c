// Random boxes of equal servers: nobody waits beside one with room, nobody goes to and fro, everybody ends, and it is
// never later for all of them than when each stays where it was put.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PoolYard, type PoolJob, type PoolOptions } from "./pool-yard.ts";

const LIMIT_MS = 3 * 3_600_000;

// All prompts cost alike, so that what one turn teaches of reading holds for every other.
const job = (readMs: number): fc.Arbitrary<PoolJob> =>
  fc.record({
    parent: fc.constantFrom("p", "q", "r"),
    home: fc.nat({ max: 2 }),
    startsMs: fc.integer({ min: 0, max: 60_000 }),
    turns: fc.integer({ min: 1, max: 6 }),
    turnMs: fc.integer({ min: 50, max: 6_000 }),
    readMs: fc.constant(readMs),
    toolMs: fc.integer({ min: 0, max: 12_000 }),
    cancelMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { freq: 6 }),
    parks: fc.boolean(),
    bound: fc.constantFrom(false, false, false, true),
  });

const pool: fc.Arbitrary<PoolOptions> = fc.integer({ min: 1, max: 3_000 }).chain((readMs) =>
  fc.record({
    jobs: fc.array(job(readMs), { minLength: 4, maxLength: 40, size: "max" }),
    backends: fc.integer({ min: 2, max: 3 }),
    slots: fc.integer({ min: 1, max: 3 }),
    maxChildren: fc.integer({ min: 1, max: 5 }),
    loaded: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  }),
);

async function played(options: PoolOptions): Promise<PoolYard> {
  const yard = new PoolYard(options);
  await yard.play(LIMIT_MS);
  yard.scheduler.close();
  return yard;
}

describe("random boxes of equal servers", () => {
  it("keep E1 and E2, G1, G5, G7, G8, G11 and G13", { timeout: 120_000 }, async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(pool, async (options) => {
        moved += (await played(options)).moved;
      }),
      { numRuns: 150 },
    );
    expect(moved).toBeGreaterThan(100);
  });

  it("S5 repeated give the same signals", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(pool, async (options) => {
        expect((await played(options)).signals).toEqual((await played(options)).signals);
      }),
      { numRuns: 20 },
    );
  });

  it("end far sooner than with everybody where they were put, when all were put on one", async () => {
    const jobs = Array.from({ length: 24 }, (_, at) => ({
      parent: "pq"[at % 2] as string,
      home: 0,
      startsMs: 0,
      turns: 4,
      turnMs: 2_000,
      readMs: 500,
      toolMs: 100,
      cancelMs: null,
      parks: false,
      bound: false,
    }));
    const options = { jobs, backends: 2, slots: 1, maxChildren: 2, loaded: [true, true] };
    const roaming = await played(options);
    const stuck = await played({ ...options, jobs: jobs.map((each) => ({ ...each, bound: true })) });
    expect(stuck.clock.monotonic() / roaming.clock.monotonic()).toBeGreaterThan(1.9);
  });
});
