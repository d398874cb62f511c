// The words for where a task is (design.md §3). `machines/agent.ts` declares how it moves between them.

export const STATES = ["spawned", "running", "steering", "done", "cancelled", "failed"] as const;
export type State = (typeof STATES)[number];

export const TERMINAL_STATES = ["done", "cancelled", "failed"] as const;
export type TerminalState = (typeof TERMINAL_STATES)[number];

export const PHASES = [
  "queued",
  "starting",
  "waiting_slot",
  "generating",
  "calling_tools",
  "waiting_children",
  "waiting_input",
  "backing_off",
] as const;
/** The substate of `spawned` and `running`; the other states have none. */
export type Phase = (typeof PHASES)[number];

export function isTerminal(state: State): state is TerminalState {
  return state === "done" || state === "cancelled" || state === "failed";
}

/** Who goes first, highest first: a session's own turn and steers, ancestors that resume, children, batch work. */
export const SCHEDULING_CLASSES = ["interactive", "resuming", "background", "batch"] as const;
export type SchedulingClass = (typeof SCHEDULING_CLASSES)[number];

/** The one of the two that goes first. */
export function higherClass(a: SchedulingClass, b: SchedulingClass): SchedulingClass {
  return SCHEDULING_CLASSES.indexOf(a) <= SCHEDULING_CLASSES.indexOf(b) ? a : b;
}
