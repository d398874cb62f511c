// A machine's graph as a mermaid `stateDiagram-v2`, for documents and for whoever pastes it somewhere. Pure. What a state
// diagram cannot draw it says in a note: moves of a state into its own states, and those that stay where they are.

import { moveText } from "./machine-graph.js";

/** @import { GraphMove, GraphState, MachineGraph } from "./machine-graph.js" */

/** More than so many labels on one arrow are counted instead of written. */
const MOST_LABELS = 4;

/**
 * The diagram, without a fence around it. The same graph gives the same text.
 *
 * @param {MachineGraph} graph
 * @returns {string} Lines that each end with a line feed.
 */
export function mermaidOf(graph) {
  const [root, ...states] = graph.states;
  const passing = states.filter((state) => state.passing).map(nameOf);
  const lines = [
    "stateDiagram-v2",
    ...insideLines(graph, root?.id ?? "", 1),
    ...arrowLines(graph),
    ...states.filter((state) => state.kind === "final").map((state) => `  ${nameOf(state)} --> [*]`),
    ...states.flatMap((state) => noteLines(graph, state)),
    ...(passing.length > 0
      ? ["  classDef passing stroke-dasharray: 4 3", `  class ${passing.join(", ")} passing`]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** @param {Pick<GraphState, "path">} state */
function nameOf({ path }) {
  return path.replaceAll(/\W/g, "__");
}

/**
 * The states inside of one, each nested in turn.
 *
 * @param {MachineGraph} graph
 * @param {string} id
 * @param {number} depth
 * @returns {readonly string[]}
 */
function insideLines(graph, id, depth) {
  const pad = "  ".repeat(depth);
  const inside = graph.states.filter((state) => state.parent === id);
  const initial = graph.byId.get(graph.byId.get(id)?.initial ?? "");
  return [
    ...(initial ? [`${pad}[*] --> ${nameOf(initial)}`] : []),
    ...inside.flatMap((state) => {
      const title = `${pad}state "${state.key}" as ${nameOf(state)}`;
      if (state.children.length === 0) return [title];
      return [`${title} {`, ...insideLines(graph, state.id, depth + 1), `${pad}}`];
    }),
  ];
}

/**
 * Every move that an arrow can show; those between the same two states share one. What any state of the machine may do is
 * drawn from each of its outermost states that are not the end.
 *
 * @param {MachineGraph} graph
 */
function arrowLines(graph) {
  /** @type {Map<string, string[]>} */
  const arrows = new Map();
  const outermost = graph.states.filter((state) => state.depth === 1 && state.kind !== "final");
  for (const move of graph.moves) {
    const target = graph.byId.get(move.target ?? "");
    const source = graph.byId.get(move.source);
    if (!target || !source || (move.reach === "inner" && source.depth > 0)) continue;
    for (const from of source.depth === 0 ? outermost : [source]) {
      const arrow = `${nameOf(from)} --> ${nameOf(target)}`;
      arrows.set(arrow, [...(arrows.get(arrow) ?? []), labelOf(move)]);
    }
  }
  return [...arrows].map(([arrow, labels]) => {
    const words = [...new Set(labels)].filter((label) => label !== "");
    const more = words.length - MOST_LABELS;
    const shown = more > 0 ? [...words.slice(0, MOST_LABELS), `and ${more} more`] : words;
    return shown.length === 0 ? `  ${arrow}` : `  ${arrow}: ${shown.join("<br/>")}`;
  });
}

/**
 * A label may hold neither what ends it nor what begins something else.
 *
 * @param {GraphMove} move
 */
function labelOf(move) {
  const text = move.kind === "always" && move.guard === "" ? "" : moveText(move);
  return text.replaceAll(/[:;#{}<>"\n]/g, " ");
}

/**
 * @param {MachineGraph} graph
 * @param {GraphState} state
 * @returns {readonly string[]}
 */
function noteLines(graph, state) {
  const inner = graph.moves.filter((move) => move.source === state.id && move.reach === "inner");
  if (inner.length === 0) return [];
  const lines = inner.map((move) => {
    const target = graph.byId.get(move.target ?? "");
    return `    from any of its states, ${labelOf(move)} leads to ${target?.key}`;
  });
  return [`  note right of ${nameOf(state)}`, ...lines, "  end note"];
}
