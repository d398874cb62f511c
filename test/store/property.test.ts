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

const submitOp = fc.record({
  op: fc.constant("submit" as const),
  task,
  box,
  hash: fc.constantFrom("h", "h", "g"),
});
const claimOp = fc.record({ op: fc.constant("claim" as const), owner, box, max: fc.nat(3) });
const readOp = fc.record({ op: fc.constant("read" as const), task });
const readerOp = fc.record({ op: fc.constant("reader" as const), cursor: fc.constantFrom(null, 5, 99) });
const pruneOp = fc.record({
  op: fc.constant("prune" as const),
  ageMs: fc.constantFrom(-1, 0, TTL_MS),
  bySize: fc.boolean(),
});

const anyOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: submitOp },
  { weight: 3, arbitrary: claimOp },
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
  { weight: 1, arbitrary: readOp },
  { weight: 1, arbitrary: readerOp },
  { weight: 1, arbitrary: pruneOp },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("advance" as const), ms: fc.constantFrom(1, TTL_MS / 2, TTL_MS) }),
  },
  { weight: 10, arbitrary: commitOp },
);

/** Tasks that soon end, mostly with a word to their parent, and are read now and then: what pruning is about. */
const shortLife: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: submitOp },
  { weight: 4, arbitrary: claimOp },
  {
    weight: 8,
    arbitrary: commitOp.map((op) => ({ ...op, epochOff: 0, seqOff: 0, take: op.take % 2, mailTo: "t0" })),
  },
  { weight: 4, arbitrary: readOp },
  { weight: 1, arbitrary: readerOp },
  { weight: 2, arbitrary: pruneOp },
);

function world(maxEvents: number): World {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, random: seededRandom(1), maxEvents });
  return { clock, store, model: emptyModel(maxEvents) };
}

const sequences = (op: fc.Arbitrary<Op>, minLength = 1): fc.Arbitrary<Op[]> =>
  fc.array(op, { minLength, maxLength: 60, size: "max" });

describe("any sequence of operations", () => {
  it("D1-D8 gives the answers and the rows of the reference model, and a refusal changes nothing", async () => {
    expect.hasAssertions();
    const any = fc.oneof(
      { weight: 2, arbitrary: sequences(anyOp) },
      { weight: 1, arbitrary: sequences(shortLife) },
    );
    const property = fc.asyncProperty(any, fc.constantFrom(4, 1_000), async (ops, maxEvents) => {
      const { divergence } = await compare(world(maxEvents), ops);
      expect(divergence).toBeNull();
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it("reaches every refusal, so that the comparison means something", async () => {
    const reached = new Set<string | null>();
    for (const ops of fc.sample(sequences(anyOp, 60), { numRuns: 40, seed: 5 })) {
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

  it("D8 reaches what pruning can come to: trees of one and of two that go, beside some that are unread", async () => {
    const receipts = new Set<string>();
    for (const ops of fc.sample(sequences(shortLife, 60), { numRuns: 60, seed: 5 })) {
      const { answers } = await compare(world(1_000), ops);
      for (const [at, answer] of answers.entries()) {
        if (ops[at]?.op !== "prune") continue;
        const { tasks, unread } = answer as { readonly tasks: number; readonly unread: number };
        receipts.add(`${tasks} gone, ${Math.min(unread, 1)} unread`);
      }
    }
    const due = [0, 1, 2].flatMap((tasks) => [0, 1].map((unread) => `${tasks} gone, ${unread} unread`));
    expect([...receipts]).toEqual(expect.arrayContaining(due));
  });
});
