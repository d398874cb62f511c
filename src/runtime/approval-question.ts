// What a person is asked when calls of one turn want to be allowed: one question for all of them, so that no `yes` can be
// taken for another call than the one that was read. Pure.

import type { ToolWait } from "../core/tool.ts";

/** The question for these waits; empty when none of them wants to be allowed. */
export function questionOf(waits: readonly ToolWait[]): string {
  const calls = waits.flatMap((wait) => (wait.for === "input" && wait.approval ? [wait.prompt] : []));
  if (calls.length === 0) return "";
  if (calls.length === 1) return `Allow ${calls[0]}? Answer yes or no.`;
  const lines = calls.map((call, index) => `${index + 1}. ${call}`);
  return [`Allow these ${calls.length} calls, all or none? Answer yes or no.`, ...lines].join("\n");
}
