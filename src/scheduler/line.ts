// Where an ask stands in the line before a gate: its level, its group, its rank. Pure; queue.ts keeps the lines.

import { SCHEDULING_CLASSES } from "../core/lifecycle.ts";
import { RETURNING_LEVELS, type Ask, type TaskGate } from "./state.ts";

/** See `rankAt`. Between two turns of one child each other live one asks about once: 8 covers the usual places. */
export const AHEAD_ASKS = 8;
export const AHEAD_MOST = 16;

/**
 * Where an ask stands at a kind of gate: returning before new, then by class, then the front of the class. A child that
 * a person hurried has no front at leases: stopped for a person's own turn, it would go before it again.
 */
export function levelAt(gate: TaskGate, ask: Ask): number {
  const rank = SCHEDULING_CLASSES.indexOf(ask.class);
  const returns = ask.kind === "turn" || ask.task.returning;
  if (gate.kind === "lease" || (gate.kind === "place" && returns)) {
    const isHurried = gate.kind === "lease" && ask.class === "interactive" && ask.task.needsPlace;
    const front = ask.front && !isHurried;
    return 2 * rank + (front ? 0 : 1);
  }
  return gate.kind === "place" ? RETURNING_LEVELS + rank : rank;
}

/** Parents are served alike where new children wait for a place; elsewhere it is first come, first served. */
export function groupAt(gate: TaskGate, ask: Ask): string {
  const isNew = ask.kind === "admission" && !ask.task.returning;
  return gate.kind === "place" && isNew ? (ask.task.parentId ?? "") : "";
}

/**
 * Lowest first among those of one group. At a lease, children go in the order in which they were admitted: each that was
 * admitted between two puts the older one's turn AHEAD_ASKS asks ahead, and AHEAD_MOST count. So the older end while
 * their prompts are cached, and no turn is passed by more than AHEAD_ASKS * AHEAD_MOST asked later (S4).
 */
export function rankAt(gate: TaskGate, { tie, among, task, class: schedulingClass }: Ask): number {
  if (gate.kind !== "lease" || schedulingClass === "interactive") return tie;
  const admittedAs = task.needsPlace ? Math.max(task.admittedAs, among - AHEAD_MOST) : among;
  return tie + AHEAD_ASKS * admittedAs;
}
