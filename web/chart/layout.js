// Where everything of a statechart lies: boxes within boxes, arrows with labels that do not overlap. Pure and deterministic:
// the same definition and the same folding give the same picture.

import { machineGraph } from "../model/machine-graph.js";
import { arrange } from "./arrange.js";
import { around, boxOf, cornered, legs, overlap } from "./box.js";
import { chartParts } from "./chart-parts.js";
import { along, spline, withoutStart } from "./curve.js";

/** @import { MachineGraph } from "../model/machine-graph.js" */
/** @import { ChartArrow, ChartNode, ChartParts } from "./chart-parts.js" */
/** @import { Arranged, Dagre } from "./arrange.js" */
/** @import { Box } from "./box.js" */
/** @import { Point } from "./curve.js" */

/** @typedef {ChartNode & Box} PlacedNode */

/**
 * @typedef {object} Placed
 * @property {readonly Point[]} points From the border of the source to that of the target.
 * @property {string} path For the `d` of an SVG path.
 * @property {Box} label Of no size where nothing stands on it.
 */

/** @typedef {ChartArrow & Placed} PlacedArrow */

/**
 * @typedef {object} ChartLayout
 * @property {MachineGraph} graph
 * @property {readonly PlacedNode[]} nodes What lies outside first, so that it is drawn first.
 * @property {readonly PlacedArrow[]} edges
 * @property {ChartParts["rules"]} rules
 * @property {number} width
 * @property {number} height
 */

const MARGIN = 12;
const GAP = 16;
/** Room below the rest for what any state may do. */
const FOOTER = 18;
/** How far along a line its label may stand, tried in this order. */
const PLACES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9];

/**
 * Places a machine's states and moves.
 *
 * @param {unknown} definition As `GET /v1/machines/{name}` answers it, or the graph of one.
 * @param {{ readonly dagre: Dagre, readonly expanded?: Iterable<string>, readonly labels?: boolean }} options `expanded`: ids of the compound states whose
 *   own states are seen; all of them without it. `labels`: whether anything stands on the arrows; without it the drawing is half as large.
 * @returns {ChartLayout}
 * @throws {TypeError} for what is no definition.
 */
export function layoutChart(definition, { dagre, expanded, labels = true }) {
  const graph = isGraph(definition) ? definition : machineGraph(definition);
  const all = graph.states.filter((state) => state.children.length > 0).map((state) => state.id);
  const parts = chartParts(graph, new Set(expanded ?? all), labels);
  const arranged = arrange(parts, dagre);
  const boxes = withEnds(parts, arranged);
  const nodes = parts.nodes.map((node) => ({ ...node, ...boxOf(boxes, node.state.id) }));
  const edges = relabelled(
    parts.arrows.map((arrow) => placedArrow(arrow, arranged, boxes)),
    nodes,
  );
  const drawing = fitted(nodes, edges);
  const footer = parts.rules.length > 0 ? FOOTER : 0;
  return { graph, rules: parts.rules, ...drawing, height: drawing.height + footer };
}

/**
 * @param {unknown} value
 * @returns {value is MachineGraph}
 */
function isGraph(value) {
  return typeof value === "object" && value !== null && "byId" in value && value.byId instanceof Map;
}

/**
 * The ends of the machine in a column where there is room beside the rest, or else in a row below it.
 *
 * @param {ChartParts} parts
 * @param {Arranged} arranged
 * @returns {ReadonlyMap<string, Box>}
 */
function withEnds({ nodes }, arranged) {
  const boxes = new Map(arranged.boxes);
  const ends = nodes.filter(({ state }) => !boxes.has(state.id));
  if (ends.length === 0) return boxes;
  const taken = [
    ...boxes.values(),
    ...arranged.lines.flatMap(({ label, points }) => [label, ...legs(points)]),
  ];
  const all = around(taken);
  const width = Math.max(...ends.map((end) => end.width));
  const height = ends.reduce((sum, end) => sum + end.height + GAP, -GAP);
  const bottom = all.y + all.height - height;
  const column = [all.x, all.x + all.width - width]
    .map((x) => ({ x, y: bottom, width, height }))
    .find((box) => taken.every((other) => !overlap(box, other, GAP)));
  let x = column?.x ?? all.x;
  let y = column?.y ?? all.y + all.height + GAP;
  for (const end of ends) {
    const size = { width: column ? width : end.width, height: end.height };
    boxes.set(end.state.id, { x, y, ...size });
    if (column) y += end.height + GAP;
    else x += end.width + GAP;
  }
  return boxes;
}

/**
 * An arrow to an open box goes on to the state that the box begins in; one from it begins at its border.
 *
 * @param {ChartArrow} arrow
 * @param {Arranged} arranged
 * @param {ReadonlyMap<string, Box>} boxes
 * @returns {PlacedArrow}
 */
function placedArrow(arrow, arranged, boxes) {
  const line = arranged.lines.find(({ id }) => id === arrow.id);
  const points = withoutStart(line?.points ?? [], boxOf(boxes, arrow.source));
  return { ...arrow, points, path: spline(points), label: line?.label ?? cornered({}) };
}

/**
 * Labels on what is seen of their arrows: one that begins at the border of an open box may have had its label inside.
 *
 * @param {readonly PlacedArrow[]} arrows
 * @param {readonly PlacedNode[]} nodes
 * @returns {readonly PlacedArrow[]}
 */
function relabelled(arrows, nodes) {
  const open = new Map(nodes.flatMap((node) => (node.open ? [[node.state.id, node]] : [])));
  const isAstray = (/** @type {PlacedArrow} */ { source, label }) => {
    const box = open.get(source);
    return label.width > 0 && box !== undefined && overlap(box, label);
  };
  const taken = [
    ...nodes.filter((node) => !node.open),
    ...arrows.filter((arrow) => !isAstray(arrow)).map((arrow) => arrow.label),
  ];
  return arrows.map((arrow) => {
    if (!isAstray(arrow)) return arrow;
    const { width, height } = arrow.label;
    const places = PLACES.map((share) => cornered({ ...along(arrow.points, share), width, height }));
    const label = places.find((place) => taken.every((box) => !overlap(box, place))) ?? arrow.label;
    taken.push(label);
    return { ...arrow, label };
  });
}

/**
 * Everything moved so that it begins at the margin.
 *
 * @param {readonly PlacedNode[]} nodes
 * @param {readonly PlacedArrow[]} edges
 */
function fitted(nodes, edges) {
  const { x, y, width, height } = around([
    ...nodes,
    ...edges.flatMap((edge) => [edge.label, ...legs(edge.points)]),
  ]);
  const [dx, dy] = [MARGIN - x, MARGIN - y];
  const moved = edges.map((edge) => {
    const points = edge.points.map((point) => ({ x: point.x + dx, y: point.y + dy }));
    return {
      ...edge,
      points,
      path: spline(points),
      label: { ...edge.label, x: edge.label.x + dx, y: edge.label.y + dy },
    };
  });
  return {
    nodes: nodes.map((node) => ({ ...node, x: node.x + dx, y: node.y + dy })),
    edges: moved,
    width: Math.ceil(width + 2 * MARGIN),
    height: Math.ceil(height + 2 * MARGIN),
  };
}
