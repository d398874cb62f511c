import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { Claims } from "../../src/store/claims.ts";
import type { Holding } from "../../src/store/claims.ts";
import { firstRecord } from "../../src/store/commit.ts";
import { MemoryTask } from "../../src/store/memory-task.ts";
import { specimen } from "./specimens.ts";

const taskOf = (order: number): MemoryTask =>
  new MemoryTask(firstRecord(specimen(`t${order}`)), { order, boxId: "b1" });

function claimsOf(tasks: readonly MemoryTask[]): { claims: Claims<MemoryTask>; clock: SimulatedClock } {
  const clock = new SimulatedClock();
  const claims = new Claims<MemoryTask>(clock);
  for (const task of tasks) claims.add(task);
  return { claims, clock };
}

/** The task, counting how often somebody looks who holds it. */
function watched(task: MemoryTask, looks: { count: number }): MemoryTask {
  let holding: Holding | null = null;
  return Object.defineProperty(task, "holding", {
    get: () => {
      looks.count += 1;
      return holding;
    },
    set: (next: Holding | null) => {
      holding = next;
    },
  });
}

const as = (owner: string, ttlMs = 100, max = 99) => ({ owner, boxId: "b1", ttlMs, max });
const idsOf = (tasks: readonly MemoryTask[]): readonly string[] => tasks.map((task) => task.id);

describe("Claims", () => {
  it("C1 queues a task once, however often it expires, is renewed and is given back", async () => {
    const looks = { count: 0 };
    const { claims, clock } = claimsOf([watched(taskOf(1), looks)]);
    claims.take(as("a"));
    for (let round = 0; round < 40; round += 1) {
      await clock.advance(100);
      expect(claims.take(as("b", 100, 0))).toEqual([]);
      expect(claims.renew("a", 100)).toEqual([]);
    }
    expect(claims.release("a")).toEqual(["t1"]);
    looks.count = 0;
    expect(idsOf(claims.take(as("b")))).toEqual(["t1"]);
    expect(looks.count).toBeLessThan(10);
    expect(claims.take(as("c"))).toEqual([]);
  });

  it("C2 leaves an expired claim with its owner until somebody takes it", async () => {
    const task = taskOf(1);
    const { claims, clock } = claimsOf([task]);
    claims.take(as("a"));
    await clock.advance(500);
    expect(task.holding?.owner).toBe("a");
    expect(idsOf(claims.take(as("b")))).toEqual(["t1"]);
    expect(task.holding?.owner).toBe("b");
    expect(claims.renew("a", 100)).toEqual(["t1"]);
    expect(claims.renew("a", 100)).toEqual([]);
    expect(claims.release("a")).toEqual([]);
  });

  it("C2 does not call a claim lost that its own owner took again", async () => {
    const { claims, clock } = claimsOf([taskOf(1)]);
    claims.take(as("a"));
    await clock.advance(100);
    expect(idsOf(claims.take(as("a")))).toEqual(["t1"]);
    expect(claims.renew("a", 100)).toEqual([]);
  });

  it("C3 never shortens a claim", async () => {
    const task = taskOf(1);
    const { claims, clock } = claimsOf([task]);
    claims.take(as("a", 1_000));
    claims.renew("a", 10);
    expect(task.holding?.expiresAt).toBe(clock.monotonic() + 1_000);
    await clock.advance(999);
    expect(claims.take(as("b"))).toEqual([]);
    await clock.advance(1);
    expect(idsOf(claims.take(as("b")))).toEqual(["t1"]);
  });

  it("lets older tasks that were given back go before newer ones that never were claimed", () => {
    const { claims } = claimsOf([1, 2, 3, 4].map(taskOf));
    claims.take(as("a", 100, 1));
    claims.take(as("b", 100, 1));
    claims.release("b");
    claims.release("a");
    expect(idsOf(claims.take(as("c", 100, 3)))).toEqual(["t1", "t2", "t3"]);
  });

  it("keeps each claim's own time to live", async () => {
    const { claims, clock } = claimsOf([taskOf(1), taskOf(2)]);
    claims.take(as("a", 100, 1));
    claims.take(as("a", 300, 1));
    await clock.advance(100);
    expect(idsOf(claims.take(as("b")))).toEqual(["t1"]);
    expect(claims.take(as("c"))).toEqual([]);
  });

  it("forgets a task that has ended", async () => {
    const task = taskOf(1);
    const { claims, clock } = claimsOf([task]);
    claims.take(as("a"));
    task.record = { ...task.record, end: { state: "done", result: null, truncated: false, failure: null } };
    claims.end(task);
    await clock.advance(500);
    expect(claims.take(as("b"))).toEqual([]);
    expect(claims.renew("a", 100)).toEqual([]);
    expect(claims.release("a")).toEqual([]);
  });

  it("looks at the task it takes and not at the thousands that others hold", () => {
    const looks = { count: 0 };
    const tasks = Array.from({ length: 5_001 }, (_, at) => watched(taskOf(at + 1), looks));
    const { claims } = claimsOf(tasks);
    claims.take(as("a", 60_000, 5_000));
    looks.count = 0;
    expect(idsOf(claims.take(as("b", 60_000, 1)))).toEqual(["t5001"]);
    expect(claims.take(as("b", 60_000, 1))).toEqual([]);
    expect(looks.count).toBeLessThan(10);
  });

  it("puts back a take that could not be written, also one from an owner whose time was over", async () => {
    const { claims, clock } = claimsOf([1, 2, 3].map(taskOf));
    claims.take(as("a", 100, 1));
    await clock.advance(100);
    const first = claims.tryTake(as("b", 100, 2));
    const second = claims.tryTake(as("a", 100, 2));
    expect([idsOf(first.taken), idsOf(second.taken)]).toEqual([["t1", "t2"], ["t3"]]);
    second.undo();
    first.undo();
    expect(claims.renew("a", 50)).toEqual([]);
    expect(claims.release("b")).toEqual([]);
    expect(idsOf(claims.take(as("c")))).toEqual(["t2", "t3"]);
    expect(claims.release("a")).toEqual(["t1"]);
  });
});
