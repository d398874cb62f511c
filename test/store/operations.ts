// Operations on a store as fast-check makes them: mostly right, now and then wrong, so that refusals come up as well.

import fc from "fast-check";
import { TTL_MS } from "./model.ts";
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

/** Everything that may be asked of four tasks on two boxes. */
export const anyOp: fc.Arbitrary<Op> = fc.oneof(
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
export const shortLife: fc.Arbitrary<Op> = fc.oneof(
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

export const sequences = (op: fc.Arbitrary<Op>, minLength = 1): fc.Arbitrary<Op[]> =>
  fc.array(op, { minLength, maxLength: 60, size: "max" });
