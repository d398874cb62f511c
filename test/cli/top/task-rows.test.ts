import { describe, expect, test } from "vitest";
import type { TreeNode } from "../../../src/core/api.ts";
import { countStates, taskRows } from "../../../src/cli/top/task-rows.ts";
import { DONE, nodeOf } from "./nodes.ts";

const ALL = { filter: "", folded: new Set<string>() };
const shown = (nodes: readonly TreeNode[], query: Partial<typeof ALL> = {}): readonly string[] =>
  taskRows(nodes, { ...ALL, ...query }).map(({ branch, node }) => `${branch}${node.goal}`);

const TREE = nodeOf("a", {
  children: [nodeOf("b", { children: [nodeOf("c"), nodeOf("d", DONE)] }), nodeOf("e", { agent: "scout" })],
});

describe("rows", () => {
  test("stand in the order of the tree, with branches, and count what is below", () => {
    expect(shown([TREE])).toEqual(["goal a", "├─goal b", "│ ├─goal c", "│ └─goal d", "└─goal e"]);
    const [root, b] = taskRows([TREE], ALL);
    expect([root?.below, root?.living, b?.below, b?.living]).toEqual([4, 3, 2, 1]);
  });

  test("of trees that live come first, then those that ended, the last one first", () => {
    const ended = [nodeOf("1", DONE), nodeOf("2", DONE)];
    const late = nodeOf("3", { ...DONE, children: [nodeOf("4")] });
    expect(shown([...ended, TREE, late]).filter((line) => line.startsWith("goal"))).toEqual([
      "goal a",
      "goal 3",
      "goal 2",
      "goal 1",
    ]);
  });

  test("hide what is folded, and say so", () => {
    const folded = new Set([(TREE.children[0] as TreeNode).taskId]);
    expect(shown([TREE], { folded })).toEqual(["goal a", "├─goal b", "└─goal e"]);
    expect(taskRows([TREE], { ...ALL, folded })[1]).toMatchObject({ folded: true, below: 2 });
  });

  test.each([
    ["TASK_DDD", ["goal a", "└─goal b", "  └─goal d"]],
    ["scout", ["goal a", "└─goal e"]],
    ["done qwen3", ["goal a", "└─goal b", "  └─goal d"]],
    ["nothing like it", []],
  ])("with the filter %j lead to what fits all its words", (filter, lines) => {
    expect(shown([TREE], { filter })).toEqual(lines);
  });

  test("of ten thousand tasks and of a deep tree are all there, with branches that end", () => {
    const wide = Array.from({ length: 100 }, (_, at) =>
      nodeOf("f", { children: Array.from({ length: 99 }, () => nodeOf(`${at}`)) }),
    );
    expect(taskRows(wide, ALL)).toHaveLength(10_000);
    let deep = nodeOf("z");
    for (let level = 0; level < 100; level += 1) deep = nodeOf("y", { children: [deep] });
    const rows = taskRows([deep], ALL);
    expect(rows).toHaveLength(101);
    expect(Math.max(...rows.map(({ branch }) => branch.length))).toBeLessThan(20);
  });
});

test("states are counted over whole trees", () => {
  const waiting = nodeOf("w", {
    phase: "waiting_slot",
    children: [nodeOf("x", { state: "steering", phase: null })],
  });
  expect(countStates([TREE, waiting])).toEqual({ active: 5, waiting: 1, ended: 1 });
});
