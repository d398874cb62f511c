import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { SlotQueue, type SlotLease } from "../../src/simulator/slot-queue.ts";

const never = new AbortController().signal;

describe("slots of a loaded model", () => {
  test("Q1 holds no more leases than slots", async () => {
    const queue = new SlotQueue(2);
    const leases = [await queue.acquire(never), await queue.acquire(never)];
    let third: SlotLease | undefined;
    const waiting = queue.acquire(never).then((lease) => (third = lease));
    await Promise.resolve();
    expect([queue.held, queue.waiting, third]).toEqual([2, 1, undefined]);
    leases[0]?.release();
    await waiting;
    expect([queue.held, queue.waiting]).toEqual([2, 0]);
  });

  test("Q2 serves in the order of arrival", async () => {
    const queue = new SlotQueue(1);
    const first = await queue.acquire(never);
    const order: number[] = [];
    const waiters = [1, 2, 3].map(async (number) => {
      const lease = await queue.acquire(never);
      order.push(number);
      lease.release();
    });
    first.release();
    await Promise.all(waiters);
    expect(order).toEqual([1, 2, 3]);
  });

  test("Q3 a waiter that aborts leaves the queue and never takes a slot", async () => {
    const queue = new SlotQueue(1);
    const first = await queue.acquire(never);
    const controller = new AbortController();
    const gone = queue.acquire(controller.signal);
    const next = queue.acquire(never);
    controller.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    expect(queue.waiting).toBe(1);
    first.release();
    await next;
    expect([queue.held, queue.waiting]).toEqual([1, 0]);
  });

  test("Q3 a signal that has aborted takes nothing", async () => {
    const queue = new SlotQueue(1);
    await expect(queue.acquire(AbortSignal.abort(new Error("late")))).rejects.toThrow("late");
    expect(queue.held).toBe(0);
  });

  test("Q4 a lease given back twice frees one slot", async () => {
    const queue = new SlotQueue(2);
    const lease = await queue.acquire(never);
    await queue.acquire(never);
    lease.release();
    lease.release();
    expect(queue.held).toBe(1);
  });
});

test("Q1 Q2 Q3 random arrivals, releases and aborts: never too many, in order, and all slots come back", async () => {
  const step = fc.oneof(fc.constant("arrive"), fc.constant("release"), fc.constant("abort"));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 60 }),
      async (slots, steps) => {
        const queue = new SlotQueue(slots);
        const held: SlotLease[] = [];
        const waiting: { readonly number: number; readonly controller: AbortController }[] = [];
        const served: number[] = [];
        for (const [number, what] of steps.entries()) {
          if (what === "release") held.shift()?.release();
          if (what === "abort") waiting.at(-1)?.controller.abort(new Error("gone"));
          if (what === "arrive") {
            const waiter = { number, controller: new AbortController() };
            waiting.push(waiter);
            const over = (): void => void waiting.splice(waiting.indexOf(waiter), 1);
            queue.acquire(waiter.controller.signal).then((lease) => {
              over();
              served.push(number);
              held.push(lease);
            }, over);
          }
          for (let turn = 0; turn < 4; turn++) await Promise.resolve();
          expect(queue.held).toBeLessThanOrEqual(slots);
          expect([queue.held, queue.waiting]).toEqual([held.length, waiting.length]);
        }
        expect(served).toEqual(served.toSorted((a, b) => a - b));
        for (let lease = held.shift(); lease; lease = held.shift()) {
          lease.release();
          for (let turn = 0; turn < 4; turn++) await Promise.resolve();
        }
        expect([queue.held, queue.waiting]).toEqual([0, 0]);
      },
    ),
  );
});
