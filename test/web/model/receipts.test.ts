import { describe, expect, it } from "vitest";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../../src/core/limits.ts";
import type { Spending } from "../../../src/core/api.ts";
import { toWire } from "../../../src/core/wire.ts";
import { gaugesOf, receiptWords } from "../../../web/model/receipts.js";

const view = (spending: Partial<Spending>) =>
  toWire({ spending: { subtree: NO_USAGE, budget: null, remaining: UNLIMITED_BUDGET, ...spending } });
const of = (label: string, spending: Partial<Spending>) =>
  gaugesOf(view(spending)).find((gauge) => gauge.label === label);

describe("a gauge", () => {
  it("has no end where there is no limit", () => {
    const subtree = { ...NO_USAGE, promptTokens: 1_000, outputTokens: 500 };
    expect(of("Tokens", { subtree })).toEqual({ label: "Tokens", used: "1.5k", limit: null, share: null });
  });

  it("counts what is left by the budgets above, too", () => {
    const subtree = { ...NO_USAGE, gpuMs: 30_000 };
    const remaining = { ...UNLIMITED_BUDGET, gpuMs: 10_000 };
    expect(of("GPU time", { subtree, remaining })).toEqual({
      label: "GPU time",
      used: "30 s",
      limit: "40 s",
      share: 0.75,
    });
  });

  it("is full where nothing may be used, and never fuller", () => {
    const remaining = { ...UNLIMITED_BUDGET, toolCalls: 0 };
    expect(of("Tool calls", { remaining })?.share).toBe(1);
    expect(of("Tool calls", { remaining, subtree: { ...NO_USAGE, toolCalls: 9 } })?.share).toBe(1);
  });
});

it("what became of a message is said in words", () => {
  expect(
    [
      { state: "queued", turn: null, reason: null } as const,
      { state: "delivered", turn: 3, reason: null } as const,
      { state: "undelivered", turn: null, reason: "it has ended" } as const,
    ].map(receiptWords),
  ).toEqual(["queued", "delivered, turn 3 reads it", "undelivered: it has ended"]);
});
