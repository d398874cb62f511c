// The order of service: priorities, round robin, first come first served, and the bound on being passed over.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BYPASS_LIMIT, WaitQueue, type QueueEntry } from "../../src/scheduler/queue.ts";

interface Waiter extends QueueEntry {
  readonly name: string;
}

let serial = 0;
const waiter = (name: string, level = 0, group = ""): Waiter => ({
  name,
  level,
  group,
  rank: serial++,
  tie: 0,
  heapIndex: -1,
  orderIndex: 0,
  orderEpoch: -1,
});

function filled(options: { levels: number; strict: number }, waiters: readonly Waiter[]): WaitQueue<Waiter> {
  const queue = new WaitQueue<Waiter>(options);
  for (const each of waiters) queue.push(each);
  return queue;
}

function takeAll(queue: WaitQueue<Waiter>): string[] {
  const names: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) names.push(next.name);
  return names;
}

describe("WaitQueue", () => {
  it("serves higher levels first and each level in order of arrival", () => {
    const queue = filled({ levels: 3, strict: 0 }, [
      waiter("c1", 2),
      waiter("b1", 1),
      waiter("a1", 0),
      waiter("b2", 1),
      waiter("a2", 0),
    ]);
    expect(takeAll(queue)).toEqual(["a1", "a2", "b1", "b2", "c1"]);
    expect(queue.take()).toBeUndefined();
  });

  it("lets the groups of a level take turns", () => {
    const queue = filled({ levels: 1, strict: 0 }, [
      ...["x1", "x2", "x3"].map((name) => waiter(name, 0, "x")),
      waiter("y1", 0, "y"),
      waiter("z1", 0, "z"),
      waiter("z2", 0, "z"),
    ]);
    expect(takeAll(queue)).toEqual(["x1", "y1", "z1", "x2", "z2", "x3"]);
  });

  it("gives a group that comes back the last turn, so that coming and going wins nothing", () => {
    const queue = filled({ levels: 1, strict: 0 }, [waiter("x1", 0, "x"), waiter("y1", 0, "y")]);
    expect(queue.take()?.name).toBe("x1");
    queue.push(waiter("x2", 0, "x"));
    expect(takeAll(queue)).toEqual(["y1", "x2"]);
  });

  it("keeps the turn of a group when an entry that was not served leaves", () => {
    const gone = waiter("x1", 0, "x");
    const queue = filled({ levels: 1, strict: 0 }, [
      gone,
      waiter("x2", 0, "x"),
      waiter("y1", 0, "y"),
      waiter("y2", 0, "y"),
    ]);
    queue.remove(gone);
    expect(takeAll(queue)).toEqual(["x2", "y1", "y2"]);
  });

  it("Q1 serves a level that was passed over BYPASS_LIMIT times, then starts counting again", () => {
    const queue = filled({ levels: 2, strict: 0 }, [waiter("low1", 1), waiter("low2", 1)]);
    for (let index = 0; index < 3 * BYPASS_LIMIT; index++) queue.push(waiter("high", 0));
    const names = takeAll(queue);
    expect(names.indexOf("low1")).toBe(BYPASS_LIMIT);
    expect(names.indexOf("low2")).toBe(2 * BYPASS_LIMIT + 1);
  });

  it("Q2 never serves anybody before a strict level, and counts nothing while it does", () => {
    const queue = filled({ levels: 3, strict: 1 }, [waiter("low", 2)]);
    for (let index = 0; index < 5 * BYPASS_LIMIT; index++) queue.push(waiter("strict", 0));
    for (let index = 0; index < BYPASS_LIMIT + 1; index++) queue.push(waiter("middle", 1));
    const names = takeAll(queue);
    expect(names.lastIndexOf("strict")).toBe(5 * BYPASS_LIMIT - 1);
    expect(names.indexOf("low")).toBe(6 * BYPASS_LIMIT);
  });

  it("Q2 serves a strict level even when another is overdue at that moment", () => {
    const queue = filled({ levels: 3, strict: 1 }, [waiter("low", 2)]);
    for (let index = 0; index < BYPASS_LIMIT; index++) queue.push(waiter("middle", 1));
    for (let index = 0; index < BYPASS_LIMIT; index++) expect(queue.take()?.name).toBe("middle");
    queue.push(waiter("middle", 1));
    queue.push(waiter("strict", 0));
    expect(takeAll(queue)).toEqual(["strict", "low", "middle"]);
  });

  it("serves only open levels, and shows the closed ones behind them", () => {
    const queue = filled({ levels: 2, strict: 0 }, [waiter("new", 1), waiter("back", 0)]);
    queue.open(1);
    expect(queue.order().map(({ name }) => name)).toEqual(["back", "new"]);
    expect(takeAll(queue)).toEqual(["back"]);
    expect(queue.size).toBe(1);
    queue.open(2);
    expect(takeAll(queue)).toEqual(["new"]);
  });
});

type Operation =
  | { readonly type: "push"; readonly level: number; readonly group: string; readonly late: boolean }
  | { readonly type: "take" }
  | { readonly type: "remove"; readonly at: number }
  | { readonly type: "open"; readonly levels: number }
  | { readonly type: "move"; readonly at: number; readonly level: number }
  | { readonly type: "look" };

const LEVELS = 4;
const STRICT = 1;

const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant("push" as const),
        level: fc.constantFrom(0, 1, 2, 2, 3, 3),
        group: fc.constantFrom("", "", "p", "q"),
        late: fc.constantFrom(false, false, false, true),
      }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("take" as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("remove" as const), at: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("open" as const),
        levels: fc.constantFrom(2, LEVELS, LEVELS),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("move" as const),
        at: fc.nat(),
        level: fc.integer({ min: 0, max: LEVELS - 1 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("look" as const) }) },
  ),
  { maxLength: 150, size: "max" },
);

describe("WaitQueue under random operations", () => {
  it("Q3 positions are the order in which the entries are then taken", () => {
    fc.assert(
      fc.property(operations, (sequence) => {
        const queue = new WaitQueue<Waiter>({ levels: LEVELS, strict: STRICT });
        const waiting: Waiter[] = [];
        let open = LEVELS;
        let wrong = false;
        for (const operation of sequence) {
          if (operation.type === "push") {
            const pushed = waiter("w", operation.level, operation.group);
            // Who comes late asked before others who wait here already, and goes before them.
            if (operation.late) pushed.rank -= 3.5;
            waiting.push(pushed);
            queue.push(pushed);
          } else if (operation.type === "take") {
            const expected = queue.order().find(({ level }) => level < open);
            const taken = queue.take();
            wrong ||= taken !== expected;
            if (taken !== undefined) waiting.splice(waiting.indexOf(taken), 1);
          } else if (operation.type === "open") {
            open = operation.levels;
            queue.open(open);
          } else if (operation.type === "look") {
            for (const [index, entry] of queue.order().entries())
              wrong ||= queue.position(entry) !== index + 1;
          } else if (waiting.length > 0) {
            const found = waiting[operation.at % waiting.length] as Waiter;
            queue.remove(found);
            if (operation.type === "remove") waiting.splice(waiting.indexOf(found), 1);
            else queue.push(Object.assign(found, { level: operation.level }));
          }
          expect([queue.size, wrong]).toEqual([waiting.length, false]);
        }
        queue.open(LEVELS);
        const promised = queue.order();
        const positions = promised.map((entry) => queue.position(entry));
        expect(positions).toEqual(promised.map((_, index) => index + 1));
        for (const entry of promised) expect(queue.take()).toBe(entry);
        expect(queue.take()).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it("Q1 S4 no first of a level is passed over more often than the bound says", () => {
    const bound = BYPASS_LIMIT + LEVELS - STRICT - 1;
    const arrivals = fc.array(fc.array(fc.integer({ min: 0, max: LEVELS - 1 }), { maxLength: 3 }), {
      minLength: 60,
      maxLength: 200,
    });
    let longest = 0;
    fc.assert(
      fc.property(arrivals, (rounds) => {
        const queue = new WaitQueue<Waiter>({ levels: LEVELS, strict: STRICT });
        const waiting: Waiter[][] = Array.from({ length: LEVELS }, () => []);
        const passed = Array.from({ length: LEVELS }, () => 0);
        for (const levels of rounds) {
          for (const level of levels) {
            const pushed = waiter("w", level);
            queue.push(pushed);
            waiting[level]?.push(pushed);
          }
          const taken = queue.take();
          if (taken === undefined) continue;
          expect(taken).toBe(waiting[taken.level]?.shift());
          for (let level = STRICT; level < LEVELS && taken.level >= STRICT; level++) {
            const others = level !== taken.level && (waiting[level] as Waiter[]).length > 0;
            passed[level] = others ? (passed[level] as number) + 1 : 0;
            longest = Math.max(longest, passed[level] as number);
          }
          expect(longest).toBeLessThanOrEqual(bound);
        }
      }),
      { numRuns: 200 },
    );
    expect(longest).toBeGreaterThanOrEqual(BYPASS_LIMIT);
  });

  it("Q3 knows a newcomer's position at the end of a long line without looking at the line", () => {
    const queue = new WaitQueue<Waiter>({ levels: LEVELS, strict: STRICT });
    let reads = 0;
    const counted = (): Waiter => {
      const rank = serial++;
      return Object.defineProperty(waiter("w", 2), "rank", {
        get: () => {
          reads++;
          return rank;
        },
      });
    };
    let most = 0;
    for (let index = 1; index <= 10_000; index++) {
      reads = 0;
      const pushed = counted();
      queue.push(pushed);
      expect(queue.position(pushed)).toBe(index);
      most = Math.max(most, reads);
    }
    for (let index = 0; index < 5000; index++) {
      reads = 0;
      queue.take();
      most = Math.max(most, reads);
    }
    expect(most).toBeLessThanOrEqual(60);
  });
});
