import { describe, expect, test } from "vitest";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { isRefused } from "../../src/runtime/ledger.ts";
import { Trees } from "../../src/runtime/trees.ts";
import { desk, specOf } from "./specimens.ts";

const LIMITED = { ...UNLIMITED_BUDGET, tokens: 100 };

const spawned = { goal: "dig", agent: "child", model: "gpu/child", depth: 0 };

/** Whether a task may generate with so many tokens. */
function mayUse(trees: Trees, spec: TaskSpec, tokens: number): boolean {
  const answer = trees.ledgerOf(spec).reserve({ tokens, costMicros: 0, gpuMs: 0 });
  if (isRefused(answer)) return false;
  answer.settle({});
  return true;
}

async function make() {
  const { store, patience, claim } = await desk({ budget: LIMITED });
  await store.commit(claim, claim.seq, { usage: { ...NO_USAGE, outputTokens: 95 } });
  const living = new Set<string>();
  const trees = new Trees({ store, patience, isLive: (id) => living.has(id) });
  return { store, trees, root: claim.record.spec, claim, living };
}

/** A child with a budget of its own, and two below it: one at work, one that has ended with what it used. */
async function makeDeep() {
  const made = await make();
  const { store, root } = made;
  const below = (id: string, parentId: string, rest: Partial<TaskSpec> = {}): TaskSpec =>
    specOf({ id, parentId, rootId: root.id, budget: null, ...rest });
  const child = below("task_2", root.id, { budget: { ...UNLIMITED_BUDGET, tokens: 40 } });
  const [grandchild, sibling] = [below("task_3", child.id), below("task_4", root.id)];
  for (const spec of [child, grandchild, sibling])
    await store.submit(spec, { type: "task.spawned", data: spawned });
  return { ...made, child, grandchild, sibling };
}

describe("Trees", () => {
  test("a new tree has used nothing, and goes with its last task", async () => {
    const { trees, root } = await make();
    trees.join(root);
    const child = specOf({ id: "task_2", rootId: root.id, parentId: root.id, budget: null });
    trees.join(child);
    expect(trees.ledgerOf(root).used).toEqual(NO_USAGE);
    trees.leave(root);
    expect(mayUse(trees, child, 101)).toBe(false);
    trees.leave(child);
    expect(() => trees.ledgerOf(child)).toThrow(expect.objectContaining({ code: "tree_unknown" }));
  });

  test("T1 a tree that comes back has used what its tasks have, under its root's budget", async () => {
    const { trees, root } = await make();
    await trees.recall([root]);
    trees.join(root);
    expect([mayUse(trees, root, 5), mayUse(trees, root, 6)]).toEqual([true, false]);
  });

  test("T1 holds when the root has ended and only a detached child comes back", async () => {
    const { trees, root } = await make();
    const child = specOf({ id: "task_2", rootId: root.id, parentId: root.id, budget: null });
    await trees.recall([child]);
    trees.join(child);
    expect([mayUse(trees, child, 5), mayUse(trees, child, 6)]).toEqual([true, false]);
  });

  test("T2 whoever is below a child with a budget books in it and in the tree's", async () => {
    const { trees, root, child, grandchild, sibling } = await makeDeep();
    for (const spec of [root, child, grandchild, sibling]) trees.join(spec);
    expect([mayUse(trees, grandchild, 41), mayUse(trees, sibling, 41)]).toEqual([false, true]);
    trees.ledgerOf(grandchild).takeToolCall();
    const calls = [child, root, sibling].map((spec) => trees.ledgerOf(spec).used.toolCalls);
    expect(calls).toEqual([1, 1, 1]);
    expect(trees.ledgerOf(grandchild)).toBe(trees.ledgerOf(child));
    expect(trees.ledgerOf(sibling)).toBe(trees.ledgerOf(root));
  });

  test("T2 a child's budget lives as long as anybody under it, the tree's as long as anybody", async () => {
    const { trees, root, child, grandchild } = await makeDeep();
    for (const spec of [root, child, grandchild]) trees.join(spec);
    trees.leave(root);
    trees.leave(child);
    expect([mayUse(trees, grandchild, 40), mayUse(trees, grandchild, 41)]).toEqual([true, false]);
    trees.leave(grandchild);
    expect(() => trees.ledgerOf(root)).toThrow(expect.objectContaining({ code: "tree_unknown" }));
  });

  test("T1 after a restart a subtree has used what it has, also under a child that has ended", async () => {
    const { store, trees, root, child, grandchild } = await makeDeep();
    const claims = await store.claim({ owner: "box_1", boxId: "testbox", ttlMs: 60_000, max: 9 });
    for (const claim of claims) {
      const outputTokens = claim.taskId === child.id ? 3 : claim.taskId === grandchild.id ? 1 : 0;
      await store.commit(claim, claim.seq, { usage: { ...NO_USAGE, outputTokens } });
    }
    await trees.recall([grandchild]);
    trees.join(grandchild);
    expect(trees.ledgerOf(grandchild).used.outputTokens).toBe(4);
    // The tree has 1 left: 95 of the root and 4 of the subtree are gone of 100.
    expect([mayUse(trees, grandchild, 1), mayUse(trees, grandchild, 2)]).toEqual([true, false]);
    await trees.recall([root]);
    trees.join(root);
    expect(trees.ledgerOf(root).used.outputTokens).toBe(99);
  });

  test("T1 an account that everybody leaves while somebody is about to come back keeps what it has used", async () => {
    const { trees, root, sibling, living } = await makeDeep();
    trees.join(root);
    trees.ledgerOf(root).takeToolCall();
    living.add(root.id);
    await trees.recall([sibling]);
    trees.leave(root);
    trees.join(sibling);
    expect(trees.ledgerOf(sibling).used.toolCalls).toBe(1);
    expect(mayUse(trees, sibling, 101)).toBe(false);
  });

  test("knows whom it can let join at once: the new under the living, and nobody who comes back", async () => {
    const { trees, claim, root, child, living } = await makeDeep();
    const fresh = (spec: TaskSpec) => ({ ...claim, taskId: spec.id, record: { ...claim.record, spec } });
    expect(trees.knows([fresh(root)])).toBe(true);
    expect(trees.knows([fresh(child)])).toBe(false);
    expect(trees.knows([fresh(root), fresh(child)])).toBe(true);
    living.add(root.id);
    expect(trees.knows([fresh(child)])).toBe(true);
    const resume = { snapshot: null, timers: [], inboxCursor: 0, lastIndex: 0 };
    expect(trees.knows([{ ...fresh(root), resume }])).toBe(false);
  });
});
