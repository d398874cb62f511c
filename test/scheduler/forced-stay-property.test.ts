// A person who asks one model without pause, and children of another that does not fit beside it: every generation of
// theirs ends after a bounded number of stops, whatever its length, and the person's wait stays bounded too (A4, P4).

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BOUND_SWAPS, FORCED_STAY_MS, FORCE_EVERY_MS, STAY_SWAPS } from "../../src/scheduler/affinity.ts";
import { LOAD_MS, MOST_SWAP_MS, UNLOAD_MS, Yard, type Job } from "./yard.ts";

const LIMIT_MS = 40 * 3_600_000;
const PERSON_TURN_MS = 2_000;

const box = fc.record({
  slots: fc.integer({ min: 1, max: 2 }),
  turnsMs: fc.array(fc.integer({ min: 1_000, max: 900_000 }), { minLength: 1, maxLength: 4 }),
  /** How long the person reads before asking again; 0 is never to pause. */
  readingMs: fc.constantFrom(0, 1_000, 20_000),
  isKnown: fc.boolean(),
});

function child(turnMs: number): Job {
  const job = { parent: "p", profile: "work", class: "background", startsMs: 0, turns: 1 } as const;
  return { ...job, turnMs, toolMs: 0, cancelMs: null, parks: false };
}

function person(turns: number, readingMs: number): Job {
  const job = { parent: null, profile: "chat", class: "interactive", startsMs: 500, turns } as const;
  return { ...job, turnMs: PERSON_TURN_MS, toolMs: readingMs, cancelMs: null, parks: false };
}

describe("a person who asks again and again", () => {
  it(
    "stops each generation of another model a bounded number of times, and waits a bounded time",
    { timeout: 120_000 },
    async () => {
      let most = 0;
      let longestWaitMs = 0;
      await fc.assert(
        fc.asyncProperty(box, async ({ slots, turnsMs, readingMs, isKnown }) => {
          const yard = new Yard({
            jobs: [...turnsMs.map(child), person(2_000, readingMs)],
            slots,
            maxChildren: 4,
            sizes: new Map([
              ["work", 60],
              ["chat", 60],
            ]),
            capacity: 100,
            isKnown,
            failing: 0,
            seed: 1,
          });
          const children = turnsMs.map((_, at) => `t${at}`);
          const areDone = (): boolean => children.every((id) => yard.actors.get(id)?.ended === true);
          const asker = `t${turnsMs.length}`;
          let waitedMs = 0;
          for (let now = 0; now < LIMIT_MS && !areDone(); now += 2_000) {
            await yard.clock.advance(2_000);
            waitedMs = Math.max(
              waitedMs,
              yard.clock.monotonic() - (yard.actors.get(asker)?.waitsSince ?? Infinity),
            );
          }
          expect(areDone()).toBe(true);
          // Those that go before it have done so before its stay is over: all of them, one after the other, at worst.
          const needed = turnsMs.reduce((sum, each) => sum + each, 0);
          const bound = Math.ceil(Math.log2(Math.max(1, needed / FORCED_STAY_MS))) + 1;
          for (const id of children) {
            const stops = yard.signals.filter((each) => each.type === "preempt" && each.taskId === id).length;
            expect(stops).toBeLessThanOrEqual(bound);
            most = Math.max(most, stops);
          }
          const stay = Math.max(FORCED_STAY_MS, 2 * needed);
          const swaps =
            (BOUND_SWAPS + STAY_SWAPS) * MOST_SWAP_MS + 2 * (LOAD_MS + UNLOAD_MS) + FORCE_EVERY_MS;
          expect(waitedMs).toBeLessThanOrEqual(stay + swaps);
          longestWaitMs = Math.max(longestWaitMs, waitedMs);
          yard.scheduler.close();
        }),
        { numRuns: 25 },
      );
      // The boxes must reach what they are there to test.
      expect(most).toBeGreaterThan(2);
      expect(longestWaitMs).toBeGreaterThan(2 * FORCED_STAY_MS);
    },
  );
});
