// The words of a script: what the scripted provider does, step by step. Plain data, so that a script can be compared,
// printed and built by a function.

import type { ProviderErrorKind, TroupeError } from "../src/base/errors.ts";
import { ProviderError } from "../src/base/errors.ts";
import type { FinishReason, GenerationUsage } from "./provider.ts";

/** One step of a generation. `started` is sent before the first step that shows something. */
export type Step =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | {
      readonly type: "tool_call";
      readonly name: string;
      readonly arguments: unknown;
      readonly id: string | undefined;
      readonly malformed?: string;
    }
  | { readonly type: "started" }
  | { readonly type: "finish"; readonly reason?: FinishReason; readonly usage?: Partial<GenerationUsage> }
  | { readonly type: "error"; readonly error: TroupeError }
  | { readonly type: "wait"; readonly ms: number }
  | { readonly type: "hang" };

/** A text as one piece. */
export function say(text: string): Step {
  return { type: "text", text };
}

export function think(text: string): Step {
  return { type: "thinking", text };
}

/** A tool call; without an id it gets one that no other call of the conversation has. */
export function call(name: string, args: unknown, id?: string): Step {
  return { type: "tool_call", name, arguments: args, id };
}

/** A tool call whose arguments were no JSON. */
export function badCall(name: string, text: string, id?: string): Step {
  return { type: "tool_call", name, arguments: {}, id, malformed: text };
}

/** Lets `ms` pass on the clock; before anything was shown it stands for queueing, loading and prefill. */
export function wait(ms: number): Step {
  return { type: "wait", ms };
}

/** Response headers, where they should come before the first word. */
export function begin(): Step {
  return { type: "started" };
}

/** Ends the generation in a given way; without it a script ends with `tool_calls` after a call, else with `stop`. */
export function finish(reason?: FinishReason, usage?: Partial<GenerationUsage>): Step {
  return { type: "finish", ...(reason ? { reason } : {}), ...(usage ? { usage } : {}) };
}

/** Breaks off with a ProviderError. */
export function fail(
  kind: ProviderErrorKind,
  code: string = kind,
  message = `The script fails here with ${kind}.`,
): Step {
  return failWith(new ProviderError({ kind, code }, message));
}

/** Breaks off with this very error. */
export function failWith(error: TroupeError): Step {
  return { type: "error", error };
}

/** Never goes on; only an abort ends it. */
export function hang(): Step {
  return { type: "hang" };
}
