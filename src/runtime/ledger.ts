// The budget of one tree: reserved when a generation is leased, settled when it has ended (design.md §10.4).
// L1. What was settled plus what is reserved never passes a limit by more than one generation's real overrun.
// L2. A reservation is settled or returned exactly once.

import type { TaskFailure } from "../core/task.ts";
import type { TreeBudget, Usage } from "../core/limits.ts";
import { NO_USAGE, addUsage } from "../core/limits.ts";

export interface Reservation {
  /** Books what was really used and returns the rest. Later calls do nothing. */
  settle(used: Partial<Usage>): void;
}

export interface BudgetRefusal extends TaskFailure {
  /** Only reservations stand in the way: what they leave unused comes back. */
  readonly heldByOthers: boolean;
}

export class Ledger {
  readonly #budget: TreeBudget;
  #used: Usage;
  #reservedTokens = 0;

  constructor(budget: TreeBudget, used: Usage = NO_USAGE) {
    this.#budget = budget;
    this.#used = used;
  }

  get used(): Usage {
    return this.#used;
  }

  /** Reserves tokens for one generation, or says which limit is reached. */
  reserve(tokens: number): Reservation | BudgetRefusal {
    const reached = this.#reached(tokens);
    if (reached) return reached;
    this.#reservedTokens += tokens;
    let open = true;
    return {
      settle: (used) => {
        if (!open) return;
        open = false;
        this.#reservedTokens -= tokens;
        this.#used = addUsage(this.#used, used);
      },
    };
  }

  /** Books one tool call, or says that none is left. */
  takeToolCall(): TaskFailure | null {
    const limit = this.#budget.toolCalls;
    if (limit !== null && this.#used.toolCalls >= limit) {
      return failure("tool_calls", this.#used.toolCalls, limit);
    }
    this.#used = addUsage(this.#used, { toolCalls: 1 });
    return null;
  }

  #reached(tokens: number): BudgetRefusal | null {
    const { promptTokens, outputTokens, costMicros, gpuMs } = this.#used;
    const limit = this.#budget.tokens;
    const settled = promptTokens + outputTokens;
    const wanted = settled + this.#reservedTokens + tokens;
    if (limit !== null && wanted > limit) {
      return { ...failure("tokens", wanted, limit), heldByOthers: settled + tokens <= limit };
    }
    if (this.#budget.costMicros !== null && costMicros >= this.#budget.costMicros) {
      return { ...failure("cost_micros", costMicros, this.#budget.costMicros), heldByOthers: false };
    }
    if (this.#budget.gpuMs !== null && gpuMs >= this.#budget.gpuMs) {
      return { ...failure("gpu_ms", gpuMs, this.#budget.gpuMs), heldByOthers: false };
    }
    return null;
  }
}

/** Whether a reservation was refused. */
export function isRefused(answer: Reservation | BudgetRefusal): answer is BudgetRefusal {
  return "code" in answer;
}

function failure(key: string, wanted: number, limit: number): TaskFailure {
  return {
    code: "budget",
    message: `The tree's budget allows ${limit} ${key} and the next step would make it ${wanted}. Raise budget.${key}, or ask for less.`,
    retryable: false,
  };
}
