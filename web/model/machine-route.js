// How a machine may have gone from one state to the next that was seen of it: by one move, or by several over states that
// never rest and so are never seen. Pure.

import { lineage } from "./machine-graph.js";

/** @import { GraphMove, MachineGraph } from "./machine-graph.js" */

/**
 * The shortest way, its moves in order: by the states' own moves over states that never rest; else by their ancestors' moves
 * too; else over as few states as can be that it may have rested in for no time at all. A compound state is entered at the state that it
 * begins in.
 *
 * @param {MachineGraph} graph
 * @param {string} from Id of a state.
 * @param {string} to Id of a state.
 * @returns {readonly GraphMove[]} Empty where there is no such way.
 */
export function routeBetween(graph, from, to) {
  const search = { from, to, movesFrom: (/** @type {string} */ id) => ownMoves(graph, id), overAny: false };
  const all = { ...search, movesFrom: (/** @type {string} */ id) => allMoves(graph, id) };
  for (const each of [search, all, { ...search, overAny: true }]) {
    const way = wayBy(graph, each);
    if (way.length > 0) return way;
  }
  return [];
}

/**
 * @param {MachineGraph} graph
 * @param {{ from: string, to: string, movesFrom: (id: string) => readonly GraphMove[], overAny: boolean }} search
 * @returns {readonly GraphMove[]}
 */
function wayBy(graph, { from, to, movesFrom, overAny }) {
  /** @type {{ way: readonly GraphMove[], rests: number }[]} */
  let open = [{ way: [], rests: 0 }];
  const seen = new Set([from]);
  for (let next = open[0]; next; next = open[0]) {
    const { way, rests } = next;
    open = open.slice(1);
    for (const move of movesFrom(entered(graph, way.at(-1)?.target ?? from))) {
      const target = entered(graph, move.target ?? "");
      if (target === to || move.target === to) return [...way, move];
      const rest = graph.byId.get(target)?.passing ? 0 : 1;
      if (seen.has(target) || (rest > 0 && !overAny)) continue;
      seen.add(target);
      open.push({ way: [...way, move], rests: rests + rest });
    }
    open.sort((a, b) => a.rests - b.rests || a.way.length - b.way.length);
  }
  return [];
}

/**
 * @param {MachineGraph} graph
 * @param {string} id
 * @returns {readonly GraphMove[]}
 */
function ownMoves(graph, id) {
  return graph.moves.filter((move) => move.source === id && move.target !== null);
}

/**
 * What may happen in a state, its own moves before those of what it lies in.
 *
 * @param {MachineGraph} graph
 * @param {string} id
 * @returns {readonly GraphMove[]}
 */
function allMoves(graph, id) {
  return lineage(graph, id).flatMap((each) => ownMoves(graph, each));
}

/**
 * The state that a machine is in once it has entered one.
 *
 * @param {MachineGraph} graph
 * @param {string} id
 * @returns {string}
 */
function entered(graph, id) {
  const initial = graph.byId.get(id)?.initial;
  return initial ? entered(graph, initial) : id;
}
