// How a life of the server ends, drawn from the dice. Pure.

import type { Dice } from "../sim/dice.ts";

/** Milliseconds count from the start of the process for `starting`, and from when it answers for the others. */
export type Ending =
  /** Killed while it starts. */
  | { readonly kind: "starting"; readonly ms: number }
  /** Killed at work; at once after it answered where `ms` is 0. */
  | { readonly kind: "kill"; readonly ms: number }
  /** Told to stop, and left to it. */
  | { readonly kind: "stop"; readonly ms: number }
  /** Told to stop, and killed while it does. */
  | { readonly kind: "kill_in_stop"; readonly ms: number; readonly afterMs: number }
  /** Told twice: the second time is immediate. */
  | { readonly kind: "stop_twice"; readonly ms: number; readonly afterMs: number };

export type EndingKind = Ending["kind"];

/** How long a life works: mostly a while, sometimes not at all. */
function workMs(dice: Dice): number {
  if (dice.chance(0.12)) return 0;
  return dice.between(20, dice.chance(0.15) ? 1_800 : 700);
}

export function drawEnding(dice: Dice): Ending {
  const draw = dice.next();
  if (draw < 0.15) return { kind: "starting", ms: dice.between(50, 600) };
  if (draw < 0.75) return { kind: "kill", ms: workMs(dice) };
  if (draw < 0.85) return { kind: "stop", ms: workMs(dice) };
  // The two signals must not be taken for one press, so that the second comes later.
  const afterMs = dice.between(draw < 0.95 ? 0 : 200, 700);
  return { kind: draw < 0.95 ? "kill_in_stop" : "stop_twice", ms: workMs(dice), afterMs };
}
