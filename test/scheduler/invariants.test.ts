// S1-S6 over random sequences of everything that a runtime may do, checked after each step by books of the test's own.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LimitError } from "../../src/base/errors.ts";
import { SCHEDULING_CLASSES, type SchedulingClass } from "../../src/core/lifecycle.ts";
import type { SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { audit, type Held } from "./audit.ts";
import { caps } from "./desk.ts";
import { must, Witness } from "./witness.ts";

const MAX_QUEUED = 6;
const BACKENDS = ["local", "cloud"] as const;

const schedulingClass = fc.constantFrom(...SCHEDULING_CLASSES);
const backend = fc.constantFrom(...BACKENDS);
const at = fc.nat();
const kind = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: kind("admit"),
      parent: fc.constantFrom("p", "q", null),
      parentSlots: fc.integer({ min: 1, max: 4 }),
      agent: fc.option(fc.record({ key: fc.constantFrom("coder", "writer"), limit: fc.constantFrom(1, 2) })),
      backend,
      class: schedulingClass,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ type: kind("ask"), at, class: schedulingClass, front: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ type: kind("release"), at }) },
  { weight: 2, arbitrary: fc.record({ type: kind("answer"), at }) },
  { weight: 1, arbitrary: fc.record({ type: kind("withdraw"), at }) },
  { weight: 4, arbitrary: fc.record({ type: kind("park"), at }) },
  { weight: 3, arbitrary: fc.record({ type: kind("move"), at, backend }) },
  { weight: 2, arbitrary: fc.record({ type: kind("reclass"), at, class: schedulingClass }) },
  { weight: 2, arbitrary: fc.record({ type: kind("end"), at }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: kind("caps"),
      backend,
      slots: fc.constantFrom(0, 1, 1, 2, 3),
      maxChildren: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: kind("pause"), paused: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ type: kind("advance"), ms: fc.constantFrom(1, 60, 100, 250) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly witness = new Witness();
  paused = false;
  refused = 0;
  #held: Held = new Map();
  #serial = 0;

  constructor() {
    for (const name of BACKENDS) this.#caps(name, 1, 2);
  }

  async step(next: Operation): Promise<void> {
    try {
      this.#apply(next);
    } catch (error) {
      must(
        error instanceof LimitError && error.code === "queue_full",
        `throws only queue_full, got ${String(error)}`,
      );
      this.refused++;
    }
    if (next.type === "advance") await this.witness.clock.advance(next.ms);
    await this.witness.flush();
    this.#held = audit(this.witness, this.paused, this.#held);
  }

  /** Raises caps and ends whoever is live, until nobody is left: everybody who waits gets a turn (S4). */
  async finish(): Promise<void> {
    await this.step({ type: "pause", paused: false });
    for (const name of BACKENDS) this.#caps(name, 1, 1);
    for (let round = 0; this.witness.tasks.size > 0; round++) {
      must(round < 1000, "S4: somebody waits for ever");
      await this.witness.flush();
      const done = this.witness.of().filter(({ admitted, turn }) => admitted && turn === null);
      must(done.length > 0, "S4: everybody waits");
      for (const { request } of done) this.witness.end(request.taskId);
    }
    await this.witness.flush();
  }

  #apply(next: Operation): void {
    const { witness } = this;
    if (next.type === "admit") return this.#admit(next);
    if (next.type === "caps") return this.#caps(next.backend, next.slots, next.maxChildren);
    if (next.type === "pause") {
      this.paused = next.paused;
      return witness.scheduler.pause(next.paused);
    }
    if (next.type === "advance") return;
    const candidates = witness.of().filter((task) => {
      if (next.type === "ask") return task.admitted && task.lease === null;
      if (next.type === "park") return task.admitted;
      if (next.type === "release") return task.lease !== null;
      return next.type === "answer" ? task.stopping : true;
    });
    const task = candidates[next.at % candidates.length];
    if (task === undefined) return;
    const { taskId } = task.request;
    if (next.type === "ask") witness.ask(taskId, highest(next.class, task.floor), next.front);
    else if (next.type === "withdraw") witness.withdraw(taskId);
    else if (next.type === "reclass") witness.setClass(taskId, next.class);
    else if (next.type === "end") witness.end(taskId);
    else {
      if (task.lease !== null) witness.release(taskId);
      if (next.type === "park") witness.park(taskId);
      if (next.type === "move") witness.move(taskId, next.backend);
      if (next.type === "answer") witness.ask(taskId, highest("background", task.floor), true);
    }
  }

  #admit(next: Operation & { readonly type: "admit" }): void {
    this.witness.admit({
      taskId: `t${this.#serial++}`,
      parentId: next.parent,
      parentSlots: next.parentSlots,
      ...(next.agent === null ? {} : { agentLimit: next.agent }),
      backend: next.backend,
      class: next.class,
      needsPlace: next.parent !== null,
    });
  }

  #caps(name: string, slots: number, maxChildren: number): void {
    this.witness.setBackend(caps({ backend: name, slots, maxChildren, maxQueued: MAX_QUEUED }));
  }
}

function highest(asked: SchedulingClass, floor: SchedulingClass | null): SchedulingClass {
  const ranks = [asked, floor ?? asked].map((each) => SCHEDULING_CLASSES.indexOf(each));
  return SCHEDULING_CLASSES[Math.min(...ranks)] as SchedulingClass;
}

async function perform(operations: readonly Operation[]): Promise<Run> {
  const run = new Run();
  for (const next of operations) await run.step(next);
  return run;
}

describe("random operations", () => {
  it(
    "keep S1, S2, S3, S6 and P1, P2 after every step, and leave nothing behind (S4)",
    { timeout: 60_000 },
    async () => {
      const seen = { admitted: 0, granted: 0, preempt: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.array(operation, { minLength: 20, maxLength: 160, size: "max" }),
          async (operations) => {
            const run = await perform(operations);
            await run.finish();
            const { scheduler, clock, signals } = run.witness;
            expect(scheduler.counts()).toEqual({ slots: 0, places: 0, leases: 0, waiting: 0 });
            expect(clock.pending).toBe(0);
            for (const { type } of signals) if (type in seen) seen[type as keyof typeof seen]++;
            seen.refused += run.refused;
          },
        ),
        { numRuns: 250 },
      );
      // The sequences must reach what they are there to test.

      for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5);
    },
  );

  it("S5 repeated give the same signals at the same times", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80, size: "max" }), async (operations) => {
        const [first, second] = [await perform(operations), await perform(operations)];
        const facts = ({ witness }: Run): readonly SchedulerSignal[] => witness.signals;
        expect(facts(second)).toEqual(facts(first));
        expect(second.witness.scheduler.lanes()).toEqual(first.witness.scheduler.lanes());
      }),
      { numRuns: 40 },
    );
  });
});
