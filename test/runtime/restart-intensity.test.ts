import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import {
  countFailure,
  NO_FAILURES,
  RestartIntensity,
  type AfterFailure,
} from "../../src/runtime/restart-intensity.ts";

const LIMIT = { failures: 3, periodMs: 1_000 };

/** What follows each failure at these times. */
function verdicts(times: readonly number[]): AfterFailure[] {
  let known = NO_FAILURES;
  return times.map((now) => {
    const { after, verdict } = countFailure(known, now, LIMIT);
    known = after;
    return verdict;
  });
}

const BREACH = ["run_again", "run_again", "run_again", "escalate"];

describe("RestartIntensity", () => {
  test("I1 begins runs up to the limit, and escalates once when it is passed", () => {
    expect(verdicts([0, 10, 20, 30, 40, 50])).toEqual([
      "run_again",
      "run_again",
      "run_again",
      "escalate",
      "stop",
      "stop",
    ]);
  });

  test("I1 counts within the period only: failures far apart are no breach", () => {
    expect(verdicts([0, 400, 800, 1_200, 1_600, 2_000])).toEqual(Array(6).fill("run_again"));
  });

  test("I2 stays stopped while failures come, however few, and begins anew after a quiet period", () => {
    expect(verdicts([0, 1, 2, 3, 900, 1_800, 2_700, 3_700, 3_701, 3_702, 3_703])).toEqual([
      ...BREACH,
      ...Array<string>(3).fill("stop"),
      ...BREACH,
    ]);
  });

  test("agents are counted apart, and only monotonic time counts", async () => {
    const clock = new SimulatedClock();
    const restarts = new RestartIntensity(clock, { failures: 1, periodMs: 1_000 });
    expect([restarts.failed("a"), restarts.failed("b")]).toEqual(["run_again", "run_again"]);
    expect([restarts.failed("a"), restarts.failed("a")]).toEqual(["escalate", "stop"]);
    await clock.advance(1_000);
    expect(restarts.failed("a")).toBe("run_again");
  });

  test("I1, I2 over any sequence: never more runs in a period than the limit, one escalation for each breach", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 700 }), { maxLength: 60 }), (gaps) => {
        let now = 0;
        const times = gaps.map((gap) => (now += gap));
        const said = verdicts(times);
        for (const [index, at] of times.entries()) {
          const begun = times.filter(
            (time, other) => said[other] === "run_again" && time <= at && at - time < 1_000,
          );
          expect(begun.length).toBeLessThanOrEqual(3);
          const previous = said[index - 1];
          const quietMs = index === 0 ? Infinity : at - (times[index - 1] as number);
          const follows: Readonly<Record<string, boolean>> = {
            stop: previous === "escalate" || previous === "stop",
            escalate: previous === "run_again",
            run_again: index === 0 || previous === "run_again" || quietMs >= 1_000,
          };
          expect(follows[said[index] as string]).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
