import { expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { BUSY_MESSAGE, Pending, PendingQueue } from "../../src/simulator/pending.ts";
import type { RunnerUse } from "../../src/simulator/runner.ts";
import { model, NEVER } from "./fixtures.ts";

const setup = { contextTokens: 1, autoContext: true, options: {} };
const use: RunnerUse = { runner: null as never, leave: () => {} };

function pending(signal: AbortSignal = NEVER) {
  const made = new Pending({ model: model("a"), contextTokens: null, keepAliveMs: null, signal }, setup, 0);
  const state: { end: unknown } = { end: null };
  made.outcome.then(
    () => (state.end = "use"),
    (error: unknown) => (state.end = (error as Error).message),
  );
  return Object.assign(made, { state });
}

test("W1 the head is in service and no more than the limit wait behind it", async () => {
  let release = (): void => {};
  const served: Pending[] = [];
  const queue = new PendingQueue(2, async (next) => {
    served.push(next);
    await new Promise<void>((resolve) => (release = resolve));
    next.grant(use);
  });
  const all = [1, 2, 3, 4].map(() => pending());
  for (const each of all) queue.add(each);
  await settle();
  expect(all.map(({ state }) => state.end)).toEqual([null, null, null, BUSY_MESSAGE]);
  expect([queue.length, queue.head, queue.refused]).toEqual([2, all[0], 1]);
  for (let round = 0; round < 3; round++) {
    release();
    await settle();
  }
  expect(served).toEqual(all.slice(0, 3));
  expect([queue.length, queue.head]).toEqual([0, null]);
});

test("W2 ends once: a client that leaves is skipped, and a late grant changes nothing", async () => {
  const controller = new AbortController();
  const one = pending(controller.signal);
  controller.abort(new Error("gone"));
  one.grant(use);
  one.refuse(new Error("late"));
  await settle();
  expect([one.state.end, one.isOver]).toEqual(["gone", true]);
  const served: Pending[] = [];
  const queue = new PendingQueue(9, async (next) => void served.push(next));
  queue.add(one);
  await settle();
  expect(served).toEqual([]);
});

test("all are turned away when the server ends, the head too", async () => {
  const queue = new PendingQueue(9, (next) => next.outcome.then(() => {}).catch(() => {}));
  const all = [pending(), pending()];
  for (const each of all) queue.add(each);
  queue.refuseAll(new Error("down"));
  await settle();
  expect(all.map(({ state }) => state.end)).toEqual(["down", "down"]);
  expect([queue.length, queue.head]).toEqual([0, null]);
});
