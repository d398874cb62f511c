// Which budget a new task has: a root the config's, changed by its agent and the request; a child one of its own where
// its agent or the request names one, lowered to what the budgets above it allow. Pure; throws before anything is stored.

import { runsHere } from "../core/load-profile.ts";
import { InvalidRequestError } from "../base/errors.ts";
import type { AgentDefinition } from "../core/agent.ts";
import { BUDGET_KINDS, leastBudget, UNLIMITED_BUDGET, type TreeBudget } from "../core/limits.ts";
import { checkPriced } from "../core/price.ts";
import type { Settings } from "../core/settings.ts";
import type { TaskSpec } from "../core/task.ts";
import { snakeKey } from "../core/wire.ts";
import { findModel } from "./placing.ts";

/** What is asked for: limits, `null` for none, and what is left out is left to others. */
export type AskedBudget = Partial<TreeBudget>;

/** What the config gives a child of an agent: the agent's own limits, and those of `delegation` that it leaves out. */
export function agentBudget({ budget }: Pick<AgentDefinition, "budget">, settings: Settings): AskedBudget {
  return { ...settings.childAgent.budget, ...budget };
}

export interface BudgetQuestion {
  readonly ofAgent: AskedBudget | undefined;
  readonly asked: AskedBudget | undefined;
  /** What the budgets above it allow together; `null` for a root. */
  readonly around: TreeBudget | null;
  /** The config's, for roots. */
  readonly byDefault: TreeBudget;
}

/** Throws InvalidRequestError `bad_budget`. */
export function budgetOf({ ofAgent, asked, around, byDefault }: BudgetQuestion): TreeBudget | null {
  if (asked !== undefined) checkBudget(asked);
  if (around === null) return { ...byDefault, ...ofAgent, ...asked };
  const own = { ...UNLIMITED_BUDGET, ...ofAgent, ...asked };
  if (BUDGET_KINDS.every((kind) => own[kind] === null)) return null;
  const least = leastBudget([own, around]);
  const within = (kind: keyof TreeBudget): number | null => (own[kind] === null ? null : least[kind]);
  return {
    tokens: within("tokens"),
    costMicros: within("costMicros"),
    gpuMs: within("gpuMs"),
    toolCalls: within("toolCalls"),
  };
}

/** Whoever calls in process may hand over anything. Throws InvalidRequestError `bad_budget`. */
function checkBudget(asked: unknown): void {
  if (asked === null || typeof asked !== "object") {
    throw badBudget("", `an object with ${BUDGET_KINDS.map(snakeKey).join(", ")}`, asked);
  }
  const kinds: readonly string[] = BUDGET_KINDS;
  for (const [key, limit] of Object.entries(asked)) {
    if (!kinds.includes(key)) throw badBudget("", `only ${BUDGET_KINDS.map(snakeKey).join(", ")} in it`, key);
    if (limit === null || limit === undefined) continue;
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw badBudget(`.${snakeKey(key)}`, "a whole number from 1 up, or null for no limit", limit);
    }
  }
}

function badBudget(where: string, expected: string, got: unknown): InvalidRequestError {
  return new InvalidRequestError(
    "bad_budget",
    `Expected budget${where} to be ${expected}, and got ${String(got)}.`,
  );
}

/** Says where a budget was lowered; `null` where it is as asked for. */
export function loweredNote(given: TreeBudget | null, wanted: AskedBudget): string | null {
  const lowered = BUDGET_KINDS.flatMap((kind) => {
    const [want, got] = [wanted[kind] ?? null, given?.[kind] ?? null];
    return want === null || got === null || want <= got
      ? []
      : [`budget.${snakeKey(kind)} from ${want} to ${got}`];
  });
  if (lowered.length === 0) return null;
  return `A budget above this task allows less than was asked for, so it was lowered: ${lowered.join(", ")}.`;
}

/**
 * A cloud's model whose price nobody knows may not spend money that is counted.
 * Throws LimitError `price_unknown` when one of the task's models is such a one and `budget` limits money.
 */
export function checkPrices(
  { model, route }: Pick<TaskSpec, "model" | "route">,
  budget: TreeBudget,
  settings: Settings,
): void {
  if (budget.costMicros === null) return;
  for (const ref of [model, ...(route?.candidates ?? [])]) {
    checkPriced(findModel(`${ref.provider}/${ref.model}`, settings), runsHere(ref, settings.backends));
  }
}
