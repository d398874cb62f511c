import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { compare, refusalOf } from "./comparison.ts";
import type { World } from "./comparison.ts";
import { emptyModel } from "./model.ts";
import { anyOp, sequences, shortLife } from "./operations.ts";

function world(maxEvents: number): World {
  const clock = new SimulatedClock();
  const store = new MemoryStore({ clock, random: seededRandom(1), maxEvents });
  return { clock, store, model: emptyModel(maxEvents) };
}

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
