import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { firstRecord } from "../../src/store/commit.ts";
import { MemoryClaims } from "../../src/store/memory-claims.ts";
import { MemoryTask } from "../../src/store/memory-task.ts";
import { specimen } from "./specimens.ts";

function claimsOf(count: number): MemoryClaims {
  const claims = new MemoryClaims(new SimulatedClock());
  for (let order = 1; order <= count; order += 1) {
    claims.add(new MemoryTask(firstRecord(specimen(`t${order}`)), { order, boxId: "b1" }));
  }
  return claims;
}

const request = { owner: "a", request: "r1", boxId: "b1", ttlMs: 100, max: 1 };

describe("MemoryClaims", () => {
  it("Q1 keeps the answer to a request, not to a claim that named none", () => {
    const claims = claimsOf(3);
    const first = claims.claim(request);
    expect(claims.claim(request)).toBe(first);
    const { request: _, ...unnamed } = request;
    expect(claims.claim(unnamed)).toMatchObject([{ taskId: "t2" }]);
    expect(claims.claim(unnamed)).toMatchObject([{ taskId: "t3" }]);
    expect(claims.claim(request)).toBe(first);
  });

  it("hands out claims that nobody can change", () => {
    const [claim] = claimsOf(1).claim(request);
    expect([Object.isFrozen(claim), Object.isFrozen(claim?.record)]).toEqual([true, true]);
  });

  it.each([0, -1, Number.NaN])("refuses a time to live of %s", (ttlMs) => {
    const refused = expect.objectContaining({ code: "bad_ttl_ms" }) as Error;
    expect(() => claimsOf(1).claim({ ...request, ttlMs })).toThrow(refused);
    expect(() => claimsOf(1).renew("a", ttlMs)).toThrow(refused);
  });
});
