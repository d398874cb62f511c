// What a world has more of than others. Most worlds have a little of everything; what happens rarely meets what happens
// rarely only where both are common.

import type { TreeBudget } from "../../src/core/limits.ts";
import type { Dice } from "./dice.ts";
import type { DeedKind } from "./world.ts";

/**
 * `rough`: people interrupt and call off, and nothing lets go at once. `talk`: conversations beside long work.
 * `ailing`: agents whose generations always go wrong in the same way. `tight`: trees with small budgets.
 */
export type Theme = "plain" | "rough" | "talk" | "ailing" | "tight";

const THEMES: readonly Theme[] = ["plain", "plain", "plain", "plain", "rough", "talk", "ailing", "tight"];

const ROUGH: readonly DeedKind[] = ["interrupt", "interrupt", "cancel", "force", "stop", "message", "steer"];
const TALK: readonly DeedKind[] = ["message", "message", "message", "answer", "stop", "steer", "delegate"];

export function drawTheme(dice: Dice): Theme {
  return dice.pick(THEMES);
}

/** The deeds of a theme; `null` for all alike. */
export function deedsOf(theme: Theme): readonly DeedKind[] | null {
  return theme === "rough" ? ROUGH : theme === "talk" ? TALK : null;
}

export function stubbornnessOf(theme: Theme, dice: Dice): number {
  if (theme === "rough") return 0.7;
  return dice.pick(theme === "talk" ? [0, 0.6] : [0, 0, 0, 0.2]);
}

/** Figures that the first few generations of a small tree reach. */
export function budgetOf(theme: Theme, dice: Dice): Pick<TreeBudget, "tokens" | "toolCalls"> | null {
  if (theme === "tight") {
    return { tokens: dice.pick([null, 1_500, 2_500, 4_000]), toolCalls: dice.pick([null, 1, 2, 3]) };
  }
  if (!dice.chance(0.05)) return null;
  return { tokens: dice.pick([null, 10_000, 30_000]), toolCalls: dice.pick([null, 1, 3]) };
}

/** Money and GPU time of a tree, drawn apart from all the rest. */
export function spendOf(theme: Theme, dice: Dice): Pick<TreeBudget, "costMicros" | "gpuMs"> {
  if (theme !== "tight" && !dice.chance(0.05)) return { costMicros: null, gpuMs: null };
  return {
    costMicros: dice.pick([null, null, 2_500, 4_000, 8_000]),
    gpuMs: dice.pick([null, null, 60, 300, 1_500]),
  };
}

/** A part of the tree's budget for a child, as a model words it; `null` for none. Some ask for more than there is. */
export function childBudgetOf(theme: Theme, dice: Dice): Readonly<Record<string, number>> | null {
  if (!dice.chance(theme === "tight" ? 0.5 : 0.03)) return null;
  const limits: Record<string, number | null> = {
    tokens: dice.pick([null, 1_500, 3_000, 20_000]),
    cost_micros: dice.pick([null, 2_000, 5_000]),
    gpu_ms: dice.pick([null, 50, 400]),
    tool_calls: dice.pick([null, 1, 2, 5]),
  };
  const set = Object.entries(limits).flatMap(([key, limit]) =>
    limit === null ? [] : [[key, limit] as const],
  );
  return set.length === 0 ? null : Object.fromEntries(set);
}
