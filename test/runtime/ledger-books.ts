// Books kept beside a tree of ledgers, in the plainest way: lists of what is open and what was used. Each move is made
// on both, and what the ledgers did is judged by the rules at their head (L1-L3).

import fc from "fast-check";
import { NO_USAGE, UNLIMITED_BUDGET, type TreeBudget, type Usage } from "../../src/core/limits.ts";
import { isRefused, Ledger, type Outlay, type Reservation } from "../../src/runtime/ledger.ts";

const KINDS = ["tokens", "costMicros", "gpuMs"] as const;
type Kind = (typeof KINDS)[number];

/** Who stands above whom: the root, two children, and a grandchild under the first. */
const ABOVE: readonly (number | null)[] = [null, 0, 0, 1];

export type BooksPlan = readonly Partial<TreeBudget>[];

const limit = fc.option(fc.integer({ min: 1, max: 120 }), { nil: null });
export const BOOKS_PLANS: fc.Arbitrary<BooksPlan> = fc.array(
  fc.record({ tokens: limit, costMicros: limit, gpuMs: limit, toolCalls: limit }),
  { minLength: ABOVE.length, maxLength: ABOVE.length },
);

const at = fc.nat({ max: ABOVE.length - 1 });
const amount = fc.nat({ max: 60 });
export const MOVES = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("reserve" as const), at, need: needs() }) },
    // What was really used, as a share of what was asked for: more, too.
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("settle" as const),
        which: fc.nat(),
        share: fc.double({ min: 0, max: 1.6, noNaN: true }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("call" as const), at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
  ),
  { maxLength: 60 },
);
export type Move = typeof MOVES extends fc.Arbitrary<readonly (infer M)[]> ? M : never;

function needs(): fc.Arbitrary<Outlay> {
  return fc.record({ tokens: fc.integer({ min: 1, max: 60 }), costMicros: amount, gpuMs: amount });
}

interface Open {
  /** Places of the ledgers that it books in. */
  readonly in: readonly number[];
  readonly need: Outlay;
  /** What each of them set aside for it. */
  readonly granted: ReadonlyMap<number, Outlay>;
  readonly reservation: Reservation;
}

function chainOf(place: number): readonly number[] {
  const above = ABOVE[place] ?? null;
  return above === null ? [place] : [place, ...chainOf(above)];
}

export class Books {
  readonly #budgets: readonly TreeBudget[];
  #ledgers: readonly Ledger[];
  #used: Usage[] = ABOVE.map(() => NO_USAGE);
  #open: Open[] = [];
  /** By how much each limit may be passed: by what those in flight when the last one was let in have overrun since. */
  #slack: Record<Kind, number>[] = ABOVE.map(() => ({ tokens: 0, costMicros: 0, gpuMs: 0 }));

  constructor(plan: BooksPlan) {
    this.#budgets = plan.map((budget) => ({ ...UNLIMITED_BUDGET, ...budget }));
    this.#ledgers = this.#make();
  }

  /** Makes a move. What is wrong after it, in words; empty when all is well. */
  make(move: Move): readonly string[] {
    if (move.do === "restart") return this.#restart();
    if (move.do === "call") return this.#call(move.at);
    if (move.do === "reserve") return this.#reserve(move.at, move.need);
    return this.#settle(move.which, move.share);
  }

  #make(): readonly Ledger[] {
    const ledgers: Ledger[] = [];
    for (const [place, above] of ABOVE.entries()) {
      const budget = this.#budgets[place] as TreeBudget;
      const used = this.#used[place] as Usage;
      const over = above === null ? null : (ledgers[above] as Ledger);
      ledgers.push(new Ledger({ taskId: `task_${place}`, budget, used, above: over }));
    }
    return ledgers;
  }

  /** The process dies: what was in flight was told to nobody, and nobody books it. */
  #restart(): readonly string[] {
    const dead = this.#open;
    this.#open = [];
    this.#ledgers = this.#make();
    for (const { reservation } of dead) reservation.settle({ outputTokens: 1_000 });
    return this.#compared();
  }

  #call(place: number): readonly string[] {
    const chain = chainOf(place);
    const isSpent = chain.some((each) => {
      const most = this.#budgets[each]?.toolCalls ?? null;
      return most !== null && (this.#used[each] as Usage).toolCalls >= most;
    });
    const answer = (this.#ledgers[place] as Ledger).takeToolCall();
    if ((answer !== null) !== isSpent)
      return [`a tool call under ${place} was ${isSpent ? "let in" : "refused"}`];
    if (!isSpent) this.#book(chain, { toolCalls: 1 });
    return this.#compared();
  }

  #reserve(place: number, need: Outlay): readonly string[] {
    const chain = chainOf(place);
    const granted = new Map(chain.map((each) => [each, this.#grantOf(each, need)]));
    const stands = (held: boolean): boolean =>
      chain.some((each) => KINDS.some((kind) => this.#isOver(each, { kind, need, held })));
    const answer = (this.#ledgers[place] as Ledger).reserve(need);
    if (isRefused(answer)) {
      if (!stands(true)) return [`${place} was refused though there is room`];
      return answer.heldByOthers === stands(false) ? ["held and gone are mixed up"] : this.#compared();
    }
    if (stands(true)) return [`${place} was let in though there is no room`];
    for (const each of chain) {
      const slack = this.#slack[each] as Record<Kind, number>;
      for (const kind of KINDS) if (need[kind] > 0) slack[kind] = 0;
    }
    this.#open.push({ in: chain, need, granted, reservation: answer });
    return this.#compared();
  }

  /** Whether the need does not fit beside what was used, and what others hold where that counts. */
  #isOver(place: number, { kind, need, held }: { kind: Kind; need: Outlay; held: boolean }): boolean {
    const most = this.#budgets[place]?.[kind] ?? null;
    if (most === null || need[kind] === 0) return false;
    const used = this.#usedOf(place, kind);
    const others = held ? this.#held(place, kind) : 0;
    // Alone, any rest of GPU time will do.
    const wanted = kind === "gpuMs" && others === 0 ? 1 : need[kind];
    return used + others + wanted > most;
  }

  #grantOf(place: number, need: Outlay): Outlay {
    const most = this.#budgets[place]?.gpuMs ?? null;
    if (most === null || this.#held(place, "gpuMs") > 0) return need;
    return { ...need, gpuMs: Math.min(need.gpuMs, Math.max(0, most - this.#usedOf(place, "gpuMs"))) };
  }

  #settle(which: number, share: number): readonly string[] {
    const [open] = this.#open.splice(which % Math.max(1, this.#open.length), 1);
    if (!open) return [];
    const used = {
      outputTokens: Math.round(open.need.tokens * share),
      costMicros: Math.round(open.need.costMicros * share),
      gpuMs: Math.round(open.need.gpuMs * share),
    };
    const spent: Outlay = { tokens: used.outputTokens, costMicros: used.costMicros, gpuMs: used.gpuMs };
    for (const place of open.in) {
      const granted = open.granted.get(place) as Outlay;
      const slack = this.#slack[place] as Record<Kind, number>;
      for (const kind of KINDS) slack[kind] += Math.max(0, spent[kind] - granted[kind]);
    }
    open.reservation.settle(used);
    open.reservation.settle(used);
    this.#book(open.in, used);
    return [...this.#compared(), ...this.#bounds()];
  }

  /** L3: no limit of tokens, money or GPU time is passed but by overruns. */
  #bounds(): readonly string[] {
    return this.#budgets.flatMap((budget, place) =>
      KINDS.filter((kind) => {
        const most = budget[kind];
        return (
          most !== null &&
          this.#usedOf(place, kind) > most + (this.#slack[place] as Record<Kind, number>)[kind]
        );
      }).map((kind) => `${place} used more ${kind} than its limit and its overruns`),
    );
  }

  #compared(): readonly string[] {
    return this.#ledgers.flatMap((ledger, place) => {
      const same = JSON.stringify(ledger.used) === JSON.stringify(this.#used[place]);
      return same
        ? []
        : [`${place} has ${JSON.stringify(ledger.used)}, expected ${JSON.stringify(this.#used[place])}`];
    });
  }

  #book(chain: readonly number[], used: Partial<Usage>): void {
    for (const place of chain) {
      const before = this.#used[place] as Usage;
      const entries = Object.entries(used) as [keyof Usage, number][];
      this.#used[place] = entries.reduce((sum, [key, more]) => ({ ...sum, [key]: sum[key] + more }), before);
    }
  }

  #held(place: number, kind: Kind): number {
    return this.#open.reduce((sum, { granted }) => sum + (granted.get(place)?.[kind] ?? 0), 0);
  }

  #usedOf(place: number, kind: Kind): number {
    const used = this.#used[place] as Usage;
    return kind === "tokens" ? used.promptTokens + used.outputTokens : used[kind];
  }
}
