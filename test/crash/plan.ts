// What each agent of a crash run has in mind, as plain data that travels in its goal: whoever reads a transcript knows
// what comes next, so that neither a kill of the server nor a generation that is asked for again changes anything.

import type { Dice } from "../sim/dice.ts";

/** How a parent gets its children done. */
export type Manner = "async" | "blocking" | "collect";

export interface Plan {
  /** Its place in everything that one house does, as `h3.17.0.1`: no two agents of a run have the same. */
  readonly name: string;
  readonly manner: Manner;
  /** How long each of its generations lasts. */
  readonly ms: number;
  /** Whether it reports its progress before anything else. */
  readonly reports: boolean;
  readonly children: readonly Plan[];
}

export const DEEPEST = 3;

const MANNERS: readonly Manner[] = ["async", "async", "blocking", "collect"];
const LENGTHS_MS: readonly number[] = [0, 2, 5, 15, 40, 100];
const MARK = "plan ";

/** Draws a tree of at most `most` agents. */
export function drawPlan(dice: Dice, name: string, most: number): Plan {
  const room = { left: most };
  return drawUnder(dice, name, room);
}

function drawUnder(dice: Dice, name: string, room: { left: number }): Plan {
  room.left--;
  const depth = name.split(".").length - 2;
  const wanted = depth < DEEPEST && dice.chance(depth === 0 ? 0.6 : 0.4) ? dice.between(1, 3) : 0;
  const children: Plan[] = [];
  for (let at = 0; at < wanted && room.left > 0; at++) children.push(drawUnder(dice, `${name}.${at}`, room));
  return { name, manner: dice.pick(MANNERS), ms: dice.pick(LENGTHS_MS), reports: dice.chance(0.4), children };
}

/** Every plan of a tree, parents first. */
export function plansOf(plan: Plan): readonly Plan[] {
  return [plan, ...plan.children.flatMap(plansOf)];
}

/** The goal, or the message of a session, that carries a plan. */
export function goalOf(plan: Plan): string {
  return MARK + JSON.stringify(plan);
}

/** Contract: never throws; `null` for any other text. */
export function planIn(text: string): Plan | null {
  if (!text.startsWith(MARK)) return null;
  try {
    return JSON.parse(text.slice(MARK.length)) as Plan;
  } catch {
    return null;
  }
}

/** The agents of a plan as the delegation tools take them. */
export function asTask(plan: Plan): { readonly goal: string; readonly role: "orchestrator" | "leaf" } {
  return { goal: goalOf(plan), role: plan.children.length > 0 ? "orchestrator" : "leaf" };
}
