// The agent machine as a graph for xstate/graph: which events can come in which state, which snapshots count as the
// same, and which transitions the definition has. Effects end as events here; the tests replay them as promises.

import type { AnyStateNode, AnyTransitionDefinition } from "xstate";
import { getStateNodes } from "xstate/graph";
import {
  agentMachine,
  type AgentEvent,
  type AgentInput,
  type AgentSnapshot,
  type CallToolsOutput,
  type GenerateOutput,
} from "../../machines/agent.ts";
import type { TaskKind } from "../../src/core/task.ts";
import { CANCEL, failed, mail, pathOf, suspendedOn, TIMEOUT, type EffectName } from "./host.ts";

/** An effect that ends, as XState tells the machine. */
export interface EffectEnded {
  readonly type: `xstate.${"done" | "error"}.actor.${string}`;
  readonly effect: EffectName;
  readonly output?: unknown;
  readonly error?: unknown;
}
export type GraphEvent = AgentEvent | EffectEnded;

export function isEffectEnded(event: { readonly type: string }): event is EffectEnded {
  return event.type.startsWith("xstate.");
}

/** Small limits, so that each of them is reached within a few steps. */
export function graphInput(kind: TaskKind): AgentInput {
  return { taskId: "task_1", kind, maxTurns: 2, generationTries: 2, retryLimit: 1 };
}

/**
 * Parts of a life that are walked apart, so that their situations add up instead of multiplying. Each has all
 * that a task needs to go from its acceptance to an end.
 */
export const THEMES = ["mail", "failures", "waits", "children"] as const;
export type Theme = (typeof THEMES)[number];

const FAILURES = [
  failed(),
  failed({ transient: true }),
  failed({ retryable: true }),
  failed({ transient: true, retryable: true }),
  { ...failed(), stepsUp: true },
];
const SUSPENSIONS: readonly CallToolsOutput[] = [
  { outcome: "called", waits: [suspendedOn("a", "children")] },
  { outcome: "called", waits: [suspendedOn("a", "children"), suspendedOn("b", "input")] },
];
const ANSWERS: readonly GenerateOutput[] = [
  { outcome: "answered" },
  { outcome: "called_tools" },
  { outcome: "rerouted" },
];

/** The effect of each state that has one, and what it comes to when it succeeds. */
const EFFECTS: Readonly<
  Record<string, { readonly effect: EffectName; readonly outputs: readonly unknown[] }>
> = {
  "spawned.starting": { effect: "prepare", outputs: [{ outcome: "ready" }] },
  "running.generating": { effect: "generate", outputs: ANSWERS },
  "running.calling_tools": { effect: "callTools", outputs: [{ outcome: "called", waits: [] }] },
  steering: { effect: "foldMail", outputs: [{ outcome: "folded" }] },
};

/** Every event of the theme that can come in this state; positions go on from what the machine has seen. */
export function eventsIn(snapshot: AgentSnapshot, theme: Theme): readonly GraphEvent[] {
  if (snapshot.status !== "active") return [];
  return [
    { type: "admitted" },
    { type: "lease.granted" },
    { type: "stop" },
    { type: "close" },
    CANCEL,
    TIMEOUT,
    ...themeEvents(snapshot, theme),
    ...effectEvents(pathOf(snapshot.value), theme),
  ];
}

function themeEvents({ context }: AgentSnapshot, theme: Theme): readonly AgentEvent[] {
  const { mailSeen, mailTaken, waits } = context;
  const next = mailSeen + 1;
  const spoken = mail(next, { person: true });
  const took: readonly AgentEvent[] =
    mailSeen > mailTaken ? [{ type: "mail.taken", position: mailSeen }] : [];
  const end = { cause: "satisfied", answer: "Yes." } as const;
  const events: Record<Theme, readonly AgentEvent[]> = {
    mail: [mail(next), mail(next, { interrupt: true }), spoken, ...took, { type: "preempted" }],
    failures: [spoken, ...took, { type: "retry.due" }, { type: "delta", channel: "text", text: "Hel" }],
    waits: [
      mail(next, { interrupt: true }),
      spoken,
      ...waits.map(({ callId }): AgentEvent => ({ type: "wait.ended", callId, end })),
    ],
    children: [
      { type: "children.changed", live: 1 },
      { type: "children.changed", live: 0 },
      mail(next),
      ...took,
    ],
  };
  return events[theme];
}

function effectEvents(state: string, theme: Theme): readonly EffectEnded[] {
  const found = EFFECTS[state];
  if (!found) return [];
  const { effect, outputs } = found;
  const done = (output: unknown): EffectEnded => ({
    type: `xstate.done.actor.0.agent.${state}`,
    effect,
    output,
  });
  if (theme === "failures") {
    const broken: EffectEnded = { type: `xstate.error.actor.0.agent.${state}`, effect, error: "a defect" };
    return [...[...outputs, ...FAILURES].map(done), broken];
  }
  if (theme === "waits" && effect === "callTools") return [...outputs, ...SUSPENSIONS].map(done);
  return outputs.map(done);
}

/** What of a snapshot decides anything later: the facts that guards ask for, not positions and counts themselves. */
export function essence({ context, value, status }: AgentSnapshot): string {
  if (status !== "active") return pathOf(value);
  const { mailSeen, mailTaken, waits } = context;
  const facts = {
    mail: mailSeen > mailTaken,
    urgent: context.mailUrgent > mailTaken,
    held: context.mailHeld > mailTaken && mailSeen <= context.mailHeld,
    folding: mailSeen > mailTaken && mailSeen <= context.mailFolding,
    open: context.turnOpen,
    tried: context.tries > 0,
    again: context.run > 1,
    children: context.liveChildren > 0,
  };
  const holds = Object.entries(facts).flatMap(([fact, isTrue]) => (isTrue ? fact : []));
  const ends = waits.map(({ callId, end }) => `${callId} ${end ? "ended" : "open"}`);
  return [pathOf(value), `${context.turnsUsed} used`, ...holds, ...ends].join(" ");
}

/** A transition by its place in the definition: state, event, and which of the candidates it is. */
export function nameOf(transition: AnyTransitionDefinition): string {
  const source = transition.source as AnyStateNode;
  const candidates = candidatesOf(source).find((list) => list.includes(transition)) ?? [];
  const target = transition.target?.map((node) => (node as AnyStateNode).id).join() ?? "itself";
  return `${source.id} on ${transition.eventType || "always"} #${candidates.indexOf(transition)} to ${target}`;
}

/** Every transition of the definition. */
export function allTransitions(): readonly AnyTransitionDefinition[] {
  return allStates().flatMap((node) => candidatesOf(node).flat());
}

export function allStates(): readonly AnyStateNode[] {
  return [agentMachine.root, ...getStateNodes(agentMachine)];
}

function candidatesOf(node: AnyStateNode): readonly AnyTransitionDefinition[][] {
  return [...node.transitions.values(), node.always ?? []] as AnyTransitionDefinition[][];
}
