// Tasks as a page knows them: folded from a snapshot of the server's trees and the events that follow. The same fold gives
// the past: from no snapshot and the events up to a cursor. It reads no clock; events carry their times.
//
// F1. An event is applied once: one whose sequence the task has passed changes nothing.
// F2. The end of a task is absorbing.
// F3. A task whose parent is unknown is a root until the parent appears.

import { change, itemOfEvent, itemOfNode } from "./item.js";

/** @typedef {import("./item.js").Item} Item */
/** @typedef {import("./item.js").TreeNode} TreeNode */
/** @typedef {import("./item.js").StoredEvent} StoredEvent */

/**
 * @typedef {object} Forest
 * @property {Map<string, Item>} items
 * @property {string[]} roots
 * @property {Map<string, string[]>} orphans Children by the id of a parent that is not known (yet).
 * @property {number} cursor The last event that was applied.
 * @property {number} shape Raised when a task appears or changes its state: lists are to be made anew.
 */

/** @returns {Forest} */
export function newForest() {
  return { items: new Map(), roots: [], orphans: new Map(), cursor: 0, shape: 0 };
}

/**
 * A forest of what the server shows (`GET /v1/tree`).
 * @param {readonly TreeNode[]} trees
 * @param {Forest} [known] What was known before: the looks that a snapshot does not have are kept from it.
 * @param {number} [since] Its cursor when the snapshot was asked for: what came later may be missing there.
 */
export function forestOf(trees, known, since = Infinity) {
  const forest = newForest();
  forest.shape = (known?.shape ?? 0) + 1;
  forest.cursor = known?.cursor ?? 0;
  /** @type {(node: TreeNode, parent: Item | null) => void} */
  const plant = (node, parent) => {
    const before = known?.items.get(node.task_id);
    // Events may have been faster than the snapshot (keeps F1).
    const item = before && before.seq > node.last_event ? before : itemOfNode(node, parent, before);
    item.children = [];
    add(forest, item);
    for (const child of node.children) plant(child, item);
  };
  for (const tree of trees) plant(tree, null);
  for (const item of known?.items.values() ?? []) {
    if (item.cursor > since && !forest.items.has(item.id)) add(forest, { ...item, children: [] });
  }
  return forest;
}

/**
 * @param {Forest} forest
 * @param {Item} item
 */
function add(forest, item) {
  forest.items.set(item.id, item);
  item.children.push(...(forest.orphans.get(item.id) ?? []));
  for (const id of item.children) forest.roots = forest.roots.filter((root) => root !== id);
  forest.orphans.delete(item.id);
  const parent = item.parentId === null ? undefined : forest.items.get(item.parentId);
  if (parent) {
    parent.children.push(item.id);
    return;
  }
  forest.roots.push(item.id);
  if (item.parentId !== null) {
    const waiting = forest.orphans.get(item.parentId) ?? [];
    forest.orphans.set(item.parentId, [...waiting, item.id]);
  }
}

/**
 * Applies one event, in place (keeps F1, F2).
 * @param {Forest} forest
 * @param {StoredEvent} event
 */
export function applyEvent(forest, event) {
  forest.cursor = Math.max(forest.cursor, event.cursor);
  let item = forest.items.get(event.task_id);
  if (item === undefined) {
    item = itemOfEvent(event);
    add(forest, item);
    forest.shape += 1;
  } else if (event.seq <= item.seq) {
    return;
  }
  if (change(item, event)) forest.shape += 1;
}

/**
 * The forest as it was right after an event: the past of a task or a tree.
 * @param {readonly StoredEvent[]} events Oldest first.
 * @param {number} at The cursor of the last event that counts.
 */
export function forestAt(events, at) {
  const forest = newForest();
  for (const event of events) {
    if (event.cursor > at) break;
    applyEvent(forest, event);
  }
  return forest;
}
