// How much of a model's context one result may take, a tool's or a child's.

import { MAX_TOOL_RESULT_CHARS } from "../core/limits.ts";

/** At about 3.5 characters in a token, one result takes at most a quarter of the context. */
const CHARS_PER_CONTEXT_TOKEN = 0.8;
const LEAST_CHARS = 400;

/** Characters of one result; `contextTokens` is `null` where the context is not known. */
export function resultRoom(contextTokens: number | null): number {
  if (contextTokens === null) return MAX_TOOL_RESULT_CHARS;
  const share = Math.floor(contextTokens * CHARS_PER_CONTEXT_TOKEN);
  return Math.min(MAX_TOOL_RESULT_CHARS, Math.max(LEAST_CHARS, share));
}
