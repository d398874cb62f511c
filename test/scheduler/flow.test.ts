// Trees of tasks through the gates: they finish with one place and one slot, and work does not grow with the line.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { audit } from "./audit.ts";
import { caps, Desk, subjectOf } from "./desk.ts";
import { Forest, sizeOf, type Plan } from "./tree-actors.ts";
import { Witness } from "./witness.ts";

const leaf = fc.record({
  turnMs: fc.integer({ min: 0, max: 30 }),
  turns: fc.integer({ min: 1, max: 3 }),
  parentSlots: fc.integer({ min: 1, max: 3 }),
});

function tree(depth: number): fc.Arbitrary<Plan> {
  if (depth === 1) return leaf.map((own) => ({ ...own, children: [] }));
  const children = fc.array(tree(depth - 1), { maxLength: 3, depthIdentifier: "tree" });
  return fc.record({ own: leaf, children }).map(({ own, children: below }) => ({ ...own, children: below }));
}

/** A chain of the greatest depth, so that it is reached in every run. */
function chain(depth: number): Plan {
  const children = depth === 1 ? [] : [chain(depth - 1), { ...chain(1), turnMs: 3 }];
  return { turnMs: 5, turns: 2, parentSlots: 1, children };
}

function watched(slots: number, maxChildren: number): { witness: Witness; forest: Forest } {
  const witness = new Witness(20);
  witness.setBackend(caps({ slots, maxChildren }));
  return { witness, forest: new Forest(witness) };
}

const NOTHING = { slots: 0, places: 0, leases: 0, waiting: 0 };

describe("trees", () => {
  it("of depth 6 finish with one place and one slot", async () => {
    const { witness, forest } = watched(1, 1);
    const plan = chain(6);
    forest.plant(plan);
    await witness.clock.drain();
    witness.rethrow();
    expect(forest.finished).toBe(sizeOf(plan));
    expect(witness.scheduler.counts()).toEqual(NOTHING);
  });

  it("of any shape up to depth 6 finish, several at once, with one place and one slot, S1-S3 kept", async () => {
    let deepest = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(tree(6), { minLength: 1, maxLength: 4 }), async (plans) => {
        const { witness, forest } = watched(1, 1);
        for (const plan of plans) forest.plant(plan);
        await witness.clock.drain();
        await witness.flush();
        audit(witness, false, new Map());
        const tasks = plans.reduce((sum, plan) => sum + sizeOf(plan), 0);
        expect(forest.finished).toBe(tasks);
        expect(witness.scheduler.counts()).toEqual(NOTHING);
        deepest = Math.max(deepest, ...plans.map(depthOf));
      }),
      { numRuns: 60 },
    );
    expect(deepest).toBeGreaterThanOrEqual(3);
  });

  it("finish while people take turns and stop generations", async () => {
    const { witness, forest } = watched(1, 2);
    const plans = [chain(4), { ...chain(3), turnMs: 90 }];
    for (const plan of plans) forest.plant(plan);
    const actors = witness.onSignal;
    let answered = 0;
    witness.onSignal = (signal) => {
      const taskId = subjectOf(signal);
      if (!taskId.startsWith("chat")) return actors(signal);
      if (signal.type === "admitted") return witness.ask(taskId, "interactive");
      witness.release(taskId);
      witness.end(taskId);
      answered++;
    };
    for (let turn = 0; turn < 20; turn++) {
      witness.clock.after(turn * 35, () =>
        witness.admit({
          taskId: `chat${turn}`,
          parentId: null,
          parentSlots: 1,
          backend: "local",
          class: "interactive",
          needsPlace: false,
        }),
      );
    }
    await witness.clock.drain();
    witness.rethrow();
    const stops = witness.signals.filter(({ type }) => type === "preempt").length;
    expect([answered, forest.finished]).toEqual([20, plans.reduce((sum, plan) => sum + sizeOf(plan), 0)]);
    expect(stops).toBeGreaterThan(3);
    expect(witness.scheduler.counts()).toEqual(NOTHING);
  });
});

describe("S6 a slot never idles while a turn is ready", () => {
  it("so 60 stub tasks at one slot take exactly the sum of their times", async () => {
    const { witness, forest } = watched(1, 5);
    for (let index = 0; index < 60; index++) {
      forest.plant({ turnMs: 15, turns: 2, parentSlots: 1, children: [] });
    }
    const begun = witness.clock.monotonic();
    await witness.clock.advance(60 * 2 * 15 - 1);
    expect(forest.finished).toBe(59);
    await witness.clock.advance(1);
    witness.rethrow();
    expect([forest.finished, witness.clock.monotonic() - begun]).toEqual([60, 1800]);
  });
});

describe("10,000 waiting", () => {
  /** Steps of any iteration over a Set or Map: what a decision that walks everybody would show. */
  function countedSteps(work: () => void): number {
    let steps = 0;
    const prototypes = [new Set().values(), new Map().values()].map(
      (iterator) => Object.getPrototypeOf(iterator) as { next: () => unknown },
    );
    const originals = prototypes.map(({ next }) => next);
    for (const [index, prototype] of prototypes.entries()) {
      prototype.next = function (this: unknown) {
        steps++;
        return Reflect.apply(originals[index] as () => unknown, this, []);
      };
    }
    try {
      work();
    } finally {
      for (const [index, prototype] of prototypes.entries()) {
        prototype.next = originals[index] as () => unknown;
      }
    }
    return steps;
  }

  it("do not make a decision walk the line: admit, grant, release, park and end touch a few entries", () => {
    const desk = new Desk({ slots: 2, maxChildren: 20_000, maxQueued: 100_000 });
    const place = { parentSlots: 100_000 };
    for (let index = 0; index < 10_000; index++) {
      desk.admit(`t${index}`, { ...place, parentId: `p${index % 500}` });
      desk.ask(`t${index}`);
    }
    expect(desk.state.backends.get("local")?.lanes.get("")?.turns.size).toBe(9998);
    const steps = countedSteps(() => {
      for (let index = 0; index < 1000; index++) {
        desk.release(`t${index}`);
        desk.ask(`t${index}`);
        desk.reclass(`t${9000 - index}`, "resuming");
        desk.end(`t${9999 - index}`);
        desk.admit(`new${index}`, place);
        desk.park(`new${index}`);
      }
    });
    expect(steps).toBeGreaterThan(0);
    expect(steps / 6000).toBeLessThan(10);
  });
});

function depthOf(plan: Plan): number {
  return 1 + Math.max(0, ...plan.children.map(depthOf));
}
