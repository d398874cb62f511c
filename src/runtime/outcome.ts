// What a snapshot and an output of the agent machine mean in the words of the store. Pure.

import type { AgentOutput, AgentSnapshot } from "../../machines/agent.ts";
import type { NewEvent } from "../core/event.ts";
import type { Phase, State } from "../core/lifecycle.ts";
import type { TaskEnd } from "../core/task.ts";
import { cutMiddle } from "./output-ring.ts";

export interface LastAnswer {
  readonly answer: string | null;
  /** Its end is missing already. */
  readonly isCutShort: boolean;
}

/** The end of a task: what was answered is kept whatever ended it, cut to `maxChars` with a mark. */
export function endOf(output: AgentOutput, { answer, isCutShort }: LastAnswer, maxChars: number): TaskEnd {
  const cut = answer === null ? null : cutMiddle(answer, maxChars);
  const failure = output.state === "failed" ? output.failure : null;
  const truncated = cut !== null && (cut.truncated || isCutShort);
  return { state: output.state, result: cut?.text ?? null, truncated, failure };
}

/** The state word and the phase word of a state value. */
export function wordsOf(value: AgentSnapshot["value"]): {
  readonly state: State;
  readonly phase: Phase | null;
} {
  if (typeof value === "string") return { state: value as State, phase: null };
  const [state, phase] = Object.entries(value)[0] as [State, Phase];
  return { state, phase };
}

/** The event that records an end. */
export function endEvent(end: TaskEnd, output: AgentOutput): NewEvent {
  if (end.failure)
    return { type: "task.failed", data: { code: end.failure.code, message: end.failure.message } };
  if (output.state === "cancelled") {
    return { type: "task.cancelled", data: { reason: output.reason, resultKept: end.result !== null } };
  }
  return { type: "task.done", data: { resultChars: end.result?.length ?? 0, truncated: end.truncated } };
}
