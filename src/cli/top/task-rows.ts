// The tree as rows from top to bottom: what is folded is left out, and with a filter what neither fits nor leads to
// something that fits. Pure; ten thousand tasks are a few milliseconds, and only what the screen shows becomes text.

import type { TreeNode } from "../../core/api.ts";
import { isTerminal } from "../../core/lifecycle.ts";

export interface TaskRow {
  readonly node: TreeNode;
  /** 0 for a root. */
  readonly depth: number;
  /** What stands before it: `│  └─ `; empty for a root. */
  readonly branch: string;
  /** Tasks below it, at any depth. */
  readonly below: number;
  /** Those of them that have not ended. */
  readonly living: number;
  /** Whether those below it are hidden. */
  readonly folded: boolean;
}

export interface RowsQuery {
  /** Words that all must occur in a task, in any case of letters; empty shows all. */
  readonly filter: string;
  /** Ids of tasks whose children are hidden. */
  readonly folded: ReadonlySet<string>;
}

/** Levels that are drawn; those deeper stand under the last one. */
const DRAWN_LEVELS = 8;

interface Grown {
  readonly node: TreeNode;
  readonly children: readonly Grown[];
  readonly below: number;
  readonly living: number;
  readonly fits: boolean;
}

/** Contract: every shown task once, parents before children, in the order of the tree; trees that live come first. */
export function taskRows(nodes: readonly TreeNode[], { filter, folded }: RowsQuery): readonly TaskRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const roots = nodes.map((node) => grow(node, words)).filter(({ fits }) => fits);
  const lives = ({ node, living }: Grown): boolean => living > 0 || !isTerminal(node.state);
  const rows: TaskRow[] = [];
  // What was last to end is what a person looks for among the rest.
  for (const root of [...roots.filter(lives), ...roots.filter((root) => !lives(root)).reverse()]) {
    place(root, { rows, folded, depth: 0, branch: "", indent: "" });
  }
  return rows;
}

function grow(node: TreeNode, words: readonly string[]): Grown {
  const children = node.children.map((child) => grow(child, words));
  let below = 0;
  let living = 0;
  for (const child of children) {
    below += 1 + child.below;
    living += (isTerminal(child.node.state) ? 0 : 1) + child.living;
  }
  const fitting = words.length === 0 ? children : children.filter(({ fits }) => fits);
  return { node, children: fitting, below, living, fits: fitting.length > 0 || fitsWords(node, words) };
}

function fitsWords(node: TreeNode, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const { taskId, kind, agent, goal, model, state, phase } = node;
  const text = `${taskId} ${kind} ${agent} ${model} ${state} ${phase ?? ""} ${goal}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

interface Place {
  readonly rows: TaskRow[];
  readonly folded: ReadonlySet<string>;
  readonly depth: number;
  readonly branch: string;
  /** What stands before the branches of its children. */
  readonly indent: string;
}

function place(grown: Grown, { rows, folded, depth, branch, indent }: Place): void {
  const { node, below, living, children } = grown;
  const isFolded = folded.has(node.taskId) && children.length > 0;
  rows.push({ node, depth, branch, below, living, folded: isFolded });
  if (isFolded) return;
  const isDrawn = depth < DRAWN_LEVELS;
  children.forEach((child, index) => {
    const isLast = index === children.length - 1;
    place(child, {
      rows,
      folded,
      depth: depth + 1,
      branch: isDrawn ? `${indent}${isLast ? "└─" : "├─"}` : branch,
      indent: isDrawn ? `${indent}${isLast ? "  " : "│ "}` : indent,
    });
  });
}

/** How many tasks are in each of the words of `counts`, over whole trees. */
export function countStates(
  nodes: readonly TreeNode[],
): Readonly<Record<"active" | "waiting" | "ended", number>> {
  const counts = { active: 0, waiting: 0, ended: 0 };
  const add = (node: TreeNode): void => {
    if (isTerminal(node.state)) counts.ended += 1;
    else if (node.phase === "generating" || node.phase === "calling_tools" || node.state === "steering")
      counts.active += 1;
    else counts.waiting += 1;
    node.children.forEach(add);
  };
  nodes.forEach(add);
  return counts;
}
