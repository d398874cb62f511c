import { describe, expect, test } from "vitest";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import { isRefused } from "../../src/runtime/ledger.ts";
import { Trees } from "../../src/runtime/trees.ts";
import { desk, specOf } from "./specimens.ts";

const LIMITED = { ...UNLIMITED_BUDGET, tokens: 100 };

async function make() {
  const { store, patience, claim } = await desk({ budget: LIMITED });
  await store.commit(claim, claim.seq, { usage: { ...NO_USAGE, outputTokens: 95 } });
  return { store, trees: new Trees(store, patience), root: claim.record.spec };
}

describe("Trees", () => {
  test("a new tree has used nothing, and goes with its last task", async () => {
    const { trees, root } = await make();
    trees.join(root);
    trees.join(specOf({ id: "task_2", rootId: root.id, budget: null }));
    expect(trees.ledgerOf(root.id).used).toEqual(NO_USAGE);
    trees.leave(root.id);
    expect(isRefused(trees.ledgerOf(root.id).reserve(101))).toBe(true);
    trees.leave(root.id);
    expect(() => trees.ledgerOf(root.id)).toThrow(expect.objectContaining({ code: "tree_unknown" }));
  });

  test("T1 a tree that comes back has used what its tasks have, under its root's budget", async () => {
    const { trees, root } = await make();
    await trees.recall([root]);
    trees.join(root);
    expect(isRefused(trees.ledgerOf(root.id).reserve(5))).toBe(false);
    expect(isRefused(trees.ledgerOf(root.id).reserve(6))).toBe(true);
  });

  test("T1 holds when the root has ended and only a detached child comes back", async () => {
    const { trees, root } = await make();
    const child = specOf({ id: "task_2", rootId: root.id, budget: null });
    await trees.recall([child]);
    trees.join(child);
    expect(isRefused(trees.ledgerOf(root.id).reserve(6))).toBe(true);
  });
});
