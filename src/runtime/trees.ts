// The budgets of living trees. A ledger lives as long as any task of its tree: a detached task keeps its tree's budget.
// T1. A tree that comes back after a restart has used what the store says that its tasks have used.

import { NO_USAGE, UNLIMITED_BUDGET, type TreeBudget, type Usage } from "../core/limits.ts";
import { InternalError } from "../base/errors.ts";
import type { TaskSpec } from "../core/task.ts";
import type { Store } from "../store/store.ts";
import { Ledger } from "./ledger.ts";
import type { StorePatience } from "./store-patience.ts";

interface Tree {
  readonly ledger: Ledger;
  living: number;
}

interface Account {
  readonly budget: TreeBudget;
  readonly used: Usage;
}

export class Trees {
  readonly #store: Store;
  readonly #patience: StorePatience;
  readonly #trees = new Map<string, Tree>();
  /** What trees that are about to come back may use, and have used. */
  readonly #known = new Map<string, Account>();

  constructor(store: Store, patience: StorePatience) {
    this.#store = store;
    this.#patience = patience;
  }

  /** Reads what these tasks' trees have used, before they are joined (T1). Throws what the store throws. */
  async recall(specs: readonly TaskSpec[]): Promise<void> {
    const byId = new Map(specs.map((spec) => [spec.id, spec]));
    for (const { rootId } of specs) {
      if (this.#trees.has(rootId) || this.#known.has(rootId)) continue;
      const root = byId.get(rootId) ?? (await this.#read(rootId));
      const budget = root?.budget ?? UNLIMITED_BUDGET;
      const isLimited = Object.values(budget).some((limit) => limit !== null);
      const used = isLimited
        ? await this.#patience.call("treeUsage", () => this.#store.treeUsage(rootId))
        : NO_USAGE;
      this.#known.set(rootId, { budget, used });
    }
  }

  /** A task of the tree lives. */
  join(spec: TaskSpec): void {
    const { rootId } = spec;
    const tree = this.#trees.get(rootId);
    if (tree) {
      tree.living += 1;
      return;
    }
    const { budget, used } = this.#known.get(rootId) ?? {
      budget: spec.budget ?? UNLIMITED_BUDGET,
      used: NO_USAGE,
    };
    this.#known.delete(rootId);
    this.#trees.set(rootId, { ledger: new Ledger(budget, used), living: 1 });
  }

  /** A task of the tree has ended; with the last one the ledger goes. */
  leave(rootId: string): void {
    const tree = this.#trees.get(rootId);
    if (!tree) return;
    tree.living -= 1;
    if (tree.living === 0) this.#trees.delete(rootId);
  }

  /** Throws InternalError `tree_unknown` when none of its tasks live. */
  ledgerOf(rootId: string): Ledger {
    const tree = this.#trees.get(rootId);
    if (tree) return tree.ledger;
    throw new InternalError("tree_unknown", `The tree ${rootId} has no ledger: none of its tasks live.`);
  }

  async #read(rootId: string): Promise<TaskSpec | undefined> {
    const record = await this.#patience.call("get", () => this.#store.get(rootId));
    return record?.spec;
  }
}
