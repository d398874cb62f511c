// The rows of a list of trees: which tasks are shown, how deep, in what order. Pure.

import { isOver } from "./words.js";

/** @typedef {import("./forest.js").Forest} Forest */
/** @typedef {import("./item.js").Item} Item */

/**
 * @typedef {object} Row
 * @property {Item} item
 * @property {number} depth
 * @property {readonly boolean[]} lines For each level above, whether its line goes on below; the last is the row's own.
 * @property {boolean} folded Its children are hidden.
 * @property {number} hidden Tasks that are hidden below it.
 */

/** @typedef {"all" | "living" | "waiting" | "failed" | "done"} Which */

/** @type {Readonly<Record<Which, (item: Item) => boolean>>} */
const KINDS = {
  all: () => true,
  living: (item) => !isOver(item.state),
  waiting: ({ state, phase }) =>
    !isOver(state) && (phase === "queued" || phase === "waiting_slot" || phase === "backing_off"),
  failed: ({ state }) => state === "failed" || state === "cancelled",
  done: ({ state }) => state === "done",
};

/**
 * @typedef {object} Narrowing
 * @property {Which} which
 * @property {string} query Words that all have to stand in the goal, the agent, the model, the note or the id.
 * @property {ReadonlySet<string>} folded Ids of tasks whose children are hidden.
 * @property {string | null} root Only the tree of this task.
 */

/**
 * The rows, newest tree first; ancestors of what is found stay, so that a tree never falls apart.
 * @param {Forest} forest
 * @param {Narrowing} narrowing
 * @returns {readonly Row[]}
 */
export function outline(forest, { which, query, folded, root }) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const narrowed = which !== "all" || words.length > 0;
  const kept = narrowed ? keptIn(forest, (item) => KINDS[which](item) && hasWords(item, words)) : null;
  /** @type {Row[]} */
  const rows = [];
  /** @type {(id: string, lines: readonly boolean[]) => void} */
  const walk = (id, lines) => {
    const item = forest.items.get(id);
    if (item === undefined || (kept !== null && !kept.has(id))) return;
    const children = kept === null ? item.children : item.children.filter((child) => kept.has(child));
    const isFolded = folded.has(id) && children.length > 0;
    const hidden = isFolded ? countBelow(forest, item) : 0;
    rows.push({ item, depth: lines.length, lines, folded: isFolded, hidden });
    if (isFolded) return;
    for (const [at, child] of children.entries()) walk(child, [...lines, at < children.length - 1]);
  };
  if (root !== null) walk(root, []);
  else for (const id of forest.roots.toReversed()) walk(id, []);
  return rows;
}

/**
 * @param {Forest} forest
 * @param {(item: Item) => boolean} matches
 * @returns {ReadonlySet<string>}
 */
function keptIn(forest, matches) {
  /** @type {Set<string>} */
  const kept = new Set();
  for (const item of forest.items.values()) {
    if (!matches(item)) continue;
    /** @type {Item | undefined} */
    let at = item;
    while (at !== undefined && !kept.has(at.id)) {
      kept.add(at.id);
      at = at.parentId === null ? undefined : forest.items.get(at.parentId);
    }
  }
  return kept;
}

/**
 * @param {Item} item
 * @param {readonly string[]} words
 */
function hasWords(item, words) {
  if (words.length === 0) return true;
  const text = `${item.goal} ${item.agent} ${item.model} ${item.note} ${item.id}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * @param {Forest} forest
 * @param {Item} item
 * @returns {number}
 */
function countBelow(forest, item) {
  let sum = 0;
  for (const id of item.children) {
    const child = forest.items.get(id);
    if (child !== undefined) sum += 1 + countBelow(forest, child);
  }
  return sum;
}

/**
 * Tasks by what a person asks of a list.
 * @param {Forest} forest
 * @returns {Readonly<Record<Which, number>>}
 */
export function tally(forest) {
  const counts = { all: 0, living: 0, waiting: 0, failed: 0, done: 0 };
  for (const item of forest.items.values()) {
    for (const which of /** @type {Which[]} */ (Object.keys(counts)))
      if (KINDS[which](item)) counts[which] += 1;
  }
  return counts;
}

/**
 * Which rows of a long list are on screen.
 * @param {{ readonly top: number, readonly height: number, readonly rowHeight: number, readonly count: number }} view
 * @returns {{ readonly from: number, readonly to: number }} `to` is the first that is not shown; a few more than seen.
 */
export function visibleRows({ top, height, rowHeight, count }) {
  const spare = 6;
  const from = Math.max(0, Math.floor(top / rowHeight) - spare);
  const to = Math.min(count, Math.ceil((top + height) / rowHeight) + spare);
  return { from: Math.min(from, count), to: Math.max(to, 0) };
}
