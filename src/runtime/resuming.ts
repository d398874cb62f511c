// What becomes of a task that is claimed again after a restart: decided from what the store has of it, before anything
// of it acts. Pure.
//
// R1. A task that was still queued stays queued, whatever its policy.
// R2. One that was at work when the server died so often without finishing a turn is the likely cause, and ends.
// R3. A session is one conversation: it never fails for a restart, and begins to listen again at worst.

import type { AgentOutput } from "../../machines/agent.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import type { RestartPolicy } from "../core/limits.ts";
import type { TaskFailure, TaskSpec } from "../core/task.ts";
import type { Claim } from "../store/store.ts";
import { wordsOf } from "./outcome.ts";
import { readStored, type StoredState } from "./stored-state.ts";

/** A task with which the server died so often within one turn fails as `crash_loop` (Erlang's supervisors allow 1 in 5 s). */
export const MAX_RESUMES = 5;

export type ResumePlan =
  /** It has not begun: it waits to be admitted like a new one. */
  | { readonly kind: "wait"; readonly stored: StoredState | null }
  | {
      readonly kind: "go_on";
      readonly stored: StoredState;
      readonly state: State;
      readonly phase: Phase | null;
      /** What it holds again: a slot only, or a place too. */
      readonly returning: "parked" | "live";
    }
  /** From the beginning, as another run; `stored` is what is known of the one before. */
  | { readonly kind: "run_again"; readonly stored: StoredState | null }
  | { readonly kind: "fail"; readonly failure: TaskFailure }
  /** It was on its way to its end, and its children to theirs. */
  | { readonly kind: "end"; readonly output: AgentOutput };

/** What became of the tasks that a store had open. */
export interface Recovery {
  /** They go on from where they were, or begin another run. */
  readonly resumed: number;
  /** They had not begun, and wait to be admitted. */
  readonly queued: number;
  /** They ended, because they could not go on; each record says why. */
  readonly failed: number;
}

/** What to do with a claimed task. */
export function planResume({ record, resume }: Pick<Claim, "record" | "resume">): ResumePlan {
  const stored = resume === null ? null : readStored(resume.snapshot);
  if (stored === null) return { kind: "wait", stored: null };
  const policy = policyOf(record.spec);
  if (typeof stored === "string") {
    const begun = record.state !== "spawned" || record.phase !== "queued";
    if (!begun) return { kind: "wait", stored: null };
    if (policy === "restart" || record.spec.kind === "session") return { kind: "run_again", stored: null };
    return { kind: "fail", failure: FAILURES[stored] };
  }
  if (stored.ending) return { kind: "end", output: stored.ending };
  const { state, phase } = wordsOf(stored.actor.value);
  if (phase === "queued") return { kind: "wait", stored };
  const returning = isParked(phase) ? "parked" : "live";
  if (isAtWork(stored) && (stored.resumes ?? 0) >= MAX_RESUMES) return { kind: "fail", failure: CRASH_LOOP };
  if (policy === "fail") return { kind: "fail", failure: INTERRUPTED };
  if (policy === "restart") return { kind: "run_again", stored };
  return { kind: "go_on", stored, state, phase, returning };
}

function policyOf({ kind, limits }: TaskSpec): RestartPolicy {
  return kind === "session" ? "resume" : limits.onRestart;
}

/** Whether what it was doing may be what the server died of. */
export function isAtWork({ actor }: StoredState): boolean {
  const { state, phase } = wordsOf(actor.value);
  return state === "steering" || phase === "generating" || phase === "calling_tools" || phase === "starting";
}

/** Whether a task in this phase waits for another actor, and holds no place meanwhile. */
export function isParked(phase: Phase | null): boolean {
  return phase === "waiting_children" || phase === "waiting_input";
}

const INTERRUPTED: TaskFailure = {
  code: "interrupted",
  message:
    "The server stopped while this task ran, and on_restart is fail. Delegate it again, or use on_restart: resume.",
  retryable: true,
};

const CRASH_LOOP: TaskFailure = {
  code: "crash_loop",
  message:
    `The server stopped ${MAX_RESUMES} times in the same turn of this task, so it is not taken up again. ` +
    "See the server's log for the cause, then delegate it again.",
  retryable: true,
};

const FAILURES = {
  other_machine: {
    code: "machine_changed",
    message:
      "This task was begun by another version of Troupe, whose state this one cannot go on from. " +
      "What it wrote is in its transcript; delegate it again, or use on_restart: restart.",
    retryable: true,
  },
  unreadable: {
    code: "snapshot_unreadable",
    message:
      "The stored state of this task cannot be read. What it wrote is in its transcript; delegate it again.",
    retryable: true,
  },
} as const satisfies Readonly<Record<string, TaskFailure>>;
