// The budgets of living trees, and of the parts of them that have one of their own. A ledger lives as long as any task
// under it: a detached task keeps the budgets that it was made under.
// T1. A ledger that comes back after a restart, or after everybody under it had ended, has used what the store says.
// T2. Each living task books in the ledger of the smallest budget around it; the tree's stands above all of them.

import { NO_USAGE, UNLIMITED_BUDGET, type TreeBudget, type Usage } from "../core/limits.ts";
import { InternalError } from "../base/errors.ts";
import type { TaskSpec } from "../core/task.ts";
import type { Claim, Store } from "../store/store.ts";
import { Ledger } from "./ledger.ts";
import type { StorePatience } from "./store-patience.ts";

export interface TreesOptions {
  readonly store: Store;
  readonly patience: StorePatience;
  /** Whether a task lives here. */
  readonly isLive: (taskId: string) => boolean;
}

interface Account {
  /** The task whose subtree it is for. */
  readonly taskId: string;
  readonly ledger: Ledger;
  readonly above: Account | null;
  /** Living tasks that book here, and accounts below. */
  users: number;
}

/** An account that is about to come back. */
interface Known {
  readonly budget: TreeBudget;
  readonly used: Usage;
  readonly aboveId: string | null;
}

type Budgeted = Pick<TaskSpec, "id" | "rootId" | "parentId" | "budget">;

export class Trees {
  readonly #options: TreesOptions;
  readonly #accounts = new Map<string, Account>();
  /** Accounts of living tasks that do not book in their tree's own. */
  readonly #below = new Map<string, Account>();
  readonly #known = new Map<string, Known>();
  /** The accounts of tasks that were recalled and have not joined. */
  readonly #recalled = new Map<string, string>();

  constructor(options: TreesOptions) {
    this.#options = options;
  }

  /** Whether all of them can join without a look at the store: they are new, and so is or lives whoever made them. */
  knows(claims: readonly Claim[]): boolean {
    const { isLive } = this.#options;
    return claims.every(({ resume, record }) => {
      const { parentId } = record.spec;
      const isAtHand =
        parentId === null || isLive(parentId) || claims.some((each) => each.taskId === parentId);
      return resume === null && isAtHand;
    });
  }

  /** Reads what their budgets have left, before these tasks join (T1). Throws what the store throws. */
  async recall(specs: readonly TaskSpec[]): Promise<void> {
    const byId = new Map<string, Budgeted | null>(specs.map((spec) => [spec.id, spec]));
    const coming = specs.filter(({ id }) => !this.#options.isLive(id));
    for (const { id, rootId } of coming) this.#recalled.set(id, rootId);
    for (const spec of coming) {
      const owners = await this.#ownersOf(spec, byId);
      for (const [at, { id, budget }] of owners.entries()) {
        if (this.#accounts.has(id) || this.#known.has(id)) continue;
        const limits = budget ?? UNLIMITED_BUDGET;
        this.#known.set(id, {
          budget: limits,
          used: isLimited(limits) ? await this.#usageOf(id) : NO_USAGE,
          aboveId: owners[at + 1]?.id ?? null,
        });
      }
      this.#recalled.set(spec.id, (owners[0] as Budgeted).id);
    }
  }

  /** A task lives. */
  join(spec: TaskSpec): void {
    const account = this.#accountFor(spec);
    account.users += 1;
    this.#recalled.delete(spec.id);
    if (account.taskId !== spec.rootId) this.#below.set(spec.id, account);
  }

  /** It has ended; with the last one the ledger goes. */
  leave({ id, rootId }: Pick<TaskSpec, "id" | "rootId">): void {
    let account = this.#below.get(id) ?? this.#accounts.get(rootId) ?? null;
    this.#below.delete(id);
    while (account !== null) {
      account.users -= 1;
      if (account.users > 0) return;
      this.#close(account);
      account = account.above;
    }
  }

  /** Throws InternalError `tree_unknown` for a task that does not live. */
  ledgerOf({ id, rootId }: Pick<TaskSpec, "id" | "rootId">): Ledger {
    const account = this.#below.get(id) ?? this.#accounts.get(rootId);
    if (account) return account.ledger;
    throw new InternalError("tree_unknown", `The tree ${rootId} has no ledger: none of its tasks live.`);
  }

  #accountFor(spec: TaskSpec): Account {
    const recalled = this.#recalled.get(spec.id);
    if (recalled !== undefined) return this.#reopen(recalled);
    const { id, rootId, parentId, budget } = spec;
    const above = parentId === null ? null : (this.#below.get(parentId) ?? this.#reopen(rootId));
    if (above !== null && budget === null) return above;
    return this.#accounts.get(id) ?? this.#open(id, { budget: budget ?? UNLIMITED_BUDGET, above });
  }

  #reopen(taskId: string): Account {
    const living = this.#accounts.get(taskId);
    if (living) return living;
    const known = this.#known.get(taskId) ?? { budget: UNLIMITED_BUDGET, used: NO_USAGE, aboveId: null };
    this.#known.delete(taskId);
    return this.#open(taskId, {
      ...known,
      above: known.aboveId === null ? null : this.#reopen(known.aboveId),
    });
  }

  /** Somebody who is about to come back may book there. */
  #close({ taskId, ledger, above }: Account): void {
    this.#accounts.delete(taskId);
    if (this.#recalled.size === 0) return;
    const { budget, used } = ledger;
    this.#known.set(taskId, { budget, used, aboveId: above?.taskId ?? null });
  }

  #open(taskId: string, rest: Pick<Account, "above"> & Pick<Known, "budget"> & Partial<Known>): Account {
    const { above, budget, used = NO_USAGE } = rest;
    const ledger = new Ledger({ taskId, budget, used, above: above?.ledger ?? null });
    const account = { taskId, ledger, above, users: 0 };
    if (above !== null) above.users += 1;
    this.#accounts.set(taskId, account);
    return account;
  }

  /** The tasks whose budgets it is under, the nearest first and the root last. */
  async #ownersOf(spec: TaskSpec, byId: Map<string, Budgeted | null>): Promise<readonly Budgeted[]> {
    const owners: Budgeted[] = [];
    for (let at: Budgeted | null = spec; at !== null;) {
      if (at.budget !== null || at.id === spec.rootId) owners.push(at);
      const { parentId }: Budgeted = at;
      if (parentId === null) break;
      if (!byId.has(parentId)) byId.set(parentId, await this.#read(parentId));
      at = byId.get(parentId) ?? null;
    }
    const hasRoot = owners.at(-1)?.id === spec.rootId;
    return hasRoot
      ? owners
      : [...owners, { id: spec.rootId, rootId: spec.rootId, parentId: null, budget: null }];
  }

  #usageOf(taskId: string): Promise<Usage> {
    const { store, patience } = this.#options;
    return patience.call("treeUsage", () => store.treeUsage(taskId));
  }

  async #read(taskId: string): Promise<Budgeted | null> {
    const { store, patience } = this.#options;
    return (await patience.call("get", () => store.get(taskId)))?.spec ?? null;
  }
}

function isLimited(budget: TreeBudget): boolean {
  return Object.values(budget).some((limit) => limit !== null);
}
