import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UNLIMITED_BUDGET, type TreeBudget } from "../../src/core/limits.ts";
import { isRefused, Ledger, type Reservation } from "../../src/runtime/ledger.ts";

function ledger(budget: Partial<TreeBudget>): Ledger {
  return new Ledger({ ...UNLIMITED_BUDGET, ...budget });
}

function reserved(answer: ReturnType<Ledger["reserve"]>): Reservation {
  if (isRefused(answer)) throw new Error(answer.message);
  return answer;
}

describe("Ledger", () => {
  test("lets everything pass without limits", () => {
    const books = ledger({});
    for (let n = 0; n < 10; n++)
      reserved(books.reserve(1e9)).settle({ outputTokens: 1e9, costMicros: 1e9, gpuMs: 1e9 });
    expect(books.takeToolCall()).toBeNull();
    expect(books.used).toMatchObject({ outputTokens: 1e10, toolCalls: 1 });
  });

  test("L1 what is reserved counts until it is settled", () => {
    const books = ledger({ tokens: 100 });
    const first = reserved(books.reserve(60));
    expect(books.reserve(60)).toMatchObject({
      code: "budget",
      message: expect.stringContaining("budget.tokens") as string,
    });
    first.settle({ promptTokens: 10, outputTokens: 5 });
    expect(isRefused(books.reserve(60))).toBe(false);
  });

  test("L2 a reservation is settled once", () => {
    const books = ledger({ tokens: 100 });
    const first = reserved(books.reserve(50));
    first.settle({ outputTokens: 20 });
    first.settle({ outputTokens: 20 });
    expect(books.used.outputTokens).toBe(20);
    expect(isRefused(books.reserve(80))).toBe(false);
  });

  test("a generation that came to nothing gives everything back", () => {
    const books = ledger({ tokens: 100 });
    reserved(books.reserve(100)).settle({});
    expect(isRefused(books.reserve(100))).toBe(false);
  });

  test.each([
    { budget: { costMicros: 10 }, used: { costMicros: 10 }, key: "budget.cost_micros" },
    { budget: { gpuMs: 10 }, used: { gpuMs: 11 }, key: "budget.gpu_ms" },
  ])("refuses the next generation once $key is used up, and names it", ({ budget, used, key }) => {
    const books = ledger(budget);
    reserved(books.reserve(1)).settle(used);
    expect(books.reserve(1)).toMatchObject({
      code: "budget",
      retryable: false,
      message: expect.stringContaining(key) as string,
    });
  });

  test("counts tool calls to the last one", () => {
    const books = ledger({ toolCalls: 2 });
    expect([books.takeToolCall(), books.takeToolCall()]).toEqual([null, null]);
    expect(books.takeToolCall()).toMatchObject({
      message: expect.stringContaining("budget.tool_calls") as string,
    });
    expect(books.used.toolCalls).toBe(2);
  });

  test("L1 never lets reservations pass the limit, whatever is settled in whatever order", () => {
    const moves = fc.array(fc.record({ ask: fc.integer({ min: 1, max: 40 }), settles: fc.nat({ max: 5 }) }));
    fc.assert(
      fc.property(moves, (steps) => {
        const books = ledger({ tokens: 100 });
        const open: { tokens: number; reservation: Reservation }[] = [];
        for (const { ask, settles } of steps) {
          const answer = books.reserve(ask);
          if (!isRefused(answer)) open.push({ tokens: ask, reservation: answer });
          const held = open.reduce((sum, { tokens }) => sum + tokens, 0);
          expect(held + books.used.outputTokens).toBeLessThanOrEqual(100);
          const settled = open.splice(settles % (open.length + 1), 1)[0];
          settled?.reservation.settle({ outputTokens: Math.floor(settled.tokens / 2) });
        }
      }),
    );
  });
});
