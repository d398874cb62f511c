// What a statechart shows of a machine's graph before anything has a place: which states are seen when some are folded up,
// which arrows are drawn between those, what stands on them, and how large each is. Pure; it knows no pixels of fonts, and
// takes every letter for as wide as in a font of fixed width.
//
// A move to an end of the whole machine is a row in the state that it leaves, not an arrow: nearly every state may fail, and
// so many long lines to one place would hide the rest. So are moves of a state to itself.

import { triggerText } from "../model/machine-graph.js";

/** @import { GraphMove, GraphState, MachineGraph } from "../model/machine-graph.js" */

/** Sizes in units of the drawing, which are CSS pixels at a zoom of 1. */
export const CHART = Object.freeze({
  nameChar: 7.7,
  labelChar: 6.1,
  labelLine: 12.5,
  nameHeight: 28,
  rowHeight: 14,
  padding: 10,
  headerHeight: 24,
  portGap: 11,
});

/** A label is broken between words before it is longer than this. */
const LINE_CHARS = 14;
/** Labels of more moves than these on one arrow are counted instead of written. */
const MOST_LABELS = 3;

/** An arrow that nothing stands on takes room nevertheless, so that two of them do not run into each other. */
const BARE = Object.freeze({ lines: [], width: 14, height: 4 });

/** Room beside a name for what folds the state up, and for how long a task was in it. */
const FOLD_WIDTH = 24;
const TIME_WIDTH = 36;

/** @typedef {{ readonly text: string, readonly kind: "trigger" | "guard" | "more" }} LabelLine */

/**
 * @typedef {object} ChartNode
 * @property {GraphState} state
 * @property {string | null} inside The seen state that it lies in; `null` on the outermost level.
 * @property {boolean} open Its own states are seen.
 * @property {readonly NodeRow[]} rows What stands below its name.
 * @property {number} width
 * @property {number} height
 */

/**
 * @typedef {object} NodeRow
 * @property {"runs" | "end" | "self" | "rule"} kind An actor that runs in it; a move to an end of the machine; to itself; from any
 *   of its states into one of them.
 * @property {string} text
 * @property {readonly string[]} moves Ids of the moves that it stands for.
 */

/**
 * @typedef {object} ChartArrow
 * @property {string} id
 * @property {string} source Id of a seen state.
 * @property {string} target
 * @property {readonly string[]} moves Ids of the moves that it stands for.
 * @property {readonly LabelLine[]} lines
 * @property {number} width Of its label.
 * @property {number} height
 */

/**
 * @typedef {object} ChartParts
 * @property {readonly ChartNode[]} nodes What lies outside first.
 * @property {readonly ChartArrow[]} arrows
 * @property {readonly NodeRow[]} rules What any state of the machine may do.
 */

/**
 * @param {MachineGraph} graph
 * @param {ReadonlySet<string>} expanded Ids of the compound states whose own states are seen.
 * @param {boolean} [labels] Whether anything stands on the arrows.
 * @returns {ChartParts}
 */
export function chartParts(graph, expanded, labels = true) {
  const isOpen = (/** @type {GraphState} */ state) => state.children.length > 0 && expanded.has(state.id);
  /** @type {Map<string, string>} Every state, and the seen one that stands for it. */
  const standIn = new Map();
  /** @type {{ state: GraphState, inside: string | null, open: boolean }[]} */
  const seen = [];
  for (const state of graph.states.slice(1)) {
    const parent = graph.byId.get(state.parent ?? "");
    const inside = parent && parent.depth > 0 ? parent : null;
    const isSeen = inside === null || (standIn.get(inside.id) === inside.id && isOpen(inside));
    standIn.set(state.id, isSeen ? state.id : (standIn.get(inside?.id ?? "") ?? state.id));
    if (isSeen) seen.push({ state, inside: inside?.id ?? null, open: isOpen(state) });
  }
  const ends = endsOf(graph);
  const rules = ruleRows(graph, graph.states[0]?.id ?? "");
  const arrows = arrowsOf(graph, standIn, ends);
  const touching = (/** @type {string} */ id) =>
    arrows.filter((arrow) => arrow.source === id || arrow.target === id);
  const nodes = seen.map((each) => {
    const node = nodeOf(graph, each, { standIn, ends });
    return { ...node, width: Math.max(node.width, touching(each.state.id).length * CHART.portGap) };
  });
  return { nodes, arrows: arrows.map((arrow) => (labels ? arrow : { ...arrow, ...BARE })), rules };
}

/**
 * The outermost final states of a machine that has states within states.
 *
 * @param {MachineGraph} graph
 * @returns {ReadonlySet<string>}
 */
function endsOf(graph) {
  if (!graph.states.some((state) => state.depth > 1)) return new Set();
  return new Set(graph.states.flatMap(({ depth, kind, id }) => (depth === 1 && kind === "final" ? id : [])));
}

/**
 * @param {MachineGraph} graph
 * @param {{ state: GraphState, inside: string | null, open: boolean }} seen
 * @param {{ standIn: ReadonlyMap<string, string>, ends: ReadonlySet<string> }} world
 * @returns {ChartNode}
 */
function nodeOf(graph, { state, inside, open }, { standIn, ends }) {
  const own = graph.moves.filter((move) => standIn.get(move.source) === state.id);
  const reached = [...ends].filter((end) => own.some((move) => move.target === end));
  const self = own.filter((move) => move.reach === "self" && move.source === state.id);
  /** @type {readonly NodeRow[]} */
  const rows = [
    ...state.invokes.map((actor) => ({ kind: /** @type {const} */ ("runs"), text: `▸ ${actor}`, moves: [] })),
    ...self.map((move) => ({
      kind: /** @type {const} */ ("self"),
      text: `↻ ${plain(labelOf(graph, move))}`,
      moves: [move.id],
    })),
    ...ruleRows(graph, state.id),
    ...reached.map((end) => ({
      kind: /** @type {const} */ ("end"),
      text: `→ ${wordsOf(graph.byId.get(end) ?? { key: end })}`,
      moves: own.filter((move) => move.target === end).map((move) => move.id),
    })),
  ];
  const isTimed = state.kind !== "final" && !state.passing;
  const beside = (state.children.length > 0 ? FOLD_WIDTH : 0) + (isTimed ? TIME_WIDTH : 0);
  const name = wordsOf(state).length * CHART.nameChar + beside;
  const longest = Math.max(0, ...rows.map(({ text }) => text.length * CHART.labelChar));
  return {
    state,
    inside,
    open,
    rows,
    width: Math.max(64, Math.ceil(Math.max(name, longest) + 2 * CHART.padding)),
    height: CHART.nameHeight + rows.length * CHART.rowHeight + (rows.length > 0 ? 4 : 0),
  };
}

/**
 * @param {MachineGraph} graph
 * @param {string} id
 * @returns {readonly NodeRow[]}
 */
function ruleRows(graph, id) {
  return graph.moves
    .filter((move) => move.source === id && move.reach === "inner")
    .map((move) => {
      const target = wordsOf(graph.byId.get(move.target ?? "") ?? { key: "" });
      return { kind: "rule", text: `${plain(labelOf(graph, move))} → ${target}`, moves: [move.id] };
    });
}

/**
 * The name that a state is shown by: `waiting slot`.
 *
 * @param {Pick<GraphState, "key">} state
 */
export function wordsOf({ key }) {
  return key.replaceAll("_", " ");
}

/**
 * One arrow for all moves between the same two seen states. Moves inside of a folded state, into a state's own states, to
 * an end and to nowhere are no arrows.
 *
 * @param {MachineGraph} graph
 * @param {ReadonlyMap<string, string>} standIn
 * @param {ReadonlySet<string>} ends
 * @returns {readonly ChartArrow[]}
 */
function arrowsOf(graph, standIn, ends) {
  /** @type {Map<string, { source: string, target: string, moves: GraphMove[] }>} */
  const arrows = new Map();
  for (const move of graph.moves) {
    const source = standIn.get(move.source);
    const target = standIn.get(move.target ?? "");
    if (source === undefined || target === undefined || source === target) continue;
    if (move.reach === "inner" || ends.has(target)) continue;
    const id = `${source}→${target}`;
    const found = arrows.get(id);
    if (found) found.moves.push(move);
    else arrows.set(id, { source, target, moves: [move] });
  }
  return [...arrows].map(([id, { source, target, moves }]) => {
    const lines = linesOf(moves.map((move) => labelOf(graph, move)));
    const longest = Math.max(0, ...lines.map(({ text }) => text.length));
    const size = {
      width: Math.ceil(longest * CHART.labelChar + 8),
      height: Math.ceil(lines.length * CHART.labelLine + 4),
    };
    return {
      id,
      source,
      target,
      moves: moves.map((move) => move.id),
      lines,
      ...(lines.length === 0 ? BARE : size),
    };
  });
}

/** @typedef {readonly LabelLine[]} Label */

/**
 * @param {readonly Label[]} labels
 * @returns {readonly LabelLine[]}
 */
function linesOf(labels) {
  const own = [...new Map(labels.map((label) => [plain(label), label])).values()];
  const more = own.length - MOST_LABELS;
  /** @type {readonly LabelLine[]} */
  const rest = more > 0 ? [{ text: `and ${more} more`, kind: "more" }] : [];
  return [...own.slice(0, MOST_LABELS).flat().flatMap(broken), ...rest];
}

/**
 * @param {LabelLine} line
 * @returns {readonly LabelLine[]}
 */
function broken({ text, kind }) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > LINE_CHARS) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((each) => ({ text: each, kind }));
}

/** @param {Label} label */
function plain(label) {
  return label.map(({ text }) => text).join(" ");
}

/**
 * What stands on an arrow: a trigger, a guard, or both. That an actor is done goes without saying where a guard tells what
 * it came to, and the actor is named only where a state runs several.
 *
 * @param {MachineGraph} graph
 * @param {GraphMove} move
 * @returns {Label}
 */
function labelOf(graph, move) {
  const isOnly = graph.byId.get(move.source)?.invokes.length === 1;
  const isEnd = isOnly && (move.kind === "done" || move.kind === "error");
  const trigger = isEnd ? (move.kind === "done" ? "done" : "error") : triggerText(move);
  const goesWithout = move.kind === "always" || (isEnd && move.kind === "done" && move.guard !== "");
  return [
    ...(goesWithout ? [] : [{ text: trigger, kind: /** @type {const} */ ("trigger") }]),
    ...(move.guard === ""
      ? []
      : [{ text: `[${inWords(move.guard)}]`, kind: /** @type {const} */ ("guard") }]),
  ];
}

/**
 * `mailBeginsTurn` as `mail begins turn`.
 *
 * @param {string} name
 */
function inWords(name) {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}
