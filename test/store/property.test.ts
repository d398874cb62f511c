import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { compare, refusalOf } from "./comparison.ts";
import type { World } from "./comparison.ts";
import { emptyModel, TTL_MS } from "./model.ts";
import type { CommitOp, Op } from "./model.ts";

const TASKS = ["t0", "t1", "t2", "t3"] as const;
const task = fc.constantFrom(...TASKS);
const box = fc.constantFrom("b0", "b1");
const owner = fc.constantFrom("owner-a", "owner-b");
/** Mostly right, now and then wrong by one. */
const off = fc.oneof(
  { weight: 9, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1) },
);

const commitOp: fc.Arbitrary<CommitOp> = fc.record({
  op: fc.constant("commit" as const),
  task,
  epochOff: off,
  seqOff: off,
  events: fc.nat(2),
  rows: fc.nat(2),
  compact: fc.boolean(),
  take: fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(4) }),
  turn: fc.nat(9),
  mailTo: fc.option(task, { freq: 2 }),
  end: fc.option(fc.constantFrom("done" as const, "failed" as const), { freq: 5 }),
});

const anyOp: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("submit" as const),
      task,
      box,
      hash: fc.constantFrom("h", "h", "g"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("claim" as const), owner, box, max: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("heartbeat" as const), owner }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("release" as const), owner }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("send" as const),
      task,
      id: fc.constantFrom("m0", "m1", "m2", "t0"),
      text: fc.constantFrom("x", "x", "y"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("released" as const), task }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("advance" as const), ms: fc.constantFrom(1, TTL_MS / 2, TTL_MS) }),
  },
  { weight: 10, arbitrary: commitOp },
);

function world(maxEvents: number): World {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, random: seededRandom(1), maxEvents });
  return { clock, store, model: emptyModel(maxEvents) };
}

const sequences = (minLength: number): fc.Arbitrary<Op[]> =>
  fc.array(anyOp, { minLength, maxLength: 60, size: "max" });

describe("any sequence of operations", () => {
  it("D1-D7 gives the answers and the rows of the reference model, and a refusal changes nothing", async () => {
    expect.hasAssertions();
    const property = fc.asyncProperty(sequences(1), fc.constantFrom(4, 1_000), async (ops, maxEvents) => {
      const { divergence } = await compare(world(maxEvents), ops);
      expect(divergence).toBeNull();
    });
    await fc.assert(property, { numRuns: 150 });
  });

  it("reaches every refusal, so that the comparison means something", async () => {
    const reached = new Set<string | null>();
    for (const ops of fc.sample(sequences(60), { numRuns: 40, seed: 5 })) {
      const { answers } = await compare(world(1_000), ops);
      for (const answer of answers) reached.add(refusalOf(answer));
    }
    reached.delete(null);
    const codes = [
      "ended",
      "fenced",
      "idempotency_key_reused",
      "invalid_write",
      "message_reused",
      "not_ended",
      "sequence",
      "task_not_found",
    ];
    expect(reached).toEqual(new Set(codes));
  });
});
