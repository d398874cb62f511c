// A machine's own definition as a graph: states, and the moves between them. Pure; it draws nothing and places nothing, so
// that the chart of the browser, the text of the terminal and the picture of the documents show the same machine.
// It reads what `GET /v1/machines/{name}` answers and refuses what is no machine with a TypeError.

/**
 * @typedef {object} Definition A machine as XState gives it, as JSON, with the `always` of each state beside it.
 * @property {string} id
 * @property {string} key
 * @property {string} [type] `atomic`, `compound`, `parallel`, `final` or `history`.
 * @property {{ readonly target?: readonly string[] } | null} [initial]
 * @property {Readonly<Record<string, Definition>>} [states]
 * @property {readonly DefinedMove[]} [transitions]
 * @property {readonly DefinedMove[]} [always]
 * @property {readonly Named[]} [entry]
 * @property {readonly Named[]} [exit]
 * @property {readonly { readonly id?: string, readonly src?: Named }[]} [invoke]
 * @property {string} [description]
 * @property {readonly string[]} [tags]
 * @property {unknown} [meta]
 */

/** @typedef {string | { readonly type?: string }} Named An action, a guard or an actor: its name, or an object that has it. */

/**
 * @typedef {object} DefinedMove
 * @property {string} [eventType]
 * @property {readonly string[]} [target] Ids of states, each after a `#`.
 * @property {Named} [guard]
 * @property {readonly Named[]} [actions]
 * @property {boolean} [reenter]
 * @property {string} [description]
 */

/**
 * @typedef {object} GraphState
 * @property {string} id The whole id: `agent.running.generating`.
 * @property {string} key Its last word.
 * @property {string} path The id without the machine's: `running.generating`; empty for the machine itself.
 * @property {string | null} parent `null` for the machine itself.
 * @property {number} depth 0 for the machine itself.
 * @property {"atomic" | "compound" | "parallel" | "final" | "history"} kind
 * @property {string | null} initial The child that it begins in.
 * @property {readonly string[]} children In the order of the definition.
 * @property {string} description Empty where there is none.
 * @property {readonly string[]} tags
 * @property {unknown} meta
 * @property {readonly string[]} invokes Names of the actors that run while it lasts.
 * @property {readonly string[]} entry Names of the actions on the way in.
 * @property {readonly string[]} exit
 * @property {boolean} passing It never rests: the last of its `always` has no guard.
 */

/**
 * @typedef {object} GraphMove
 * @property {string} id Unique in the graph, and the same for the same definition.
 * @property {string} source
 * @property {string | null} target `null` where nothing is left: only its actions are run.
 * @property {"event" | "always" | "after" | "done" | "error"} kind
 * @property {string} event The event's name, the delay of `after`, or the actor that is done or has failed.
 * @property {string} guard Empty where there is none.
 * @property {readonly string[]} actions
 * @property {boolean} reenter
 * @property {"self" | "inner" | "outer"} reach To itself; from an ancestor into its own states; anywhere else.
 * @property {string} description
 */

/**
 * @typedef {object} MachineGraph
 * @property {string} id
 * @property {readonly GraphState[]} states The machine first, then depth first in the order of the definition.
 * @property {readonly GraphMove[]} moves In the order of their states, and of their priority within one.
 * @property {ReadonlyMap<string, GraphState>} byId
 */

const KINDS = /** @type {const} */ (["atomic", "compound", "parallel", "final", "history"]);

/**
 * The graph of a definition.
 *
 * @param {unknown} definition As `GET /v1/machines/{name}` answers it.
 * @returns {MachineGraph}
 * @throws {TypeError} for what has no id and no states, or whose moves lead nowhere.
 */
export function machineGraph(definition) {
  if (!isDefinition(definition)) {
    throw new TypeError(
      "Expected the definition of a machine (an object with an id and states), got something else.",
    );
  }
  /** @type {GraphState[]} */
  const states = [];
  /** @type {GraphMove[]} */
  const moves = [];
  walk(definition, null, { states, moves });
  const byId = new Map(states.map((state) => [state.id, state]));
  for (const { id, target } of moves) {
    if (target !== null && !byId.has(target)) {
      throw new TypeError(`Expected the move ${id} to lead to a state of ${definition.id}, got ${target}.`);
    }
  }
  return { id: definition.id, states, moves, byId };
}

/**
 * @param {unknown} value
 * @returns {value is Definition}
 */
function isDefinition(value) {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "string" &&
    "states" in value &&
    typeof value.states === "object" &&
    value.states !== null
  );
}

/**
 * @param {Definition} node
 * @param {GraphState | null} parent
 * @param {{ states: GraphState[], moves: GraphMove[] }} found
 */
function walk(node, parent, found) {
  const children = Object.values(node.states ?? {});
  const always = node.always ?? [];
  const last = always.at(-1);
  /** @type {GraphState} */
  const state = {
    id: node.id,
    key: node.key ?? node.id.split(".").at(-1) ?? node.id,
    path: parent === null ? "" : node.id.slice(node.id.indexOf(".") + 1),
    parent: parent?.id ?? null,
    depth: parent === null ? 0 : parent.depth + 1,
    kind: KINDS.find((kind) => kind === node.type) ?? (children.length > 0 ? "compound" : "atomic"),
    initial: bare(node.initial?.target?.[0]),
    children: children.map((child) => child.id),
    description: node.description ?? "",
    tags: node.tags ?? [],
    meta: node.meta,
    invokes: (node.invoke ?? []).map(({ src, id }) => nameOf(src) || (id ?? "")),
    entry: (node.entry ?? []).map(nameOf),
    exit: (node.exit ?? []).map(nameOf),
    passing: last !== undefined && !last.guard,
  };
  found.states.push(state);
  const all = [...always.map((move) => ({ ...move, eventType: "" })), ...(node.transitions ?? [])];
  for (const [at, move] of all.entries()) found.moves.push(moveOf(state, move, at));
  for (const child of children) walk(child, state, found);
}

/**
 * @param {GraphState} source
 * @param {DefinedMove} move
 * @param {number} at
 * @returns {GraphMove}
 */
function moveOf(source, move, at) {
  const target = bare(move.target?.[0]);
  return {
    id: `${source.id}/${at}`,
    source: source.id,
    target,
    ...triggerOf(move.eventType ?? "", source),
    guard: nameOf(move.guard),
    actions: (move.actions ?? []).map(nameOf),
    reenter: move.reenter === true,
    reach: target === source.id ? "self" : target?.startsWith(`${source.id}.`) ? "inner" : "outer",
    description: move.description ?? "",
  };
}

/**
 * What sets a move off. XState writes an actor's end as `xstate.done.actor.0.agent.running.generating`.
 *
 * @param {string} type
 * @param {GraphState} source
 * @returns {Pick<GraphMove, "kind" | "event">}
 */
function triggerOf(type, source) {
  if (type === "") return { kind: "always", event: "" };
  const after = /^xstate\.after\.(.+?)\./.exec(type);
  if (after) return { kind: "after", event: after[1] ?? "" };
  if (type.startsWith("xstate.done.state.")) return { kind: "done", event: source.key };
  const actor = /^xstate\.(done|error)\.actor\.(?:(\d+)\.)?(.*)$/.exec(type);
  if (!actor) return { kind: "event", event: type };
  const event = (actor[2] === undefined ? actor[3] : source.invokes[Number(actor[2])]) ?? "";
  return { kind: actor[1] === "done" ? "done" : "error", event };
}

/** @param {Named | undefined} named */
function nameOf(named) {
  return (typeof named === "string" ? named : named?.type) ?? "";
}

/**
 * @param {string | undefined} target
 * @returns {string | null}
 */
function bare(target) {
  return target === undefined ? null : target.replace(/^#/, "");
}

/**
 * What sets a move off, in words: `mail.arrived`, `always`, `after 500`, `generate done`.
 *
 * @param {Pick<GraphMove, "kind" | "event">} move
 */
export function triggerText({ kind, event }) {
  if (kind === "always") return "always";
  if (kind === "after") return `after ${event}`;
  return kind === "event" ? event : `${event} ${kind === "done" ? "done" : "failed"}`;
}

/**
 * A move in one line: what sets it off, and under which guard.
 *
 * @param {Pick<GraphMove, "kind" | "event" | "guard">} move
 */
export function moveText(move) {
  const trigger = triggerText(move);
  if (move.guard === "") return trigger;
  return move.kind === "always" ? `[${move.guard}]` : `${trigger} [${move.guard}]`;
}

/**
 * The states that are lit for a state of the machine, itself and its ancestors, the machine last.
 *
 * @param {MachineGraph} graph
 * @param {string} id
 * @returns {readonly string[]}
 */
export function lineage(graph, id) {
  const state = graph.byId.get(id);
  if (!state) return [];
  return state.parent === null ? [id] : [id, ...lineage(graph, state.parent)];
}

/**
 * The state that a task's `state` and `phase` name: `running` and `generating` are `agent.running.generating`.
 *
 * @param {MachineGraph} graph
 * @param {string} state
 * @param {string | null} [phase]
 * @returns {string | null} `null` where the machine has no such state.
 */
export function stateIdOf(graph, state, phase = null) {
  const outer = `${graph.id}.${state}`;
  const inner = `${outer}.${phase}`;
  if (phase !== null && graph.byId.has(inner)) return inner;
  return graph.byId.has(outer) ? outer : null;
}
