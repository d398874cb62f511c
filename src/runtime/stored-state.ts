// What a task's snapshot holds in the store: the actor's own state, and the few things that its host must remember
// over a restart and that are in no row. Small, JSON, written with every change of state. Pure.

import type { AgentOutput, AgentSnapshot } from "../../machines/agent.ts";
import { AGENT_MACHINE_VERSION } from "../../machines/agent.ts";
import type { Snapshot } from "xstate";
import { PHASES, SERVER_AWAY, TERMINAL_STATES } from "../core/lifecycle.ts";
import type { Reroute, TaskFailure } from "../core/task.ts";

/** What a store keeps of an actor. */
export type PersistedActor = Snapshot<unknown> &
  Pick<AgentSnapshot, "context" | "value"> & { children: object; historyValue: object };

export interface StoredState {
  /** Version of the machine that wrote it. */
  readonly machine: number;
  /** Active time used so far, in milliseconds. */
  readonly activeMs: number;
  readonly actor: PersistedActor;
  /** Children and answers that a result has told the model, and whose mail no turn has taken yet. */
  readonly told?: readonly string[];
  /** Children whose completions begin no turn. */
  readonly quiet?: readonly string[];
  /** How it ends: its children were being called off when this was written. */
  readonly ending?: AgentOutput;
  /** The models that it changed to, oldest first. */
  readonly reroutes?: readonly Reroute[];
  /** How often it was taken up again in the turn that it is in. */
  readonly resumes?: number;
  /** Its pause is a wait for a model server that was away. */
  readonly held?: true;
  /** A person has stopped what it does, before it was taken up again: it is told as soon as it is. */
  readonly stopped?: true;
}

/** The parts of a StoredState beside the actor's, without those that say nothing. */
export function memoOf(
  { told, quiet }: { readonly told: readonly string[]; readonly quiet: readonly string[] },
  turn: { readonly reroutes: readonly Reroute[]; readonly lastFailure: TaskFailure | null },
  resumes: number,
): Pick<StoredState, "told" | "quiet" | "resumes" | "reroutes" | "held"> {
  const { reroutes, lastFailure } = turn;
  return {
    ...(told.length > 0 && { told }),
    ...(quiet.length > 0 && { quiet }),
    ...(reroutes.length > 0 && { reroutes }),
    ...(resumes > 0 && { resumes }),
    ...(lastFailure?.code === SERVER_AWAY && { held: true }),
  };
}

/** Why a stored snapshot cannot be gone on from. */
export type Unusable = "unreadable" | "other_machine";

/** The state as it was written, or why it is of no use; `null` when none was. Contract: never throws. */
export function readStored(snapshot: unknown): StoredState | Unusable | null {
  if (snapshot === null || snapshot === undefined) return null;
  if (!isObject(snapshot) || typeof snapshot["machine"] !== "number") return "unreadable";
  if (snapshot["machine"] !== AGENT_MACHINE_VERSION) return "other_machine";
  const { actor, activeMs, ending } = snapshot;
  // An actor that has ended is none to go on from, except to its end.
  const isAlive = isObject(actor) && (actor["status"] === "active" || isObject(ending));
  const isActor = isAlive && isContext(actor["context"]) && isValue(actor["value"], isObject(ending));
  const { told = [], quiet = [], resumes = 0, reroutes = [], stopped = true } = snapshot;
  const areLists = isWords(told) && isWords(quiet) && areReroutes(reroutes);
  const isMemo = areLists && typeof resumes === "number" && stopped === true;
  return isActor && isMemo && typeof activeMs === "number"
    ? (snapshot as unknown as StoredState)
    : "unreadable";
}

/** Whether the machine can be in it; in a final state only when that is how the task ends. */
function isValue(value: unknown, isOver: boolean): boolean {
  if (value === "steering") return true;
  if (typeof value === "string") return isOver && (TERMINAL_STATES as readonly string[]).includes(value);
  if (!isObject(value)) return false;
  const [[state, phase] = [], ...more] = Object.entries(value);
  if (more.length > 0) return false;
  const isPhase = (PHASES as readonly unknown[]).includes(phase);
  const isSpawned = phase === "queued" || phase === "starting";
  if (phase === "backing_off") return state === "spawned" || state === "running";
  return isPhase && state === (isSpawned ? "spawned" : "running");
}

const FIGURES = ["run", "turn", "turnsUsed", "tries", "mailSeen", "mailTaken", "liveChildren"] as const;

function isContext(context: unknown): boolean {
  return (
    isObject(context) &&
    FIGURES.every((name) => Number.isSafeInteger(context[name])) &&
    Array.isArray(context["waits"])
  );
}

function isWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function areReroutes(value: unknown): boolean {
  const isRef = (ref: unknown): boolean =>
    isObject(ref) && isWords([ref["provider"], ref["model"], ref["backend"]]);
  return (
    Array.isArray(value) &&
    value.every(
      (each) =>
        isObject(each) && isRef(each["from"]) && isRef(each["to"]) && typeof each["costMicros"] === "number",
    )
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
