// sim-chat: answers plainly and without tools. It knows greetings, thanks, small sums and what it is; anything else it
// repeats back. Every answer can be told from a model's: it says what it is where that could be in doubt.

import { say, type Policy } from "../policy.ts";
import { parseSteer } from "../../core/transcript-marks.ts";
import { freshTexts, oneLine } from "./transcript.ts";

const SELF = "a rule-based simulation, not a language model";

const ECHOES: readonly ((quoted: string) => string)[] = [
  (quoted) => `You wrote ${quoted}. I am ${SELF}, so that is all I can say about it.`,
  (quoted) => `I have read ${quoted}. As ${SELF} I can only repeat it.`,
  (quoted) => `Noted: ${quoted}. A real model would answer here; I am ${SELF}.`,
];

/** The same text always picks the same entry. */
function pick<T>(entries: readonly T[], text: string): T {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return entries[sum % entries.length] as T;
}

function sumIn(text: string): string | null {
  const match = /(-?\d+(?:\.\d+)?)\s*([-+*/x×])\s*(-?\d+(?:\.\d+)?)/.exec(text);
  if (!match) return null;
  const [left, right] = [Number(match[1]), Number(match[3])];
  const sign = match[2] ?? "+";
  const results: Readonly<Record<string, number>> = {
    "+": left + right,
    "-": left - right,
    "/": left / right,
  };
  return `${left} ${sign} ${right} = ${results[sign] ?? left * right}.`;
}

/** A plain answer to one text of a person. */
export function plainAnswer(text: string): string {
  if (/^(hi|hello|hey|good (morning|evening|day))\b/i.test(text)) return `Hello. I am ${SELF}.`;
  if (/^(thanks|thank you)\b/i.test(text)) return "You are welcome.";
  if (/\b(who|what) are you\b/i.test(text)) {
    return `I am ${SELF}: fixed rules stand in for a model, so that the rest can be tried without a GPU.`;
  }
  return sumIn(text) ?? pick(ECHOES, text)(`"${oneLine(text, 160)}"`);
}

/** Contract: pure; answers each text that is new, and calls nothing. */
export const chatPolicy: Policy = (request) => {
  const texts = freshTexts(request).map((text) => parseSteer(text) ?? text);
  return say(texts.map(plainAnswer).join("\n") || `I am ${SELF}. Nothing was asked.`);
};
