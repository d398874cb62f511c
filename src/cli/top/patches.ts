// Keeps a tree true between two looks at it: the events that came since say where their tasks are now. Pure but for the
// map it is handed; what no event tells, such as a place in a queue, is as old as the look.

import type { TreeNode } from "../../core/api.ts";
import type { StoredEvent } from "../../core/event.ts";
import { isTerminal } from "../../core/lifecycle.ts";

/** The last event of each task since the look. */
export type Patches = ReadonlyMap<string, StoredEvent>;

/** The trees with their patches; the same object for each part that needs none. */
export function patched(nodes: readonly TreeNode[], patches: Patches): readonly TreeNode[] {
  if (patches.size === 0) return nodes;
  let changed = false;
  const next = nodes.map((node) => {
    const after = patchedNode(node, patches);
    changed ||= after !== node;
    return after;
  });
  return changed ? next : nodes;
}

function patchedNode(node: TreeNode, patches: Patches): TreeNode {
  const children = patched(node.children, patches);
  const event = patches.get(node.taskId);
  // An end is absorbing: an event from before it may come late.
  if (event === undefined || isTerminal(node.state))
    return children === node.children ? node : { ...node, children };
  const { state, phase, time } = event;
  const moved = state !== node.state || phase !== node.phase;
  if (!moved) return children === node.children ? node : { ...node, children };
  return {
    ...node,
    state,
    phase,
    children,
    // Why and where it waited is of the phase before.
    queuePosition: null,
    waitsFor: null,
    startedAt: node.startedAt ?? (state === "spawned" ? null : time),
    finishedAt: isTerminal(state) ? (node.finishedAt ?? time) : null,
  };
}
