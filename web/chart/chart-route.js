// The way that a task has just gone, as lines over a drawn chart: along its arrows where it has them, and straight where a
// move is no arrow (to an end of the machine, or by a rule of what the state lies in). Pure.

import { routeBetween } from "../model/machine-route.js";
import { spline, withoutStart } from "./curve.js";

/** @import { Box } from "./box.js" */
/** @import { ChartLayout } from "./layout.js" */

/** @typedef {{ readonly path: string, readonly drawn: boolean }} RouteLine `drawn`: it lies on an arrow of the chart. */

/**
 * @param {ChartLayout} layout
 * @param {string} from Id of a state.
 * @param {string} to Id of a state.
 * @returns {readonly RouteLine[]} In order; none where both are folded up in one.
 */
export function routeLines(layout, from, to) {
  const moves = routeBetween(layout.graph, from, to);
  if (moves.length === 0) return straight(layout, from, to);
  let at = from;
  return moves.flatMap((move) => {
    const edge = layout.edges.find((each) => each.moves.includes(move.id));
    const lines = edge ? [{ path: edge.path, drawn: true }] : straight(layout, at, move.target ?? at);
    at = move.target ?? at;
    return lines;
  });
}

/**
 * @param {ChartLayout} layout
 * @param {string} from
 * @param {string} to
 * @returns {readonly RouteLine[]}
 */
function straight(layout, from, to) {
  const [source, target] = [seen(layout, from), seen(layout, to)];
  if (!source || !target || source.state.id === target.state.id) return [];
  const line = withoutStart([middle(source), middle(target)], source).toReversed();
  return [{ path: spline(withoutStart(line, target).toReversed()), drawn: false }];
}

/**
 * The drawn state that stands for one: itself, or what it is folded up in.
 *
 * @param {ChartLayout} layout
 * @param {string} id
 * @returns {ChartLayout["nodes"][number] | null}
 */
export function seen(layout, id) {
  const node = layout.nodes.find(({ state }) => state.id === id);
  if (node) return node;
  const parent = layout.graph.byId.get(id)?.parent;
  return parent ? seen(layout, parent) : null;
}

/** @param {Box} box */
function middle({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}
