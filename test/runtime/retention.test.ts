import { expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { StoreError } from "../../src/base/errors.ts";
import { lineLogger } from "../../src/base/log.ts";
import { Retention } from "../../src/runtime/retention.ts";
import type { PruneQuery, PruneReceipt } from "../../src/store/store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1_048_576;
const NOTHING: PruneReceipt = { tasks: 0, unread: 0, bytes: 0 };

function rig(prune: (query: PruneQuery) => PruneReceipt | Promise<PruneReceipt>) {
  const clock = new SimulatedClock();
  const log: string[] = [];
  const asked: PruneQuery[] = [];
  const retention = new Retention({
    store: {
      prune: async (query) => {
        asked.push(query);
        return prune(query);
      },
    },
    clock,
    logger: lineLogger((line) => log.push(line)),
    keepMs: 30 * DAY_MS,
    maxBytes: 10 * MIB,
  });
  return { clock, log, asked, retention };
}

test("removes by age and size at once and every hour, and says how much", async () => {
  const { clock, log, asked, retention } = rig(() => ({ tasks: 3, unread: 0, bytes: MIB }));
  const start = clock.now();
  retention.start();
  await clock.advance(2 * HOUR_MS);
  expect(asked).toEqual(
    [0, 1, 2].map((hours) => ({ endedBefore: start + hours * HOUR_MS - 30 * DAY_MS, maxBytes: 10 * MIB })),
  );
  expect(log).toEqual(Array(3).fill("info: removed what had ended and was read tasks=3 storeMib=1"));
  await retention.close();
});

test("is silent when there was nothing to do", async () => {
  const { clock, log, retention } = rig(() => NOTHING);
  retention.start();
  await clock.advance(DAY_MS);
  expect(log).toEqual([]);
  await retention.close();
});

test("warns once a day of what is too much and may not go", async () => {
  const { clock, log, retention } = rig(() => ({ tasks: 0, unread: 7, bytes: 12 * MIB }));
  retention.start();
  await clock.advance(DAY_MS - 1);
  expect(log).toHaveLength(1);
  expect(log[0]).toMatch(
    /nobody has read.*collect them, or raise store\.max_mb.*storeMib=12 maxMib=10 unreadTrees=7/,
  );
  await clock.advance(DAY_MS);
  expect(log).toHaveLength(2);
  await retention.close();
});

test("says that living tasks take the room where nothing unread does", async () => {
  const { clock, log, retention } = rig(() => ({ tasks: 0, unread: 0, bytes: 12 * MIB }));
  retention.start();
  await clock.advance(1);
  expect(log[0]).toContain("what has not ended");
  await retention.close();
});

test("H1 goes on after a round that failed", async () => {
  let rounds = 0;
  const { clock, log, retention } = rig(() => {
    rounds += 1;
    if (rounds === 1) throw new StoreError("busy", "Another program holds the file.");
    return { tasks: 1, unread: 0, bytes: 0 };
  });
  retention.start();
  await clock.advance(HOUR_MS);
  expect(log.map((line) => line.slice(0, 35))).toEqual([
    "warn: could not remove old tasks; t",
    "info: removed what had ended and wa",
  ]);
  await retention.close();
});

test("H2 begins no round while one is under way, and close waits for it and stops the rest", async () => {
  let end = (_receipt: PruneReceipt): void => {};
  const { clock, asked, retention } = rig(() => new Promise((resolve) => (end = resolve)));
  retention.start();
  await clock.advance(5 * HOUR_MS);
  expect(asked).toHaveLength(1);
  let closed = false;
  const closing = retention.close().then(() => (closed = true));
  await clock.advance(1);
  expect(closed).toBe(false);
  end(NOTHING);
  await closing;
  await retention.close();
  await clock.advance(DAY_MS);
  expect([asked.length, clock.pending]).toEqual([1, 0]);
});
