import { describe, expect, it } from "vitest";
import type { KeyStrategy } from "../../src/core/key-state.ts";
import { chosen, creditsAfter, type Candidate } from "../../src/credentials/pool-choice.ts";

const candidate = (fingerprint: string, more: Partial<Candidate> = {}): Candidate => {
  const plain = { weight: 1, inFlight: 0, headroom: 1, usedAt: 0, credit: 0, avoided: false, isOwn: false };
  return { fingerprint, ...plain, ...more };
};
const pick = (strategy: KeyStrategy, ...candidates: readonly Candidate[]): string | undefined =>
  chosen(strategy, candidates)?.fingerprint;

describe("the strategies", () => {
  it("least_in_flight takes the idlest, then the one that rested longest", () => {
    expect(pick("least_in_flight", candidate("a", { inFlight: 2 }), candidate("b", { inFlight: 1 }))).toBe(
      "b",
    );
    expect(pick("least_in_flight", candidate("a", { usedAt: 5 }), candidate("b", { usedAt: 4 }))).toBe("b");
  });

  it("fill_first takes the first of the config, however busy", () => {
    expect(pick("fill_first", candidate("a", { inFlight: 9, usedAt: 9 }), candidate("b"))).toBe("a");
  });

  it("round_robin takes turns", () => {
    expect(
      pick(
        "round_robin",
        candidate("a", { usedAt: 3 }),
        candidate("b", { usedAt: 1 }),
        candidate("c", { usedAt: 2 }),
      ),
    ).toBe("b");
  });

  it("headroom takes the one with the largest share left", () => {
    expect(pick("headroom", candidate("a", { headroom: 0.2 }), candidate("b", { headroom: 0.9 }))).toBe("b");
  });

  it("weighted gives each its share, evenly spread", () => {
    let keys = [candidate("a", { weight: 3 }), candidate("b", { weight: 1 })];
    const order: string[] = [];
    for (let nth = 1; nth <= 8; nth++) {
      const taken = chosen("weighted", keys) as Candidate;
      order.push(taken.fingerprint);
      const credits = creditsAfter(taken, keys);
      keys = keys.map((each) => ({ ...each, credit: credits.get(each.fingerprint) as number }));
    }
    expect(order.filter((each) => each === "a")).toHaveLength(6);
    expect(order.join("")).not.toContain("bb");
    expect(order.join("")).not.toContain("aaaa");
  });
});

it("a conversation keeps its key, unless the key was refused its model", () => {
  const own = candidate("b", { isOwn: true, inFlight: 7 });
  expect(pick("least_in_flight", candidate("a"), own)).toBe("b");
  expect(pick("least_in_flight", candidate("a"), { ...own, avoided: true })).toBe("a");
  expect(pick("fill_first", { ...own, avoided: true })).toBe("b");
});

it("chooses nothing from nothing", () => {
  expect(chosen("weighted", [])).toBeNull();
});
