// The words for where a task is, and where a model is (design.md §3). The machines of these names declare the moves.

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

/**
 * Where a model stands on a server that loads and unloads at our command. Only `resident` begins turns: `draining` is
 * in memory and lets those under way end, and `absent` is also what failed to load.
 */
export const RESIDENCY_STATES = ["absent", "loading", "resident", "draining", "unloading"] as const;
export type Residency = (typeof RESIDENCY_STATES)[number];

/** The code of a try that was none: the model server was away, and the task is held until it is back. */
export const SERVER_AWAY = "server_away";
