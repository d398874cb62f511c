// Generated paths through the agent machine: xstate/graph finds the shortest way to every situation, a live actor
// with hand-settled effects walks it and one step on, and every state and every transition of the definition must
// have been taken. A transition that is added without a way to it fails here.

import { describe, expect, it } from "vitest";
import type { ActorLogic, InspectionEvent } from "xstate";
import { adjacencyMapToArray, getAdjacencyMap, getShortestPaths, type StatePath } from "xstate/graph";
import { agentMachine, type AgentEvent, type AgentInput, type AgentSnapshot } from "../../machines/agent.ts";
import type { TaskKind } from "../../src/core/task.ts";
import {
  allStates,
  allTransitions,
  essence,
  eventsIn,
  graphInput,
  isEffectEnded,
  nameOf,
  THEMES,
  type GraphEvent,
  type Theme,
} from "./agent-graph.ts";
import { Host, pathOf } from "./host.ts";

interface Walk {
  readonly kind: TaskKind;
  readonly steps: StatePath<AgentSnapshot, AgentEvent>["steps"];
}

/** The shortest way to each situation of a theme, and on from there by each event of a kind not walked before. */
function walksOf(kind: TaskKind, theme: Theme): readonly Walk[] {
  const options = {
    input: graphInput(kind),
    // XState's type of the machine's events leaves out the ends of its effects, which it hears as well.
    events: (snapshot: AgentSnapshot) => eventsIn(snapshot, theme) as readonly AgentEvent[],
    serializeState: essence,
  };
  // The two functions of the library see the type of the same machine differently.
  const logic = agentMachine as unknown as ActorLogic<AgentSnapshot, AgentEvent, AgentInput>;
  const edges = Map.groupBy(adjacencyMapToArray(getAdjacencyMap(logic, options)), (edge) =>
    essence(edge.state),
  );
  const seen = new Set<string>();
  return getShortestPaths(agentMachine, options).flatMap(({ steps, state: from }) => {
    const onward = (edges.get(essence(from)) ?? []).filter(({ event, nextState }) => {
      // With mail, the same step may go another way through the states that never rest.
      const mail = from.context.mailSeen > from.context.mailTaken ? "with mail" : "";
      const step = `${pathOf(from.value)} ${mail} ${labelOf(event)} ${pathOf(nextState.value)}`;
      return !seen.has(step) && seen.add(step);
    });
    const prolonged = onward.map(({ event, nextState }) => [...steps, { event, state: nextState }]);
    return [steps, ...prolonged].map((each) => ({ kind, steps: each }));
  });
}

/** An event without its position, which differs on every path. */
function labelOf(event: { readonly type: string }): string {
  return JSON.stringify({ ...event, position: 0 });
}

const shown = (steps: Walk["steps"]): string => steps.map(({ event }) => labelOf(event)).join(" → ");

/** Walks with real promises; tells the first step at which the actor was elsewhere than the graph. */
async function walk({ kind, steps }: Walk, inspect: (event: InspectionEvent) => void): Promise<unknown> {
  const host = new Host({ ...graphInput(kind), inspect }).start();
  for (const { event, state } of steps.slice(1)) {
    await take(host, event);
    const found = essence(host.snapshot);
    if (found !== essence(state)) return { path: shown(steps), event, expected: essence(state), found };
  }
  return host.errors.length === 0 ? null : { path: shown(steps), errors: host.errors };
}

async function take(host: Host, event: GraphEvent): Promise<void> {
  if (!isEffectEnded(event)) host.send(event);
  else if (event.type.startsWith("xstate.error")) await host.break(event.effect, event.error);
  // The graph pairs each output with the effect that can come to it.
  else await host.end(event.effect, event.output as never);
}

const WALKS = (["task", "session"] as const).flatMap((kind) =>
  THEMES.flatMap((theme) => walksOf(kind, theme)),
);

/** Everything walked once for all tests: where a walk strayed, and which transitions were taken on the way. */
async function walkAll(): Promise<{ readonly strayed: readonly unknown[]; readonly taken: Set<string> }> {
  const taken = new Set<string>();
  const note = (event: InspectionEvent): void => {
    if (event.type !== "@xstate.microstep") return;
    for (const transition of event._transitions) taken.add(nameOf(transition));
  };
  const ends = await Promise.all(WALKS.map((each) => walk(each, note)));
  return { strayed: ends.filter((each) => each !== null), taken };
}

const walked = walkAll();

describe("every generated path", () => {
  it("is walked by a live actor as the graph says", async () => {
    expect(WALKS.length).toBeGreaterThan(1_000);
    expect((await walked).strayed).toEqual([]);
  });

  it("M1 ends with the task: none goes on after it", () => {
    const before = WALKS.flatMap(({ steps }) => steps.slice(0, -1).map((step) => step.state.status));
    expect(before.filter((status) => status !== "active")).toEqual([]);
  });
});

describe("the definition", () => {
  const all = allTransitions().map(nameOf);

  it("names each transition apart", () => {
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(50);
  });

  it("has no transition that no path took", async () => {
    const { taken } = await walked;
    expect(all.filter((name) => !taken.has(name))).toEqual([]);
  });

  it("has no state that no path entered", async () => {
    const initial = allStates().flatMap((node) => (node.type === "compound" ? node.initial.target : []));
    const entered = new Set(initial.map((node) => node.id));
    const { taken } = await walked;
    for (const name of taken) for (const id of name.split(" to ")[1]?.split(",") ?? []) entered.add(id);
    const ids = allStates().map((node) => node.id);
    expect(ids.filter((id) => id !== "agent" && !entered.has(id))).toEqual([]);
  });
});
