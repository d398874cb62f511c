// One part of the `durability` benchmark: what it claims, and whether its run did exactly what its figures stand for.

import type { Check, Claim } from "../report.ts";

export interface Part {
  readonly claims: readonly Claim[];
  readonly checks: readonly Check[];
  readonly lines: readonly string[];
  readonly figures: Readonly<Record<string, unknown>>;
  readonly notMeasured: readonly string[];
}

/** A check that holds when nothing was found wrong. */
export function exact(name: string, problems: readonly string[]): Check {
  return { name, holds: problems.length === 0, detail: problems[0] ?? "all" };
}

export function atMost(name: string, value: number, limit: number): Claim {
  return { name, value, limit, bound: "at_most" };
}

export function atLeast(name: string, value: number, limit: number): Claim {
  return { name, value, limit, bound: "at_least" };
}
