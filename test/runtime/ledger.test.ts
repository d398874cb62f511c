import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UNLIMITED_BUDGET, type TreeBudget } from "../../src/core/limits.ts";
import { isRefused, Ledger, type Outlay, type Reservation } from "../../src/runtime/ledger.ts";
import { Books, BOOKS_PLANS, MOVES } from "./ledger-books.ts";

function ledger(budget: Partial<TreeBudget>, above: Ledger | null = null): Ledger {
  return new Ledger({
    taskId: above === null ? "root" : "child",
    budget: { ...UNLIMITED_BUDGET, ...budget },
    above,
  });
}

function need(tokens: number, rest: Partial<Outlay> = {}): Outlay {
  return { tokens, costMicros: 0, gpuMs: 0, ...rest };
}

function reserved(answer: ReturnType<Ledger["reserve"]>): Reservation {
  if (isRefused(answer)) throw new Error(answer.message);
  return answer;
}

describe("Ledger", () => {
  test("lets everything pass without limits", () => {
    const books = ledger({});
    for (let n = 0; n < 10; n++)
      reserved(books.reserve(need(1e9))).settle({ outputTokens: 1e9, costMicros: 1e9, gpuMs: 1e9 });
    expect(books.takeToolCall()).toBeNull();
    expect(books.used).toMatchObject({ outputTokens: 1e10, toolCalls: 1 });
    expect([books.remaining, books.takeWarnings()]).toEqual([UNLIMITED_BUDGET, []]);
  });

  test("L1 what is reserved counts until it is settled", () => {
    const books = ledger({ tokens: 100 });
    const first = reserved(books.reserve(need(60)));
    expect(books.reserve(need(60))).toMatchObject({
      code: "budget",
      heldByOthers: true,
      message: expect.stringContaining("budget.tokens") as string,
    });
    first.settle({ promptTokens: 10, outputTokens: 5 });
    expect(isRefused(books.reserve(need(60)))).toBe(false);
  });

  test("L2 a reservation is settled once", () => {
    const books = ledger({ tokens: 100 });
    const first = reserved(books.reserve(need(50)));
    first.settle({ outputTokens: 20 });
    first.settle({ outputTokens: 20 });
    expect(books.used.outputTokens).toBe(20);
    expect(isRefused(books.reserve(need(80)))).toBe(false);
  });

  test("a generation that came to nothing gives everything back", () => {
    const books = ledger({ tokens: 100, costMicros: 7 });
    reserved(books.reserve(need(100, { costMicros: 7 }))).settle({});
    expect(isRefused(books.reserve(need(100, { costMicros: 7 })))).toBe(false);
  });

  test("L1 money is reserved like tokens, and refused for good where nobody gives it back", () => {
    const books = ledger({ costMicros: 10 });
    const first = reserved(books.reserve(need(1, { costMicros: 6 })));
    expect(books.reserve(need(1, { costMicros: 5 }))).toMatchObject({ code: "budget", heldByOthers: true });
    first.settle({ costMicros: 6 });
    expect(books.reserve(need(1, { costMicros: 5 }))).toMatchObject({
      heldByOthers: false,
      message: expect.stringContaining("budget.cost_micros") as string,
    });
    expect(isRefused(books.reserve(need(1, { costMicros: 4 })))).toBe(false);
  });

  test("L1 GPU time: a guess beyond what is left is let in alone, and beside others it waits", () => {
    const books = ledger({ gpuMs: 100 });
    const alone = reserved(books.reserve(need(1, { gpuMs: 5_000 })));
    expect(books.reserve(need(1, { gpuMs: 1 }))).toMatchObject({ heldByOthers: true });
    alone.settle({ gpuMs: 99 });
    reserved(books.reserve(need(1, { gpuMs: 5_000 }))).settle({ gpuMs: 40 });
    expect(books.reserve(need(1, { gpuMs: 1 }))).toMatchObject({
      heldByOthers: false,
      message: expect.stringContaining("budget.gpu_ms") as string,
    });
  });

  test("a limit that is used up stops only who needs more of it", () => {
    const books = ledger({ gpuMs: 10, costMicros: 10 });
    reserved(books.reserve(need(1))).settle({ gpuMs: 11, costMicros: 11 });
    expect(isRefused(books.reserve(need(1)))).toBe(false);
    expect(isRefused(books.reserve(need(1, { costMicros: 1 })))).toBe(true);
  });

  test("counts tool calls to the last one, in all ledgers or in none", () => {
    const tree = ledger({ toolCalls: 3 });
    const [one, other] = [ledger({ toolCalls: 2 }, tree), ledger({}, tree)];
    expect([one.takeToolCall(), one.takeToolCall()]).toEqual([null, null]);
    expect(one.takeToolCall()).toMatchObject({
      message: expect.stringContaining("subtree's budget allows 2 tool_calls") as string,
    });
    expect(tree.used.toolCalls).toBe(2);
    expect(other.takeToolCall()).toBeNull();
    expect(other.takeToolCall()).toMatchObject({
      message: expect.stringContaining("The tree's budget allows 3 tool_calls") as string,
    });
    expect([one.used.toolCalls, other.used.toolCalls]).toEqual([2, 1]);
  });

  test("L2 a child's reservation stands in every ledger above it, and what is left is the least of them", () => {
    const tree = ledger({ tokens: 100, costMicros: 50 });
    const child = ledger({ tokens: 40 }, tree);
    const held = reserved(child.reserve(need(40)));
    expect(tree.reserve(need(70))).toMatchObject({ heldByOthers: true });
    expect(child.reserve(need(1))).toMatchObject({ heldByOthers: true });
    held.settle({ outputTokens: 30, costMicros: 20 });
    expect([tree.used.outputTokens, child.used.outputTokens]).toEqual([30, 30]);
    expect(child.remaining).toEqual({ tokens: 10, costMicros: 30, gpuMs: null, toolCalls: null });
    expect(isRefused(child.reserve(need(11)))).toBe(true);
    reserved(tree.reserve(need(70))).settle({ outputTokens: 65 });
    expect(child.reserve(need(10))).toMatchObject({
      heldByOthers: false,
      message: expect.stringContaining("The tree's") as string,
    });
  });

  test("a limit that is spent for good weighs more than one that is only held", () => {
    const tree = ledger({ tokens: 100 });
    const child = ledger({ costMicros: 5 }, tree);
    reserved(tree.reserve(need(100)));
    expect(child.reserve(need(1))).toMatchObject({ heldByOthers: true });
    expect(child.reserve(need(1, { costMicros: 6 }))).toMatchObject({ heldByOthers: false });
  });

  test("L4 warns of four fifths once for each limit, and not again after a restart", () => {
    const tree = ledger({ tokens: 100, toolCalls: 1 });
    const child = ledger({ tokens: 50 }, tree);
    reserved(child.reserve(need(45))).settle({ outputTokens: 45 });
    expect(child.takeWarnings()).toEqual([{ budgetOf: "child", kind: "tokens", used: 45, limit: 50 }]);
    reserved(tree.reserve(need(35))).settle({ outputTokens: 35 });
    child.takeToolCall();
    expect(child.takeWarnings()).toEqual([
      { budgetOf: "root", kind: "tokens", used: 80, limit: 100 },
      { budgetOf: "root", kind: "tool_calls", used: 1, limit: 1 },
    ]);
    reserved(tree.reserve(need(10))).settle({ outputTokens: 10 });
    const again = new Ledger({ taskId: "root", budget: tree.budget, used: tree.used, above: null });
    expect([tree.takeWarnings(), again.takeWarnings()]).toEqual([[], []]);
  });

  test("L1-L3 hold in every ledger, whatever is reserved, settled, overrun and cut off by restarts", () => {
    fc.assert(
      fc.property(BOOKS_PLANS, MOVES, (plan, moves) => {
        const books = new Books(plan);
        for (const move of moves) expect(books.make(move)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
