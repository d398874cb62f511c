// Why a cap is what it is, in words for people: `3: the fourth did not make it faster`.

import type { CapReason, CapState } from "./adaptive-state.ts";

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"] as const;

const FAILURES: Readonly<Record<(CapReason & { kind: "failed" })["outcome"], string>> = {
  busy: "the server refused more as too many",
  oom: "more took too much memory",
  timeout: "more ran into a time limit",
};

/** One line, the cap first. Never throws. */
export function capInWords(state: CapState): string {
  return `${state.cap}: ${because(state)}`;
}

function because({ cap, reason }: CapState): string {
  switch (reason.kind) {
    case "guess":
      return "a first guess, until some generations have been measured";
    case "faster":
      return `faster than ${reason.than}`;
    case "trying":
      return reason.than < cap
        ? `trying whether it is faster than ${reason.than}`
        : `trying whether it is as fast as ${reason.than}, of which some waited in the server`;
    case "no_faster":
      return reason.tried === cap + 1
        ? `the ${ordinal(reason.tried)} did not make it faster`
        : `${reason.tried} were not faster`;
    case "server_full":
      return cap === 1
        ? "the server runs one at a time, whatever its settings say"
        : `the server runs no more at once; the ${ordinal(cap + 1)} would wait there`;
    case "shared":
      return "others wait in the server too, and more of ours would only lengthen its queue";
    case "failed":
      return FAILURES[reason.outcome];
    case "slow_stream":
      return "with more at once each of them was too slow to be of use";
    case "late":
      return "with more at once their first words came too late";
    case "not_needed":
      return "more are never in flight";
    case "most":
      return "the most that is allowed";
  }
}

function ordinal(count: number): string {
  return ORDINALS[count - 1] ?? `${count}${suffix(count)}`;
}

function suffix(count: number): string {
  if (count % 100 >= 11 && count % 100 <= 13) return "th";
  return ["th", "st", "nd", "rd"][count % 10] ?? "th";
}
