// What is left of a budget, and what became of messages, in words. Pure.

import { count, money, span } from "./words.js";

/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/api.ts").TaskView>} TaskView */
/** @typedef {TaskView["steers"][number]} Receipt */

/**
 * @typedef {object} Gauge
 * @property {string} label
 * @property {string} used In words.
 * @property {string | null} limit In words; `null` for no limit.
 * @property {number | null} share 0 to 1; `null` for no limit.
 */

/**
 * What a task and everything below it used, beside what it may use.
 * @param {Pick<TaskView, "spending">} view
 * @returns {readonly Gauge[]}
 */
export function gaugesOf({ spending }) {
  const { subtree, budget, remaining } = spending;
  const used = {
    tokens: subtree.prompt_tokens + subtree.output_tokens,
    cost_micros: subtree.cost_micros,
    gpu_ms: subtree.gpu_ms,
    tool_calls: subtree.tool_calls,
  };
  /** @type {(label: string, kind: keyof typeof used, words: (value: number) => string) => Gauge} */
  const gauge = (label, kind, words) => {
    const left = remaining[kind];
    // Budgets above may leave less than its own: what counts is what is left.
    const limit = left === null ? (budget?.[kind] ?? null) : used[kind] + left;
    const share = limit === null ? null : limit === 0 ? 1 : Math.min(1, used[kind] / limit);
    return { label, used: words(used[kind]), limit: limit === null ? null : words(limit), share };
  };
  return [
    gauge("Tokens", "tokens", count),
    gauge("GPU time", "gpu_ms", span),
    gauge("Tool calls", "tool_calls", count),
    gauge("Money", "cost_micros", money),
  ];
}

/**
 * What became of a message: `queued`, `delivered, turn 3`, `undelivered: the task has ended`.
 * @param {Pick<Receipt, "state" | "turn" | "reason">} receipt
 */
export function receiptWords({ state, turn, reason }) {
  if (state === "delivered") return turn === null ? "delivered" : `delivered, turn ${turn} reads it`;
  return reason === null ? state : `${state}: ${reason}`;
}
