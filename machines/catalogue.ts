// Every machine that people may look at, as data: its definition as XState gives it, and with it what XState leaves out
// there, the `always` of each state. It runs nothing.

import type { AnyStateMachine, AnyStateNode } from "xstate";
import type { InspectedMachine } from "../src/core/inspection.ts";
import { AGENT_MACHINE_VERSION, agentMachine } from "./agent.ts";
import { RESIDENCY_MACHINE_VERSION, residencyMachine } from "./residency.ts";

export interface ShownMachine {
  readonly name: string;
  readonly version: number;
  /** JSON: functions and inline guards are left out, targets are `#` and a state's id. */
  readonly definition: DefinedState;
}

/** A state of a definition, the machine itself among them; `web/model/machine-graph.js` reads the whole of it. */
export interface DefinedState {
  readonly id: string;
  readonly states: Readonly<Record<string, DefinedState>>;
  readonly always: readonly object[];
  readonly [key: string]: unknown;
}

const MACHINES: ReadonlyMap<string, { readonly version: number; readonly machine: AnyStateMachine }> =
  new Map<string, { readonly version: number; readonly machine: AnyStateMachine }>([
    ["agent", { version: AGENT_MACHINE_VERSION, machine: agentMachine }],
    ["residency", { version: RESIDENCY_MACHINE_VERSION, machine: residencyMachine }],
  ]);

export const MACHINE_NAMES: readonly string[] = [...MACHINES.keys()];

/** The machine of that name; `null` when there is none. */
export function shownMachine(name: string): ShownMachine | null {
  const found = MACHINES.get(name);
  return found ? { name, version: found.version, definition: definitionOf(found.machine) } : null;
}

/** Pure. Each machine's config as XState has it, as JSON text; of functions, their names. */
export function inspectedMachines(): readonly InspectedMachine[] {
  const nameOf = (_key: string, value: unknown): unknown =>
    typeof value === "function" ? { type: value.name } : value;
  return [...MACHINES].map(([name, { version, machine }]) => ({
    machine: name,
    version,
    config: JSON.stringify(machine.config, nameOf),
  }));
}

/** Pure. A machine's definition as JSON, with the `always` of every state. */
export function definitionOf(machine: AnyStateMachine): DefinedState {
  return withAlways(machine.root);
}

function withAlways(node: AnyStateNode): DefinedState {
  const own = JSON.parse(JSON.stringify({ ...node.definition, states: {}, always: node.always ?? [] }));
  const states = Object.entries(node.states).map(([key, child]) => [key, withAlways(child)]);
  return { ...own, states: Object.fromEntries(states) };
}
