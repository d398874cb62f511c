// The budget of one subtree: reserved when a generation is leased, settled when it has ended (design.md §10.4). A
// subtree's ledger lies within that of the tree: what is booked here is booked in every ledger above it too.
// L1. When a generation is let in, what was settled and what is reserved, its own reservation included, pass no limit
//     of tokens or money of its ledger or of one above. GPU time is a guess before it is used, so who alone takes any
//     in a ledger gets whatever is left of it; beside others that do the guess must fit.
// L2. A reservation is settled once, and in all ledgers or in none.
// L3. So a limit of tokens or money is passed by no more than what those that were in flight together used beyond their
//     reservations, and one of GPU time by no more than that and the last one's own run. Tool calls never pass theirs.
// L4. A share of WARN_SHARE is told once for each limit.

import type { TaskFailure } from "../core/task.ts";
import type { TreeBudget, Usage } from "../core/limits.ts";
import {
  addUsage,
  BUDGET_KINDS,
  leastBudget,
  NO_USAGE,
  remainingOf,
  usedOf,
  WARN_SHARE,
} from "../core/limits.ts";
import type { EventData } from "../core/event.ts";
import { snakeKey } from "../core/wire.ts";

/** What one generation may use at most, as far as that is known before it begins. */
export type Outlay = Readonly<Record<"tokens" | "costMicros" | "gpuMs", number>>;

export interface Reservation {
  /** Books what was really used and returns the rest. Later calls do nothing. */
  settle(used: Partial<Usage>): void;
}

export interface BudgetRefusal extends TaskFailure {
  /** Only reservations stand in the way: what they leave unused comes back. */
  readonly heldByOthers: boolean;
}

export type BudgetWarning = EventData["budget.warned"];

export interface LedgerOptions {
  /** The task whose subtree it is. */
  readonly taskId: string;
  readonly budget: TreeBudget;
  /** What the subtree has used before; nothing when absent. */
  readonly used?: Usage;
  /** The next ledger above; `null` for a whole tree's. */
  readonly above: Ledger | null;
}

const NOTHING: Outlay = { tokens: 0, costMicros: 0, gpuMs: 0 };
const NEEDS = ["tokens", "costMicros", "gpuMs"] as const;

export class Ledger {
  readonly budget: TreeBudget;
  readonly #taskId: string;
  /** This one and those above it. */
  readonly #chain: readonly Ledger[];
  #used: Usage;
  #held: Outlay = NOTHING;
  readonly #warned = new Set<keyof TreeBudget>();
  #warnings: BudgetWarning[] = [];

  constructor({ taskId, budget, used = NO_USAGE, above }: LedgerOptions) {
    this.#taskId = taskId;
    this.budget = budget;
    this.#used = used;
    this.#chain = above === null ? [this] : [this, ...above.#chain];
    // It was told before a restart.
    this.#warn();
    this.#warnings = [];
  }

  get used(): Usage {
    return this.#used;
  }

  /** What can still be used, by this ledger and those above it; `null` for what has no limit. */
  get remaining(): TreeBudget {
    return leastBudget(this.#chain.map(({ budget, used }) => remainingOf(budget, used)));
  }

  /** Reserves what one generation needs, or says which limit stands in its way. Keeps L1. */
  reserve(outlay: Outlay): Reservation | BudgetRefusal {
    const grants = this.#chain.map((ledger) => [ledger, ledger.#grant(outlay)] as const);
    const refusals = grants.flatMap(([ledger, grant]) => ledger.#refusals(outlay, grant));
    const refusal = refusals.find(({ heldByOthers }) => !heldByOthers) ?? refusals[0];
    if (refusal) return refusal;
    for (const [ledger, grant] of grants) ledger.#hold(grant, 1);
    let open = true;
    return {
      settle: (used) => {
        if (!open) return;
        open = false;
        for (const [ledger, grant] of grants) {
          ledger.#hold(grant, -1);
          ledger.#book(used);
        }
      },
    };
  }

  /** Books one tool call, or says that none is left. */
  takeToolCall(): TaskFailure | null {
    for (const ledger of this.#chain) {
      const { budget, used } = ledger;
      if (budget.toolCalls !== null && used.toolCalls >= budget.toolCalls)
        return ledger.#failure("toolCalls", used.toolCalls + 1);
    }
    for (const ledger of this.#chain) ledger.#book({ toolCalls: 1 });
    return null;
  }

  /** Limits of this ledger and those above that came close since the last call (L4). */
  takeWarnings(): readonly BudgetWarning[] {
    return this.#chain.flatMap((ledger) => {
      const warnings = ledger.#warnings;
      if (warnings.length > 0) ledger.#warnings = [];
      return warnings;
    });
  }

  #grant(outlay: Outlay): Outlay {
    const { gpuMs: limit } = this.budget;
    if (limit === null || this.#held.gpuMs > 0) return outlay;
    return { ...outlay, gpuMs: Math.min(outlay.gpuMs, Math.max(1, limit - this.#used.gpuMs)) };
  }

  #refusals(outlay: Outlay, grant: Outlay): readonly BudgetRefusal[] {
    const used = usedOf(this.#used);
    return NEEDS.flatMap((kind) => {
      const limit = this.budget[kind];
      const wanted = used[kind] + this.#held[kind] + grant[kind];
      if (limit === null || outlay[kind] === 0 || wanted <= limit) return [];
      // Of GPU time any rest is enough for who is alone.
      const least = kind === "gpuMs" ? 1 : grant[kind];
      return [{ ...this.#failure(kind, wanted), heldByOthers: used[kind] + least <= limit }];
    });
  }

  #hold({ tokens, costMicros, gpuMs }: Outlay, sign: 1 | -1): void {
    const held = this.#held;
    this.#held = {
      tokens: held.tokens + sign * tokens,
      costMicros: held.costMicros + sign * costMicros,
      gpuMs: held.gpuMs + sign * gpuMs,
    };
  }

  #book(used: Partial<Usage>): void {
    this.#used = addUsage(this.#used, used);
    this.#warn();
  }

  #warn(): void {
    for (const kind of BUDGET_KINDS) {
      const limit = this.budget[kind];
      if (limit === null || this.#warned.has(kind)) continue;
      const used = usedOf(this.#used)[kind];
      if (used < limit * WARN_SHARE) continue;
      this.#warned.add(kind);
      this.#warnings.push({ budgetOf: this.#taskId, kind: snakeKey(kind), used, limit });
    }
  }

  #failure(kind: keyof TreeBudget, wanted: number): TaskFailure {
    const key = snakeKey(kind);
    const limit = this.budget[kind];
    const [whose, advice] =
      this.#chain.length === 1
        ? ["tree's", `Raise budget.${key}`]
        : ["subtree's", `Delegate ${this.#taskId} with a larger budget.${key}`];
    const message = `The ${whose} budget allows ${limit} ${key} and the next step would make it ${wanted}. ${advice}, or ask for less.`;
    return { code: "budget", message, retryable: false };
  }
}

/** Whether a reservation was refused. */
export function isRefused(answer: Reservation | BudgetRefusal): answer is BudgetRefusal {
  return "code" in answer;
}
