// The match of keys: exact runs by everybody, and an endpoint that refuses as it is told.

import { describe, expect, it } from "vitest";
import { CloudEndpoint } from "../../../bench/keys/cloud-endpoint.ts";
import { KEY_CONTENDERS, troupePool } from "../../../bench/keys/key-contenders.ts";
import { playKeys } from "../../../bench/keys/key-match.ts";
import { agentsOf, parseKeyWorkload, readKeyWorkload } from "../../../bench/keys/key-workload.ts";
import { WorldClock } from "../../sim/clock.ts";

const SMALL = parseKeyWorkload(
  JSON.stringify({
    name: "small",
    agents: 6,
    turns: { uniform: { min: 1, max: 3 } },
    serve_s: 2,
    tool_s: 1,
    keys: [
      { name: "dead", refuses: "auth" },
      { name: "broke", refuses: "money" },
      { name: "good", concurrency: 2 },
    ],
  }),
  "small.json",
);

describe.each(KEY_CONTENDERS.map((each) => [each.name, each] as const))("%s", (_, contender) => {
  it("serves every turn once and holds nothing afterwards", async () => {
    for (const seed of [1, 2]) expect((await playKeys(SMALL, contender, seed)).problems).toEqual([]);
  });
});

describe("Troupe's pool", () => {
  it("asks no key again that is known not to work, but for the one that a key may be cleared by", async () => {
    const outcome = await playKeys(SMALL, troupePool, 1);
    expect(outcome.refused_again).toBeLessThanOrEqual(1);
  });
});

describe("the endpoint", () => {
  const refusal = async (endpoint: CloudEndpoint, clock: WorldClock) => {
    const sent = endpoint.send("key", 1_000).then(
      () => null,
      (error: { code: string; retryAfterMs?: number }) => [error.code, error.retryAfterMs],
    );
    while (clock.nextDue !== null) {
      clock.fire();
      await Promise.resolve();
    }
    return sent;
  };
  const KEY = { name: "key", concurrency: 9, tells: true };

  it("refuses more than so many a minute, and tells for how long", async () => {
    const clock = new WorldClock();
    const endpoint = new CloudEndpoint([{ ...KEY, per_minute: 1 }], clock);
    expect(await refusal(endpoint, clock)).toBeNull();
    expect(await refusal(endpoint, clock)).toEqual(["rate_limited", 59_001]);
  });

  it("refuses for the time of an outage, without a word of how long", async () => {
    const clock = new WorldClock();
    const endpoint = new CloudEndpoint([{ ...KEY, outage: { from_s: 0, to_s: 1 } }], clock);
    expect(await refusal(endpoint, clock)).toEqual(["rate_limited", undefined]);
    clock.after(2_000, () => {});
    clock.fire();
    expect(await refusal(endpoint, clock)).toBeNull();
  });
});

describe("workloads of keys", () => {
  it("W9 is readable, and the same agents come from the same seed", () => {
    const file = new URL("../../../bench/workloads/keys/w9-key-outages.yaml", import.meta.url);
    const workload = readKeyWorkload(file);
    expect(workload.keys).toHaveLength(5);
    expect(agentsOf(workload, 4)).toEqual(agentsOf(workload, 4));
  });

  it.each([
    ["no key that works", { keys: [{ name: "dead", refuses: "auth" }] }],
    ["two of one name", { keys: [{ name: "a" }, { name: "a" }] }],
    ["an unknown key", { color: 1 }],
  ])("with %s is refused with its place", (_, changes) => {
    expect(() => parseKeyWorkload(JSON.stringify({ ...SMALL, ...changes }), "bad.json")).toThrow("bad.json");
  });
});
