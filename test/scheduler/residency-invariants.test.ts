// G1 to G16 over random boxes: profiles that fit together or not, known to the scheduler or not, loads that fail,
// tasks that are cancelled anywhere.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BOUND_SWAPS, FORCE_EVERY_MS, STAY_SWAPS } from "../../src/scheduler/affinity.ts";
import { CREDIT_CHILDREN } from "../../src/scheduler/shares.ts";
import { Desk, sample } from "./desk.ts";
import { CHECKS, count, looksAt, type Check } from "./g-checks.ts";
import { LOAD_MS, MOST_SWAP_MS, UNLOAD_MS, Yard, type Job, type YardOptions } from "./yard.ts";

const PROFILES = ["a", "b", "c"] as const;
const CAPACITY = 100;
const MOST_TURN_MS = 6_000;
const MOST_COST_MS = 1_000;
const LIMIT_MS = 3 * 3_600_000;

const person = fc.record({ parent: fc.constant(null), class: fc.constant("interactive" as const) });
const child = fc.record({
  parent: fc.constantFrom("p", "q", "r"),
  class: fc.constantFrom("background" as const, "background" as const, "resuming" as const, "batch" as const),
});

const job: fc.Arbitrary<Job> = fc
  .tuple(
    fc.oneof({ weight: 8, arbitrary: child }, { weight: 1, arbitrary: person }),
    fc.record({
      profile: fc.constantFrom(...PROFILES),
      startsMs: fc.integer({ min: 0, max: 120_000 }),
      turns: fc.integer({ min: 1, max: 6 }),
      turnMs: fc.integer({ min: 50, max: MOST_TURN_MS }),
      toolMs: fc.integer({ min: 0, max: 12_000 }),
      cancelMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { freq: 6 }),
      parks: fc.boolean(),
    }),
  )
  .map(([who, what]) => ({ ...who, ...what }));

const box: fc.Arbitrary<YardOptions> = fc.record({
  jobs: fc.array(job, { minLength: 4, maxLength: 40, size: "max" }),
  slots: fc.integer({ min: 1, max: 4 }),
  maxChildren: fc.integer({ min: 1, max: 5 }),
  sizes: fc
    .tuple(...PROFILES.map(() => fc.integer({ min: 20, max: 90 })))
    .map((sizes) => new Map(PROFILES.map((profile, at) => [profile, sizes[at] as number]))),
  capacity: fc.constant(CAPACITY),
  isKnown: fc.boolean(),
  failing: fc.constantFrom(0, 0, 0.3),
  seed: fc.nat(),
});

/** What a profile may be waited for at most, while no load fails: the bound, for every other profile once. */
const MOST_WAIT_MS =
  PROFILES.length *
  ((BOUND_SWAPS + STAY_SWAPS) * MOST_SWAP_MS + MOST_TURN_MS + 2 * (LOAD_MS + UNLOAD_MS) + FORCE_EVERY_MS);

async function played(options: YardOptions): Promise<Yard> {
  const yard = new Yard(options);
  await yard.play(LIMIT_MS);
  return yard;
}

describe("random boxes", () => {
  it("keep what §6.6 asks for", { timeout: 120_000 }, async () => {
    const seen = { loads: 0, unloads: 0, evicted: 0, failed: 0, preempted: 0, swapsInUse: 0 };
    await fc.assert(
      fc.asyncProperty(box, async (options) => {
        const yard = await played(options);
        const { loads, unloads, evicted, failed } = yard.host;
        const preempted = yard.signals.filter(({ type }) => type === "preempt").length;
        for (const [key, value] of Object.entries({ loads, unloads, evicted, failed, preempted }))
          seen[key as keyof typeof seen] += value;
        seen.swapsInUse += yard.swapsInUse;
        if (options.failing === 0)
          count("G9", yard.longestMs <= MOST_WAIT_MS, `${yard.longestMs} ms without a turn`);
        const spanMs = yard.clock.monotonic();
        const most = spanMs / (STAY_SWAPS * LOAD_MS) + spanMs / FORCE_EVERY_MS + 2;
        count("G12", yard.swapsInUse <= most, `${yard.swapsInUse} swaps of profiles in use in ${spanMs} ms`);
        yard.scheduler.close();
      }),
      { numRuns: 150 },
    );
    // The boxes must reach what they are there to test.
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(5);
  });

  it("replay to the signal", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(box, async (options) => {
        const [first, second] = [await played(options), await played(options)];
        count("G16", first.signals.length === second.signals.length, "the signals differ in number");
        expect(second.signals).toEqual(first.signals);
      }),
      { numRuns: 15 },
    );
  });

  it("serve parents alike in GPU time while each has a child waiting", () => {
    fc.assert(
      fc.property(
        fc.record({
          parents: fc.integer({ min: 2, max: 6 }),
          places: fc.integer({ min: 1, max: 5 }),
          costs: fc.array(fc.integer({ min: 1, max: MOST_COST_MS }), { minLength: 200, maxLength: 200 }),
          picks: fc.array(fc.nat(), { minLength: 200, maxLength: 200 }),
        }),
        ({ parents, places, costs, picks }) => {
          const desk = new Desk({ maxChildren: places, maxQueued: 2_000 });
          const names = Array.from({ length: parents }, (_, index) => `p${index}`);
          const live: string[] = [];
          const had = new Map(names.map((name) => [name, 0]));
          const hear = (signals: readonly string[]): void =>
            void live.push(...signals.map((each) => each.replace("admitted ", "")));
          // Nobody's children run out: the parents differ in what theirs cost, each its own share of the most.
          for (const name of names) {
            for (let index = 0; index < 200; index++)
              hear(desk.admit(`${name} ${index}`, { parentId: name }));
          }
          for (const [at, cost] of costs.entries()) {
            const [task = ""] = live.splice((picks[at] as number) % live.length, 1);
            const [parent = ""] = task.split(" ");
            const ms = Math.ceil((cost * (1 + names.indexOf(parent))) / parents);
            desk.run({ type: "observe", sample: sample(task, parent, ms) });
            had.set(parent, (had.get(parent) ?? 0) + ms);
            hear(desk.end(task));
            const figures = [...had.values()];
            const apart = Math.max(...figures) - Math.min(...figures);
            const most = (places + CREDIT_CHILDREN + 1) * MOST_COST_MS;
            count("G10", apart <= most, `${apart} ms apart with ${places} places`);
          }
          expect(live).toHaveLength(places);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(Object.keys(CHECKS) as Check[])("%s was looked at", (check) => {
    expect(looksAt(check)).toBeGreaterThan(10);
  });
});
