// docs/lifecycle.md: what a task and a model go through, drawn and told from the machines' own definitions. Pure; the
// document is written by `npm run docs`, and a test compares it with what this says.

import { MACHINE_NAMES, shownMachine } from "../machines/catalogue.ts";
import { machineGraph, moveText } from "../web/model/machine-graph.js";
import { mermaidOf } from "../web/model/mermaid.js";

type Graph = ReturnType<typeof machineGraph>;
type State = Graph["states"][number];

const HEAD = `# Lifecycles

Written by \`npm run docs\` from \`machines/agent.ts\` and \`machines/residency.ts\`; a test compares, so change those. In a terminal,
\`troupe machine agent\` and \`troupe machine agent --mermaid\` show the same; \`GET /v1/machines/agent\` gives the definition.

Dashed states never rest: they choose where to go on. In brackets stands what must hold for a move.
`;

export function lifecycleDocument(): string {
  return [HEAD, ...MACHINE_NAMES.map(machinePart)].join("\n");
}

function machinePart(name: string): string {
  const shown = shownMachine(name);
  if (!shown) return "";
  const graph = machineGraph(shown.definition);
  const [root, ...states] = graph.states;
  return [
    `## ${name}, version ${shown.version}`,
    "",
    root?.description ?? "",
    "",
    `\`\`\`mermaid\n${mermaidOf(graph)}\`\`\``,
    "",
    "| state | what it is | tags | goes on |",
    "|---|---|---|---|",
    ...(root ? [row("any of them", root, movesText(graph, root))] : []),
    ...states.map((state) => row(`\`${state.path}\``, state, movesText(graph, state))),
    "",
  ].join("\n");
}

function row(title: string, state: State, moves: string): string {
  const runs = state.invokes.map((actor) => ` Runs \`${actor}\`.`).join("");
  return `| ${[title, `${state.description}${runs}`, state.tags.join(", "), moves].join(" | ")} |`;
}

function movesText(graph: Graph, state: State): string {
  return graph.moves
    .filter((move) => move.source === state.id)
    .map((move) => `${moveText(move)} → ${graph.byId.get(move.target ?? "")?.path ?? "stays"}`)
    .join("<br>");
}
