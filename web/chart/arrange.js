// The ranks of a statechart, as dagre lays them out, and what dagre knows nothing of: room for the name of a box above what
// lies in it, arrows to boxes, and where arrows touch. Pure and deterministic.

import { boxOf, cornered } from "./box.js";
import { CHART } from "./chart-parts.js";
import { ported } from "./ports.js";

/** @import { Box } from "./box.js" */
/** @import { ChartNode, ChartParts } from "./chart-parts.js" */
/** @import { Line } from "./ports.js" */

/**
 * What is used of dagre.
 * @typedef {Pick<typeof import("@dagrejs/dagre"), "graphlib" | "layout">} Dagre
 */

/**
 * @typedef {object} Arranged
 * @property {ReadonlyMap<string, Box>} boxes By the id of the state; the ends of the machine are not among them.
 * @property {readonly (Line & { readonly label: Box })[]} lines
 */

const MARGIN = 12;
/** Room above what lies in a box, below its name. */
const INSET = 6;

/**
 * @param {ChartParts} parts
 * @param {Dagre} dagre
 * @returns {Arranged}
 */
export function arrange(parts, dagre) {
  const { boxes, lines } = withHeaders(parts, ranked(parts, dagre));
  const points = ported(lines, boxes);
  return { boxes, lines: lines.map((line) => ({ ...line, points: points.get(line.id) ?? line.points })) };
}

/**
 * Dagre's own answer. An open box takes no arrows there, so that its first inner state takes them for it.
 *
 * @param {ChartParts} parts
 * @param {Dagre} dagre
 * @returns {Arranged}
 */
function ranked({ nodes, arrows }, dagre) {
  const drawing = new dagre.graphlib.Graph({ compound: true, multigraph: true });
  drawing.setGraph({ rankdir: "TB", nodesep: 14, edgesep: 6, ranksep: 22, marginx: MARGIN, marginy: MARGIN });
  const byId = new Map(nodes.map((node) => [node.state.id, node]));
  const touched = new Set(arrows.flatMap(({ source, target }) => [source, target]));
  for (const { state, open, width, height, inside } of nodes) {
    if (isEnd(state, touched)) continue;
    drawing.setNode(state.id, open ? {} : { width, height });
    if (inside !== null) drawing.setParent(state.id, inside);
  }
  for (const { id, source, target, width, height } of arrows) {
    drawing.setEdge(innermost(byId, source), innermost(byId, target), { width, height, labelpos: "c" }, id);
  }
  dagre.layout(drawing);
  const boxes = new Map(drawing.nodes().map((/** @type {string} */ id) => [id, cornered(drawing.node(id))]));
  const lines = drawing.edges().map((/** @type {{ v: string, w: string, name?: string }} */ edge) => {
    const { points, ...label } = drawing.edge(edge);
    return { id: edge.name ?? "", from: edge.v, to: edge.w, points, label: cornered(label) };
  });
  return { boxes, lines };
}

/**
 * Everything below the top of an open box moved down, as far as its name and its rows need.
 *
 * @param {ChartParts} parts
 * @param {Arranged} arranged
 * @returns {Arranged}
 */
function withHeaders({ nodes }, arranged) {
  let { boxes, lines } = arranged;
  for (const { state, open, rows } of nodes) {
    if (!open) continue;
    const top = boxOf(boxes, state.id).y;
    const inner = nodes.filter((node) => node.inside === state.id).map((node) => boxOf(boxes, node.state.id));
    const needed = top + CHART.headerHeight + rows.length * CHART.rowHeight + INSET;
    const by = Math.max(0, needed - Math.min(...inner.map((box) => box.y)));
    boxes = new Map(
      [...boxes].map(([id, box]) => [id, lowered(box, { top, by, isOpen: isOpen(nodes, id) })]),
    );
    lines = lines.map((line) => ({
      ...line,
      label: lowered(line.label, { top, by, isOpen: false }),
      points: line.points.map(({ x, y }) => ({ x, y: y > top ? y + by : y })),
    }));
  }
  return { boxes, lines };
}

/**
 * @param {readonly ChartNode[]} nodes
 * @param {string} id
 */
function isOpen(nodes, id) {
  return nodes.some((node) => node.state.id === id && node.open);
}

/**
 * A box that lies below the line `top` goes down; an open one that it cuts through grows.
 *
 * @param {Box} box
 * @param {{ top: number, by: number, isOpen: boolean }} cut
 * @returns {Box}
 */
function lowered(box, { top, by, isOpen: mayGrow }) {
  if (mayGrow) {
    const isBelow = box.y > top;
    const grows = !isBelow && box.y + box.height > top;
    return { ...box, y: isBelow ? box.y + by : box.y, height: grows ? box.height + by : box.height };
  }
  return box.y + box.height / 2 > top ? { ...box, y: box.y + by } : box;
}

/**
 * A final state that no arrow touches has no rank of its own.
 *
 * @param {ChartNode["state"]} state
 * @param {ReadonlySet<string>} touched
 */
function isEnd(state, touched) {
  return state.kind === "final" && state.depth === 1 && !touched.has(state.id);
}

/**
 * @param {ReadonlyMap<string, ChartNode>} nodes
 * @param {string} id
 * @returns {string}
 */
function innermost(nodes, id) {
  const node = nodes.get(id);
  if (!node?.open) return id;
  return innermost(nodes, node.state.initial ?? node.state.children[0] ?? "");
}
