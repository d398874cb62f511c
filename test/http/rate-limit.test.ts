import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { SimulatedClock } from "../../src/base/clock.ts";
import { LimitError } from "../../src/base/errors.ts";
import { RateLimit } from "../../src/http/rate-limit.ts";
import { callerWith } from "./rig.ts";

const refusal = (work: () => void): unknown => {
  try {
    work();
    return null;
  } catch (thrown) {
    return thrown;
  }
};

describe("RateLimit", () => {
  it("R2 lets a burst in, then says when there is room, and there is", async () => {
    const clock = new SimulatedClock();
    const limit = new RateLimit({ perS: 10, burst: 3 }, clock);
    const caller = callerWith("read");
    for (let at = 0; at < 3; at += 1) limit.take(caller);
    const refused = refusal(() => limit.take(caller));
    expect(refused).toBeInstanceOf(LimitError);
    expect(refused).toMatchObject({
      code: "rate_limited",
      details: { retry_after_ms: 100, config_key: "server.rate_limit.requests_per_s" },
    });
    await clock.advance(99);
    expect(refusal(() => limit.take(caller))).not.toBeNull();
    await clock.advance(1);
    expect(refusal(() => limit.take(caller))).toBeNull();
  });

  it("counts each caller by itself", () => {
    const limit = new RateLimit({ perS: 1, burst: 1 }, new SimulatedClock());
    const [one, other] = [callerWith("read"), callerWith("read")];
    limit.take(one);
    expect(refusal(() => limit.take(one))).not.toBeNull();
    expect(refusal(() => limit.take(other))).toBeNull();
  });

  it("R1 lets no more in than the burst and what has flowed in since, however requests are spread", async () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 });
    const shape = fc.record({ perS: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 9 }) });
    await fc.assert(
      fc.asyncProperty(gaps, shape, async (waits, options) => {
        const clock = new SimulatedClock();
        const limit = new RateLimit(options, clock);
        const caller = callerWith("read");
        let letIn = 0;
        let elapsed = 0;
        for (const wait of waits) {
          await clock.advance(wait);
          elapsed += wait;
          if (refusal(() => limit.take(caller)) === null) letIn += 1;
          expect(letIn).toBeLessThanOrEqual(options.burst + (options.perS * elapsed) / 1000 + 1e-6);
        }
      }),
      { numRuns: 60 },
    );
  });
});
