// The moves of a random life of the agent machine, by name, so that a counterexample can be read: events of the
// world, and outcomes of the effect in flight. A move that does not fit where the task is changes nothing.

import type { AgentEvent } from "../../machines/agent.ts";
import { CANCEL, failed, mail, suspendedOn, TIMEOUT, type Host } from "./host.ts";

type Move = (host: Host) => AgentEvent | void;

const wait = (callId: string, answer?: string): AgentEvent => ({
  type: "wait.ended",
  callId,
  end: { cause: "satisfied", ...(answer !== undefined && { answer }) },
});

/** What a task that holds no effect waits for. */
const AWAITED: Readonly<Record<string, AgentEvent>> = {
  "spawned.queued": { type: "admitted" },
  "spawned.backing_off": { type: "retry.due" },
  "running.waiting_slot": { type: "lease.granted" },
  "running.backing_off": { type: "retry.due" },
};

/** What happens around a task, and goes well with it. */
export const STEPS = {
  "go on": (host) => AWAITED[host.at] ?? succeed(host),
  "call tools": (host) =>
    host.inFlight?.name === "generate" ? host.inFlight.resolve({ outcome: "called_tools" }) : succeed(host),
  "suspend for children": (host) => suspend(host, ["children"]),
  "suspend for both": (host) => suspend(host, ["children", "input", "timer"]),
  "end wait a": () => wait("a"),
  "end wait b": () => wait("b", "Yes."),
  "end wait c": () => wait("c"),
  mail: (host) => mail(host.context.mailSeen + 1),
  "mail of a person": (host) => mail(host.context.mailSeen + 1, { person: true }),
  "take mail": (host) => ({ type: "mail.taken", position: host.context.mailSeen }),
} satisfies Record<string, Move>;

/** What goes wrong, comes late, comes twice or was never asked for. */
export const TROUBLES = {
  "admit again": () => ({ type: "admitted" }),
  "grant again": () => ({ type: "lease.granted" }),
  "retry again": () => ({ type: "retry.due" }),
  preempt: () => ({ type: "preempted" }),
  interrupt: (host) => mail(host.context.mailSeen + 1, { interrupt: true }),
  "old mail": (host) => mail(Math.max(1, host.context.mailSeen - 1), { interrupt: true, person: true }),
  "take mail unseen": (host) => ({ type: "mail.taken", position: host.context.mailSeen + 1 }),
  "one child": () => ({ type: "children.changed", live: 1 }),
  "no child": () => ({ type: "children.changed", live: 0 }),
  delta: () => ({ type: "delta", channel: "text", text: "Hel" }),
  stop: () => ({ type: "stop" }),
  fail: (host) => host.inFlight?.resolve(failed()),
  "fail for a moment": (host) => host.inFlight?.resolve(failed({ transient: true })),
  "fail the run": (host) => host.inFlight?.resolve(failed({ retryable: true })),
  "fold nothing": (host) => {
    if (host.inFlight?.name === "foldMail") host.inFlight.resolve({ outcome: "folded" });
  },
  "late success": (host) => {
    for (const effect of host.effects) if (effect.signal.aborted) effect.resolve({ outcome: "answered" });
  },
  "late defect": (host) => {
    for (const effect of host.effects) if (effect.signal.aborted) effect.reject(new Error("too late"));
  },
} satisfies Record<string, Move>;

/** What ends a task, or would if it were a session. */
export const ENDS = {
  cancel: () => CANCEL,
  "reach a limit": () => TIMEOUT,
  close: () => ({ type: "close" }),
  break: (host) => host.inFlight?.reject(new Error("a defect")),
} satisfies Record<string, Move>;

const MOVES: Readonly<Record<string, Move>> = { ...STEPS, ...TROUBLES, ...ENDS };

export type MoveName = keyof typeof STEPS | keyof typeof TROUBLES | keyof typeof ENDS;

/** Makes a move; what an effect came to is heard by the machine once promises have settled. */
export function move(host: Host, name: MoveName): void {
  const event = MOVES[name]?.(host);
  if (event) host.send(event);
}

/** Ends the effect in flight as it should; a fold takes what was announced, as its commit would. */
function succeed(host: Host): void {
  const effect = host.inFlight;
  if (effect?.name === "prepare") effect.resolve({ outcome: "ready" });
  if (effect?.name === "generate") effect.resolve({ outcome: "answered" });
  if (effect?.name === "callTools") effect.resolve({ outcome: "called", waits: [] });
  if (effect?.name !== "foldMail") return;
  host.send({ type: "mail.taken", position: host.context.mailSeen });
  effect.resolve({ outcome: "folded" });
}

function suspend(host: Host, waits: readonly ("children" | "input" | "timer")[]): void {
  if (host.inFlight?.name !== "callTools") return;
  const calls = waits.map((each, index) => suspendedOn("abc"[index] ?? "z", each));
  host.inFlight.resolve({ outcome: "called", waits: calls });
}
