// What can go wrong with one generation, as a change of the script that would have gone well.

import { ProviderError, type ProviderErrorKind } from "../../src/base/errors.ts";
import {
  badCall,
  call,
  fail,
  failWith,
  finish,
  hang,
  say,
  think,
  wait,
  type Step,
} from "../../providers/script.ts";
import type { Dice } from "./dice.ts";

export type Sickness =
  | "overloaded"
  | "overloaded with a pause"
  | "rate limited"
  | "rate limited for long"
  | "reset half way"
  | "malformed"
  | "refused"
  | "hangs"
  | "drips"
  | "empty"
  | "one id for two calls"
  | "malformed arguments"
  | "unknown tool"
  | "wrong arguments";

const SICKNESSES: readonly Sickness[] = [
  "overloaded",
  "overloaded",
  "overloaded with a pause",
  "rate limited",
  "rate limited",
  "rate limited for long",
  "reset half way",
  "reset half way",
  "malformed",
  "refused",
  "hangs",
  "drips",
  "drips",
  "empty",
  "one id for two calls",
  "malformed arguments",
  "unknown tool",
  "wrong arguments",
];

export function drawSickness(dice: Dice): Sickness {
  return dice.pick(SICKNESSES);
}

/** A session has no timeout of its own: there the client's own deadline ends a stream that hangs. */
const IDLE_MS = 12_000;

/** What becomes of a script that a sickness has struck. */
export function sicken(steps: readonly Step[], sickness: Sickness, isSession: boolean): readonly Step[] {
  switch (sickness) {
    case "overloaded":
      return [...pausesOf(steps), fail("overloaded")];
    case "overloaded with a pause":
      return refusedFor(steps, { kind: "overloaded", status: 503, retryAfterMs: 400 });
    case "rate limited":
      return refusedFor(steps, { kind: "rate_limited", status: 429, retryAfterMs: 2_500 });
    case "rate limited for long":
      return refusedFor(steps, { kind: "rate_limited", status: 429, retryAfterMs: 90_000 });
    case "reset half way":
      return [...steps.slice(0, Math.ceil(steps.length / 2)), say("and th"), fail("network")];
    case "malformed":
      return [...pausesOf(steps), say("{{"), fail("malformed")];
    case "refused":
      return [...pausesOf(steps), fail("refused", "filtered", "No.")];
    case "hangs":
      return [
        ...pausesOf(steps),
        say("not a word mo"),
        ...(isSession ? [wait(IDLE_MS), fail("timeout")] : [hang()]),
      ];
    case "drips":
      return [think("well"), ...drip("let me see "), ...steps];
    case "empty":
      return [...pausesOf(steps), finish("length")];
    default:
      return spoilCalls(steps, sickness);
  }
}

function spoilCalls(steps: readonly Step[], sickness: Sickness): readonly Step[] {
  const first = steps.find((step) => step.type === "tool_call");
  if (sickness === "one id for two calls") {
    // Two tasks with one goal, or two steers with one text, would be one to the witness.
    const isPlain = first !== undefined && !/^(delegate|steer)/.test(first.name);
    const { name, arguments: args } = isPlain ? first : { name: "effect", arguments: { step: 90 } };
    return [...steps.filter((step) => step !== first), call(name, args, "same"), call(name, args, "same")];
  }
  if (sickness === "malformed arguments") return [...pausesOf(steps), badCall("look", '{"step": ')];
  if (sickness === "wrong arguments") return [...pausesOf(steps), call("look", { steps: "three" })];
  return [...pausesOf(steps), call("forget_everything", {})];
}

function pausesOf(steps: readonly Step[]): readonly Step[] {
  return steps.filter((step) => step.type === "wait");
}

function drip(text: string): readonly Step[] {
  return text.split(" ").flatMap((word) => [wait(35), say(`${word} `)]);
}

function refusedFor(
  steps: readonly Step[],
  answer: { readonly kind: ProviderErrorKind; readonly status: number; readonly retryAfterMs: number },
): readonly Step[] {
  const { kind, status, retryAfterMs } = answer;
  const error = new ProviderError({ kind, code: kind }, "Not now.", { status, retryAfterMs });
  return [...pausesOf(steps), failWith(error)];
}
