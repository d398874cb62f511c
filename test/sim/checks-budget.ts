// What must hold of budgets, the tree's and those of parts of it: reserved before a generation begins, never passed but
// by what nobody could know before, within each other, and warned of once.

import { BUDGET_KINDS, usedOf, type TreeBudget, type Usage } from "../../src/core/limits.ts";
import type { Book } from "./book.ts";
import type { Check } from "./check.ts";
import { resultsIn } from "./checks-record.ts";
import type { FactOf } from "./facts.ts";
import { subtreeOf, type ModelTask } from "./model.ts";

/** What one generation may use beyond its reservation: its answer, and what its prompt was underestimated by. */
const OVERRUN_TOKENS = 4_000;
/** Results of calls that were not made, or whose making is unknown. */
const NOT_MADE =
  /tree's budget allows|^There is no tool |were no JSON object|outcome is unknown|is unknown\. Look before/;
/** What a new model is taken to need for a token, in milliseconds. */
const ASSUMED_MS = 50;
const PRICES = { prompt: 1, output: 2 };

type Reserves = FactOf<"generation.began">["reserves"];

/** Tasks with a budget that a task is under, itself included. */
function ownersOf(taskId: string, book: Book): readonly ModelTask[] {
  const owners: ModelTask[] = [];
  for (let task = book.task(taskId); task; task = book.task(task.spec.parentId ?? "")) {
    if (task.spec.budget) owners.push(task);
  }
  return owners;
}

function overBudget({ taskId, reserves, place }: FactOf<"generation.began">, book: Book): string | null {
  for (const owner of ownersOf(taskId, book)) {
    const budget = owner.spec.budget as TreeBudget;
    const members = subtreeOf(book.model, owner.spec.id).map(({ spec }) => spec.id);
    const used = usedBy(members, book);
    const others = members.flatMap((id) => (id === taskId ? [] : (book.diary.reserved.get(id) ?? [])));
    const wrong =
      overReserved({ taskId, budget, used, reserves }, others) ??
      (place.backend === "cloud" ? null : overGpu({ taskId, budget, used, reserves }, others));
    if (wrong) return `${wrong} under ${owner.spec.id}`;
  }
  return null;
}

interface Claimed {
  readonly taskId: string;
  readonly budget: TreeBudget;
  readonly used: Readonly<Record<keyof TreeBudget, number>>;
  readonly reserves: Reserves;
}

function overReserved(
  { taskId, budget, used, reserves }: Claimed,
  others: readonly Reserves[],
): string | null {
  for (const kind of ["tokens", "costMicros"] as const) {
    const limit = budget[kind];
    const sum = others.reduce((held, each) => held + each[kind], used[kind] + reserves[kind]);
    if (limit !== null && sum > limit)
      return `${taskId} generates, which makes it ${sum} of ${limit} ${kind}`;
  }
  return null;
}

/** Some must be left, and beside others what it may take at the least; generations in clouds take none and stand beside nobody. */
function overGpu({ taskId, budget, used, reserves }: Claimed, others: readonly Reserves[]): string | null {
  const limit = budget.gpuMs;
  if (limit === null) return null;
  if (used.gpuMs >= limit) return `${taskId} generates, and ${used.gpuMs} of ${limit} gpuMs are used`;
  const beside = others.filter(({ gpuMs }) => gpuMs > 0).length;
  if (beside === 0) return null;
  const sum = used.gpuMs + beside + reserves.gpuMs;
  return sum > limit ? `${taskId} generates beside others, which makes it ${sum} of ${limit} gpuMs` : null;
}

function usedBy(taskIds: readonly string[], book: Book): Readonly<Record<keyof TreeBudget, number>> {
  const sum = { tokens: 0, costMicros: 0, gpuMs: 0, toolCalls: 0 };
  for (const id of taskIds) {
    const usage = book.diary.used.get(id);
    if (!usage) continue;
    const used = usedOf(usage);
    for (const kind of BUDGET_KINDS) sum[kind] += used[kind];
  }
  return sum;
}

function within({ spec }: FactOf<"submitted">, book: Book): string | null {
  if (!spec.budget || spec.parentId === null) return null;
  for (const { spec: above } of ownersOf(spec.parentId, book)) {
    for (const kind of BUDGET_KINDS) {
      const [own, most] = [spec.budget[kind], above.budget?.[kind] ?? null];
      if (own !== null && most !== null && own > most)
        return `${spec.id} may use ${own} ${kind}, and ${above.id} above it ${most}`;
    }
  }
  return null;
}

/** The prices of the simulation are whole micros for a token. */
function mispriced({ taskId, write }: FactOf<"committed">): string | null {
  const usage: Usage | undefined = write.usage;
  if (!usage) return null;
  const cost = usage.promptTokens * PRICES.prompt + usage.outputTokens * PRICES.output;
  return usage.costMicros === cost ? null : `${taskId} has cost ${usage.costMicros}, and should ${cost}`;
}

function warnedTwice({ taskId, write }: FactOf<"committed">, book: Book): string | null {
  for (const { type, data } of write.events ?? []) {
    if (type !== "budget.warned") continue;
    const key = `${book.life} ${data.budgetOf} ${data.kind}`;
    if (book.diary.warned.has(key)) return `${taskId} warns of ${data.kind} of ${data.budgetOf} once more`;
    if (data.used < data.limit * 0.8) return `${taskId} warns of ${data.used} of ${data.limit} ${data.kind}`;
  }
  return null;
}

export const BUDGET_CHECKS: readonly Check[] = [
  {
    id: "I17",
    name: "budgets are reserved",
    means:
      "What is used under a budget, and what its generations may still use, never passes it when another begins: tokens, money and GPU time.",
    on: { "generation.began": overBudget },
  },
  {
    id: "I17",
    name: "budgets lie within each other",
    means: "No child may use more than a budget above it allows.",
    on: { submitted: within },
  },
  {
    id: "I17",
    name: "use is priced",
    means: "What a task has cost is what its tokens cost.",
    on: { committed: mispriced },
  },
  {
    id: "I17",
    name: "a limit is warned of once",
    means:
      "While a server lives, each limit is warned of once at the most, and not before four fifths are used.",
    on: { committed: warnedTwice },
  },
  {
    id: "I17",
    name: "budgets hold",
    means: "What is under a budget uses no more than it and what the last generations ran over.",
    rest: ({ usage }, book) => {
      for (const [taskId, used] of usage) {
        const budget = book.task(taskId)?.spec.budget;
        for (const [kind, overrun] of [
          ["tokens", OVERRUN_TOKENS],
          ["costMicros", OVERRUN_TOKENS * PRICES.output],
        ] as const) {
          const limit = budget?.[kind] ?? null;
          if (limit !== null && used[kind] > limit + overrun)
            return `${taskId} used ${used[kind]} of ${limit} ${kind}`;
        }
      }
      return null;
    },
  },
  {
    id: "I17",
    name: "tool calls are counted",
    means: "What is under a budget makes no more tool calls than it allows.",
    rest: ({ tasks }, book) => {
      // Calls that a crash cut off are made again, and are not counted twice.
      if (book.diary.lives > 1) return null;
      const made = new Map<string, number>();
      for (const [taskId, { transcript }] of tasks) {
        const calls = resultsIn(transcript).filter((text) => !NOT_MADE.test(text)).length;
        for (const { spec } of ownersOf(taskId, book)) made.set(spec.id, (made.get(spec.id) ?? 0) + calls);
      }
      for (const [taskId, count] of made) {
        const limit = book.task(taskId)?.spec.budget?.toolCalls ?? null;
        if (limit !== null && count > limit) return `${taskId} made ${count} tool calls of ${limit}`;
      }
      return null;
    },
  },
];

/** What a generation on this box must be granted at the least, by what its request asks for and the fastest that was seen. */
export function leastReserves(
  tokens: { readonly output: number; readonly tools: number },
  msPerToken: number,
): Reserves {
  return {
    tokens: tokens.output + tokens.tools,
    costMicros: tokens.output * PRICES.output + tokens.tools * PRICES.prompt,
    // None at all is what a cloud takes.
    gpuMs: Math.max(1, Math.floor(tokens.output * Math.min(ASSUMED_MS, msPerToken))),
  };
}
