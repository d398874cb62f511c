// Worlds of questions: agents that ask their parents or want to be allowed what they do, parents that answer, call off or
// pass by, and people who say yes, no, or something else, or call off whoever asks.

import type { Dice } from "./dice.ts";
import type { Plan, Quirk, Reply } from "./plan.ts";

/** Something that a person does to one of those who ask. */
export const ASKED_DEEDS = ["allow", "deny", "reply", "call_off"] as const;
export type AskedDeed = (typeof ASKED_DEEDS)[number];

const SHARE = 0.15;
/** Longest that a question waits in these worlds. */
export const QUESTION_MS = 2_000;

const QUIRKS: readonly Quirk[] = ["ask_parent", "ask_parent", "guarded", "guarded", "ask"];
const REPLIES: readonly Reply[] = ["answer", "answer", "answer", "nothing", "cancel"];

/** What people do to those who ask, in a world of questions; `null` in every other. */
export function drawQuestions(
  dice: Dice,
  actingMs: number,
): readonly { readonly kind: AskedDeed; readonly atMs: number; readonly whom: number }[] | null {
  if (!dice.chance(SHARE)) return null;
  return dice.several(dice.between(2, 8), () => ({
    kind: dice.pick(ASKED_DEEDS),
    atMs: dice.chance(0.6) ? dice.between(0, 600) : dice.between(0, actingMs),
    whom: dice.between(0, 4),
  }));
}

/** The same root with agents that ask. */
export function withQuestions<R extends { readonly plan: Plan }>(root: R, dice: Dice): R {
  return { ...root, plan: curious(root.plan, dice) };
}

function curious(plan: Plan, dice: Dice): Plan {
  const children = plan.children.map((child) => curious(child, dice));
  const quirks = dice.several(dice.between(0, 2), () => dice.pick(QUIRKS));
  return { ...plan, children, quirks: [...plan.quirks, ...quirks], replies: dice.pick(REPLIES) };
}

/** What a person says to a question; no two say the same but for a plain yes. */
export function wordsFor(kind: Exclude<AskedDeed, "call_off">, word: string): string {
  if (kind === "allow") return "yes";
  return kind === "deny" ? `no, ${word}` : word;
}
