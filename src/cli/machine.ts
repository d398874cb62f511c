// `troupe machine`: a state machine of this Troupe, as text or as a mermaid diagram, from its own definition. It asks no
// server: the machine is part of the program.

import { NotFoundError } from "../base/errors.ts";
import { MACHINE_NAMES, shownMachine, type ShownMachine } from "../../machines/catalogue.ts";
import { machineGraph, moveText } from "../../web/model/machine-graph.js";
import { mermaidOf } from "../../web/model/mermaid.js";
import type { Command } from "./command.ts";
import type { Line } from "./printer.ts";

type Graph = ReturnType<typeof machineGraph>;
type State = Graph["states"][number];
type Move = Graph["moves"][number];

/** Contract: throws NotFoundError `machine_not_found`. */
export const machine: Command = async ({ words, flags, printer }) => {
  const [name] = words;
  if (name === undefined) return listMachines(printer);
  const shown = shownMachine(name);
  if (!shown) {
    const known = MACHINE_NAMES.join(", ");
    throw new NotFoundError("machine_not_found", `There is no machine "${name}". Known: ${known}.`);
  }
  const graph = machineGraph(shown.definition);
  const mermaid = mermaidOf(graph);
  printer.document(flags.has("mermaid") ? { name, version: shown.version, mermaid } : shown);
  const lines = flags.has("mermaid") ? mermaid.trimEnd().split("\n") : machineLines(shown, graph);
  for (const line of lines) printer.data(line);
  return "ok";
};

function listMachines(printer: Parameters<Command>[0]["printer"]): "ok" {
  printer.document({ machines: MACHINE_NAMES });
  for (const name of MACHINE_NAMES) {
    const { version, definition } = shownMachine(name) as ShownMachine;
    const [root] = machineGraph(definition).states;
    printer.data([["bold", name], `  version ${version}  ${root?.description}`]);
  }
  return "ok";
}

/** Pure. The machine as an outline: every state under the one that it lies in, with its moves. */
export function machineLines({ name, version }: ShownMachine, graph: Graph): readonly Line[] {
  const [root, ...states] = graph.states;
  if (!root) return [];
  return [
    [["bold", name], `  version ${version}`],
    `  ${root.description}`,
    ...moveLines(graph, root),
    ...states.flatMap((state) => ["", ...stateLines(graph, state)]),
  ];
}

function stateLines(graph: Graph, state: State): readonly Line[] {
  const pad = "  ".repeat(state.depth);
  const isInitial = graph.byId.get(state.parent ?? "")?.initial === state.id;
  const marks = [
    ...(isInitial ? ["initial"] : []),
    ...(state.kind === "final" ? ["final"] : []),
    ...(state.passing ? ["passing"] : []),
    ...state.invokes.map((actor) => `runs ${actor}`),
    ...(state.tags.length > 0 ? [`tags: ${state.tags.join(" ")}`] : []),
  ];
  return [
    [`${pad}`, ["bold", state.key], ["dim", marks.length > 0 ? `  (${marks.join("; ")})` : ""]],
    `${pad}  ${state.description}`,
    ...moveLines(graph, state),
  ];
}

function moveLines(graph: Graph, state: State): readonly Line[] {
  const pad = "  ".repeat(state.depth + 1);
  return graph.moves
    .filter((move) => move.source === state.id)
    .map((move): Line => [`${pad}${moveText(move)} `, ["cyan", `→ ${whereTo(graph, move)}`], doing(move)]);
}

function whereTo(graph: Graph, { target, reach, reenter }: Move): string {
  if (target === null) return "stays";
  if (reach === "self") return reenter ? "itself, anew" : "itself";
  return graph.byId.get(target)?.path ?? target;
}

function doing({ actions }: Move): readonly ["dim", string] {
  return ["dim", actions.length > 0 ? `  / ${actions.join(", ")}` : ""];
}
